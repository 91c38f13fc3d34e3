"""What a script would refuse, as errors of the parameters that its words name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from traindeck.errors import FieldError
from traindeck.options.checking import check_params
from traindeck.options.conversion import completed
from traindeck.options.schema import Schema
from traindeck.trainers.parameters import ParamError

ARGS = "script.args"
QUOTED = re.compile(r"'([^']+)'")


def of_params(schema: Schema, params: dict[str, Any], refusal: str) -> FieldError:
    """The refusal of arguments that were made of parameters."""
    named = _named_in(refusal)
    for name in completed(schema, params):
        if named & _names_of(name, schema["properties"][name]["x-flag"]):
            return FieldError(f"params.{name}", f"the script would refuse {name}: {refusal}")
    return FieldError("params", f"the script would refuse these parameters: {refusal}")


def of_args(schema: Schema, args: Sequence[str], refusal: str) -> list[FieldError]:
    """The refusal of arguments as they were typed; where there are none, of the parameters that are missing."""
    missing = as_fields(check_params(schema, {})[1]) if not args else []
    return missing or [FieldError(ARGS, f"the script would refuse its arguments: {refusal}")]


def as_fields(errors: Iterable[ParamError]) -> list[FieldError]:
    """Errors of parameters as those of the body that gave them."""
    return [FieldError(f"params.{error.field}", error.message) for error in errors]


def _named_in(refusal: str) -> set[str]:
    """The options that a message begins with: `argument --lr/-l: …`, or `Invalid value for '--lr' / '-l': …`."""
    head = refusal.partition(":")[0]
    found = QUOTED.findall(head) or head.removeprefix("argument ").split("/")
    # So click writes an argument that may be left out, or given several times.
    return {word if word[:1] == "-" else word.strip("[].").lower() for word in found}


def _names_of(name: str, flag: Mapping[str, Any]) -> set[str]:
    if flag["flags"]:
        return {*flag["flags"], *filter(None, [flag["negative"]])}
    # A parameter of one of several commands is called by both; the script knows only its own name.
    names = [name.rpartition(".")[2], flag.get("metavar")]
    return {one.lower() for one in names if isinstance(one, str)}
