"""Whether a script has the option by which it is to go on from a checkpoint: told at launch, not hours later."""

from __future__ import annotations

from traindeck.errors import FieldError
from traindeck.options.declaration import Record, levels
from traindeck.options.schema import Schema
from traindeck.unknown import nearest

FIELD = "script.resume_arg"
VALUED = frozenset({"store", "append", "extend"})


def resume_errors(schema: Schema, option: str | None) -> list[FieldError]:
    """What is wrong with `option`, as far as the declared options tell: there is no such one, or it takes no value."""
    declared = schema["x-declared"]
    if not option or not option.startswith("-") or declared.get("lenient"):
        return []
    wanted = option.removesuffix("=")
    options: list[Record] = [one for level in levels(declared) for one in level.record["options"]]
    # Parsers take the beginning of a long option for the whole of it.
    meant = [one for one in options if any(flag.startswith(wanted) for flag in one["flags"])]
    if not meant:
        flags = [flag for one in options for flag in one["flags"]]
        near = nearest(wanted, flags)
        hint = f"; did you mean {near!r}?" if near else ""
        return [FieldError(FIELD, f"script.resume_arg is {option!r}, but the script has no such option{hint}")]
    if not any(one["action"] in VALUED for one in meant):
        return [
            FieldError(FIELD, f"script.resume_arg is {option!r}, but that option of the script takes no checkpoint")
        ]
    return []
