"""One value against the schema of its parameter: as its type has it, and what is wrong with it."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Iterator
from typing import Any

from traindeck.options.reading import INFINITIES
from traindeck.wording import counted

Schema = dict[str, Any]

BOUNDS = (
    ("minimum", "greater_than_equal", "ge", operator.ge),
    ("exclusiveMinimum", "greater_than", "gt", operator.gt),
    ("maximum", "less_than_equal", "le", operator.le),
    ("exclusiveMaximum", "less_than", "lt", operator.lt),
)
ERRORS = {"integer": "int_type", "number": "float_type", "boolean": "bool_type", "string": "string_type"}


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON has them: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, 1 and 1.0 being two."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def as_declared(plain: Schema, value: Any) -> Any:
    """A value as its type has it: a whole number stands for a float where the option takes one."""
    kind = plain.get("type")
    if kind == "array" and isinstance(value, list):
        return [as_declared(item_of(plain, place), one) for place, one in enumerate(value)]
    if isinstance(value, bool) or "enum" in plain:
        return value
    if kind == "number" and isinstance(value, int):
        return _float(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def item_of(plain: Schema, place: int) -> Schema:
    """The schema of one value of a list."""
    first: list[Schema] = plain.get("prefixItems", [])
    return first[place] if place < len(first) else plain["items"]


def in_case(plain: Schema, value: Any) -> Any:
    """A choice as it was declared, in whatever case it was given."""
    if isinstance(value, list):
        return [in_case(plain.get("items", {}), one) for one in value]
    same = [one for one in plain.get("enum", ()) if isinstance(value, str) and one.lower() == value.lower()]
    return same[0] if same else value


def _float(value: int) -> float | int:
    try:
        return float(value)
    except OverflowError:
        return value


def takes(plain: Schema, value: Any) -> bool:
    """Whether a schema has a value as valid by the rules of JSON Schema, which knows no infinite numbers."""
    if isinstance(value, list) and plain.get("type") == "array":
        unlimited = any(not takes(item_of(plain, place), one) for place, one in enumerate(value))
    else:
        unlimited = plain.get("type") == "number" and isinstance(value, str)
    return not unlimited and not any(True for _ in faults(plain, value))


def faults(plain: Schema, value: Any) -> Iterator[dict[str, Any]]:
    """What is wrong with a value, in pydantic's terms."""
    if "enum" in plain:
        if not any(equal(value, one) for one in plain["enum"]):
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
        wanted = f"{'' if least == most else 'at least '}{counted(least, 'value')}"
        yield _fault("literal_error", value, expected=f"a list of {wanted}")
        return
    for place, one in enumerate(value):
        yield from faults(item_of(plain, place), one)


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
