"""Parameters checked against the options that a script declares, with errors that say what would be right."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from traindeck.flags.declaration import chosen_levels
from traindeck.flags.reading import INFINITIES
from traindeck.flags.schema import Schema
from traindeck.trainers.parameters import ParamError, param_errors, unknown_name

BOUNDS = (
    ("minimum", "greater_than_equal", "ge", operator.ge),
    ("exclusiveMinimum", "greater_than", "gt", operator.gt),
    ("maximum", "less_than_equal", "le", operator.le),
    ("exclusiveMaximum", "less_than", "lt", operator.lt),
)
ERRORS = {"integer": "int_type", "number": "float_type", "boolean": "bool_type", "string": "string_type"}


def check_params(schema: Schema, params: Mapping[str, Any]) -> tuple[dict[str, Any], list[ParamError]]:
    """The parameters that were given, as their types have them, and what is wrong with them.

    A whole number stands for a float where the option takes one. Parameters of a sub-command that was not chosen are
    left out, unless they were given a value of their own: that is an error.
    """
    properties = schema["properties"]
    unknown = [name for name in params if name not in properties]
    errors = [ParamError(name, unknown_name("parameter", name, properties)) for name in unknown]
    given: dict[str, Any] = {}
    for name, value in params.items():
        if name in properties:
            given[name], found = _checked(name, properties[name], value)
            errors += found
    errors += _misplaced(schema, given)
    errors += _missing(schema, given)
    errors += _excluded(schema, given)
    return given, errors


def _checked(name: str, declared: Schema, value: Any) -> tuple[Any, list[ParamError]]:
    plain, nullable = _plain(declared)
    required = bool(declared["x-flag"].get("required"))
    if not required and "default" in declared and _equal(value, declared["default"]):
        return _as_declared(plain, declared["default"]), []
    if value is None and nullable:
        return None, []
    flag = declared["x-flag"]
    if flag.get("custom") and isinstance(value, str):
        # What text stands for is up to the script, which is asked.
        return value, []
    if flag["nargs"] == "?" and flag["const"] is not None and _equal(value, flag["const"]):
        return flag["const"], []
    value = _as_declared(plain, _in_case(plain, value) if flag.get("ignore_case") else value)
    return value, param_errors([{**one, "loc": (name,)} for one in _faults(plain, value)], ())


def _plain(declared: Schema) -> tuple[Schema, bool]:
    """The schema of a value, and whether it may be null."""
    if "anyOf" in declared:
        return declared["anyOf"][0], True
    return declared, False


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _as_declared(plain: Schema, value: Any) -> Any:
    kind = plain.get("type")
    if kind == "array" and isinstance(value, list):
        return [_as_declared(plain["items"], one) for one in value]
    if isinstance(value, bool) or "enum" in plain:
        return value
    if kind == "number" and isinstance(value, int):
        return _float(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _in_case(plain: Schema, value: Any) -> Any:
    """A choice as it was declared, in whatever case it was given."""
    if isinstance(value, list):
        return [_in_case(plain.get("items", {}), one) for one in value]
    same = [one for one in plain.get("enum", ()) if isinstance(value, str) and one.lower() == value.lower()]
    return same[0] if same else value


def _float(value: int) -> float | int:
    try:
        return float(value)
    except OverflowError:
        return value


def _faults(plain: Schema, value: Any) -> Iterator[dict[str, Any]]:
    """What is wrong with a value, in pydantic's terms."""
    if "enum" in plain:
        if not any(_equal(value, one) for one in plain["enum"]):
            yield _fault("literal_error", value, expected=_one_of(plain["enum"]))
        return
    kind = str(plain.get("type"))
    if kind == "array":
        yield from _list_faults(plain, value)
    elif not _is(kind, value):
        yield _fault(ERRORS.get(kind, "string_type"), value)
    else:
        yield from _number_faults(plain, value)


def _one_of(values: list[Any]) -> str:
    shown = [json.dumps(one, ensure_ascii=False) for one in values]
    return " or ".join([*([", ".join(shown[:-1])] if shown[:-1] else []), *shown[-1:]])


def _list_faults(plain: Schema, value: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(value, list):
        yield _fault("list_type", value)
        return
    least, most = plain.get("minItems", 0), plain.get("maxItems")
    if len(value) < least or (most is not None and len(value) > most):
        wanted = f"{least} values" if least == most else f"at least {least} value{'' if least == 1 else 's'}"
        yield _fault("literal_error", value, expected=f"a list of {wanted}")
        return
    for one in value:
        yield from _faults(plain["items"], one)


def _number_faults(plain: Schema, value: Any) -> Iterator[dict[str, Any]]:
    number = float(value) if isinstance(value, str) and plain.get("type") == "number" else value
    for name, error, key, fits in BOUNDS:
        if name in plain and not fits(number, plain[name]):
            yield _fault(error, value, **{key: plain[name]})


def _fault(kind: str, value: Any, **limits: Any) -> dict[str, Any]:
    return {"type": kind, "input": value, "msg": "", "ctx": limits}


def _is(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int)
    if kind == "number":
        finite = isinstance(value, int | float) and math.isfinite(value)
        return finite or (isinstance(value, str) and value in INFINITIES)
    # A NUL ends an argument: the program would see another one.
    return isinstance(value, str) and "\0" not in value


def _active(schema: Schema, given: Mapping[str, Any]) -> set[str]:
    """The names of the parameters that there are with the chosen commands."""
    levels = list(chosen_levels(schema["x-declared"], dict(given)))
    keys = {option["key"] for level in levels for option in level.record["options"]}
    return keys | {level.record["commands"]["key"] for level in levels if level.record["commands"]}


def _misplaced(schema: Schema, given: dict[str, Any]) -> list[ParamError]:
    active = _active(schema, given)
    errors = []
    for name in [name for name in given if name not in active]:
        declared = schema["properties"][name]
        if not _equal(given[name], declared.get("default")):
            command = " ".join(declared["x-when"].values())
            errors.append(ParamError(name, f"{name} goes with the command {command!r}, which was not chosen"))
        del given[name]
    return errors


def _missing(schema: Schema, given: Mapping[str, Any]) -> list[ParamError]:
    active = _active(schema, given)
    names = [name for name, one in schema["properties"].items() if one["x-flag"].get("required") and name in active]
    return [
        ParamError(name, f"{name} is required: {_how(schema['properties'][name]['x-flag'])}")
        for name in names
        if name not in given
    ]


def _how(flag: Mapping[str, Any]) -> str:
    if not flag["flags"]:
        return "the script cannot be started without it"
    return f"the script cannot be started without {max(flag['flags'], key=len)}"


def _excluded(schema: Schema, given: Mapping[str, Any]) -> list[ParamError]:
    errors, active = [], _active(schema, given)
    for group in schema["x-exclusive"]:
        if not active & set(group["names"]):
            continue
        chosen = [name for name in group["names"] if name in given and _differs(schema, name, given[name])]
        if len(chosen) > 1:
            errors.append(ParamError(chosen[1], f"{chosen[1]} cannot be given together with {chosen[0]}"))
        elif not chosen and group["required"]:
            errors.append(ParamError(group["names"][0], f"one of {', '.join(group['names'])} is required"))
    return errors


def _differs(schema: Schema, name: str, value: Any) -> bool:
    return not _equal(value, schema["properties"][name].get("default"))
