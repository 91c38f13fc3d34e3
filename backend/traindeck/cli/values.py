"""Values of parameters, from the text of the command line to what JSON has for them.

The deck judges them: text that is not of a parameter's type goes there as it is, and comes back with the message
that says what would be right.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})
MAX_DEPTH = 8
"""So deep are `anyOf` and `$ref` followed; a schema may refer to itself."""


def value_of(text: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """`text` as a value of the first of the schema's types that it can be of; `root` holds what `$ref`s name."""
    kinds = list(types_of(schema, root))
    for kind in [one for one in READERS if one in kinds]:
        try:
            return READERS[kind](text)
        except ValueError:
            continue
    return text


def is_flag(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """True where the parameter is on or off: its option stands without a value."""
    return set(types_of(schema, root)) <= {"boolean", "null"} and "boolean" in types_of(schema, root)


def types_of(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """The JSON types that a schema allows, as far as it names them."""
    if depth > MAX_DEPTH:
        return
    named = schema.get("type", [])
    yield from [named] if isinstance(named, str) else named
    for value in [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]:
        yield _type_name(value)
    if "$ref" in schema:
        yield from types_of(root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {}), root, depth + 1)
    for part in (part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, [])):
        yield from types_of(part, root, depth + 1)


def _type_name(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    return names.get(type(value), "object")


def _null(text: str) -> None:
    if text.lower() not in ("null", "none"):
        raise ValueError(text)


def _boolean(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise ValueError(text)
    return text.lower() in TRUE


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def _json_of(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


READERS: dict[str, Callable[[str], Any]] = {
    "null": _null,
    "integer": _integer,
    "number": float,
    "array": _json_of(list),
    "object": _json_of(dict),
    "boolean": _boolean,
    "string": str,
}
"""In the order in which they are tried: `1` is a number before it is true, `none` nothing before it is text."""
