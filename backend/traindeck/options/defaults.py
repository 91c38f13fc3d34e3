"""The values that options have by themselves, and whether a command line can say them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from traindeck.options.declaration import DeclaredOption, chosen_levels, options_by_key
from traindeck.options.reading import ReadArguments, converter, out_of_bounds, parts_of
from traindeck.options.schema import LISTS, SWITCHES, Schema
from traindeck.options.validity import alike


def is_default(schema: Schema, name: str, value: Any) -> bool:
    """Whether a parameter has the value that it would have without being given."""
    return alike(value, schema["properties"][name].get("default"))


def values_to_answer(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """The defaults of options that the script would ask for at the terminal, were they left out."""
    return {
        key: options[0]["default"]
        for level in chosen_levels(schema["x-declared"], values)
        for key, options in options_by_key(level.record).items()
        if options[0].get("asks") and key not in values and options[0]["default"] is not None
    }


def can_be_said(options: list[DeclaredOption], default: Any) -> bool:
    """Whether there are arguments that set a parameter to its default.

    There are none for a flag that is off, nor for a default that the option's own type or choices would not give.
    """
    first = options[0]
    action = first["action"]
    if default is None or first.get("opaque"):
        return False
    if action in SWITCHES:
        return any(one["action"] in ("boolean_optional", "store_true" if default else "store_false") for one in options)
    if action == "const":
        return any(one["const"] == default for one in options)
    if action in ("count", "append_const"):
        return True
    return _reads_as(first, default)


def _reads_as(option: DeclaredOption, value: Any) -> bool:
    nargs = option["nargs"]
    several = nargs not in (None, "?") or option["action"] in LISTS
    if isinstance(value, list) != several or (nargs == "+" and not value):
        return False
    if isinstance(nargs, int) and option["action"] == "store" and len(value) != nargs:
        return False
    values = list(_flat(value))
    return all(_reads_as_one(part, one) for part, one in zip(parts_of(option, len(values)), values, strict=True))


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _reads_as_one(option: DeclaredOption, value: Any) -> bool:
    if option["nargs"] == "?" and option["flags"] and value == option["const"]:
        return True
    choices = option.get("choices")
    if choices and not any(choice["value"] == value for choice in choices):
        return False
    try:
        read = converter(option, ReadArguments())(text_of(option, value))
    except ValueError:
        return False
    return bool(read == value) and isinstance(read, str) == isinstance(value, str) and not out_of_bounds(option, read)


def text_of(option: DeclaredOption, value: Any) -> str:
    """A value as it is typed."""
    for choice in option.get("choices") or ():
        if choice["value"] == value and type(choice["value"]) is type(value):
            return str(choice["text"])
    if isinstance(value, bool):
        return str(option.get("texts", {}).get("true" if value else "false", str(value)))
    if isinstance(value, float) and value < 0:
        # -1e-05 is not a number to argparse but a flag; -0.00001 is one.
        return format(Decimal(repr(value)), "f")
    return value if isinstance(value, str) else json.dumps(value)
