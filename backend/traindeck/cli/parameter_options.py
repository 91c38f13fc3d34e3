"""Read parameters from options of the command line: `--lr 1e-4`, `--channels-last`, `-p seed=1`.

The deck decides which values are valid: text that does not fit a parameter's type is sent as it is, and the deck's
refusal says what is allowed.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from traindeck.cli.exits import CommandFailed, Exit

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})
MAX_DEPTH = 8
"""How deep `anyOf` and `$ref` are followed; a schema may refer to itself."""


@dataclass(slots=True)
class ParameterReader:
    """Reads options by the JSON Schema of the parameters; `own` are the command's own options, for suggestions."""

    schema: Mapping[str, Any]
    own: Iterable[str] = ()
    read: dict[str, Any] = field(default_factory=dict)

    def read_options(self, arguments: Iterable[str]) -> None:
        """Read `--name value`, `--name=value`, `--flag` and `--no-flag`; the last one of a name counts.

        Raises:
            CommandFailed: an option is unknown or has no value, or a word is not an option.
        """
        left = list(arguments)
        while left:
            option = left.pop(0)
            if not option.startswith("--") or option == "--":
                raise _usage_error(f"{option!r} is not an option. Give parameters as --name value or as -p name=value")
            written, equals, text = option.removeprefix("--").partition("=")
            name = self._known(written)
            if name is None:
                self._negate(written, equals)
            elif equals:
                self._set(name, text)
            elif is_flag(self._of(name), self.schema):
                explicit = bool(left) and left[0].lower() in TRUE | FALSE
                self._set(name, left.pop(0) if explicit else "true")
            elif left:
                self._set(name, left.pop(0))
            else:
                raise _usage_error(f"--{written} needs a value")

    def read_pairs(self, pairs: Iterable[str]) -> None:
        """Read `name=value`. An unknown name is sent to the deck as it is.

        Raises:
            CommandFailed: a pair has no `=` or no name.
        """
        for pair in pairs:
            name, equals, text = pair.partition("=")
            if not equals or not name:
                raise _usage_error(f"-p must be name=value; got {pair!r}")
            self._set(self._known(name) or name, text)

    def _negate(self, written: str, equals: str) -> None:
        name = self._known(written.removeprefix("no-")) if written.startswith(("no-", "no_")) else None
        if name is None or equals or not is_flag(self._of(name), self.schema):
            raise self._unknown(f"--{written}")
        self.read[name] = False

    def _known(self, written: str) -> str | None:
        """Return the parameter of this option, in which `-` and `_` are the same."""
        names = {name.replace("-", "_"): name for name in self.schema.get("properties", {})}
        return names.get(written.replace("-", "_"))

    def _of(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {}).get(name, {})
        return found

    def _set(self, name: str, text: str) -> None:
        self.read[name] = value_of(text, self._of(name), self.schema)

    def _unknown(self, option: str) -> CommandFailed:
        from traindeck.wording import unknown_name

        known = [f"--{name.replace('_', '-')}" for name in self.schema.get("properties", {})]
        return _usage_error(unknown_name("option", option.replace("_", "-"), [*known, *self.own]))


def _usage_error(message: str) -> CommandFailed:
    return CommandFailed(message, Exit.USAGE)


def value_of(text: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Return `text` as a value of the first of the schema's types that fits; `root` holds the targets of `$ref`."""
    kinds = list(types_of(schema, root))
    for kind in [one for one in READERS if one in kinds]:
        try:
            return READERS[kind](text)
        except ValueError:
            continue
    return text


def is_flag(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Return whether the parameter is on or off, so that its option takes no value."""
    return set(types_of(schema, root)) <= {"boolean", "null"} and "boolean" in types_of(schema, root)


def types_of(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield the JSON types that a schema allows, as far as it names them."""
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
"""In the order in which they are tried: `1` is a number before it is true, `none` is null before it is text."""
