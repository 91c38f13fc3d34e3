"""What an argparse parser declares, as plain records.

A record of a parser: `options`, `exclusive` groups, `commands` (its sub-parsers, each a record), and the few settings
that decide how arguments are read. `options/declaration.py` describes the form; the server makes the schema from it.
"""

from __future__ import annotations

import argparse
import enum
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

MAX_TEXT = 2000
MAX_DEPTH = 6
MAX_ITEMS = 1000
MAX_INT = 10**300

TRUE_TEXTS = ("true", "True", "TRUE", "yes", "Yes", "y", "Y", "t", "T", "1", "on")
FALSE_TEXTS = ("false", "False", "FALSE", "no", "No", "n", "N", "f", "F", "0", "off")
ACTIONS = {
    "_StoreAction": "store",
    "_StoreTrueAction": "store_true",
    "_StoreFalseAction": "store_false",
    "_StoreConstAction": "const",
    "_AppendAction": "append",
    "_AppendConstAction": "append_const",
    "_ExtendAction": "extend",
    "_CountAction": "count",
    "BooleanOptionalAction": "boolean_optional",
    "_HelpAction": "exit",
    "_VersionAction": "exit",
}
STANDARD_GROUPS = ("positional arguments", "optional arguments", "options")
WITH_VALUE = ("store", "append", "extend")
LONGEST_ENUM = 100


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it; as text where JSON has no form for it, infinities and NaN among them."""
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < MAX_INT else "a very large number"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (list, tuple, set, frozenset)) and depth < MAX_DEPTH:
        return [plain(one, depth + 1) for one in list(value)[:MAX_ITEMS]]
    if isinstance(value, dict) and depth < MAX_DEPTH:
        return {text_of(key): plain(one, depth + 1) for key, one in list(value.items())[:MAX_ITEMS]}
    return text_of(value)


def text_of(value: Any) -> str:
    """The value as text that can be written as UTF-8."""
    try:
        if isinstance(value, str):
            text = str(value)
        elif isinstance(value, os.PathLike):
            text = os.fsdecode(value)
        elif hasattr(value, "read") or hasattr(value, "write"):
            text = str(getattr(value, "name", "a file"))
        else:
            text = str(value)
    except Exception:
        text = "a " + type(value).__name__
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


class Probe:
    """What a callable that turns text into a value is found to do, by asking it."""

    def __init__(self, convert: Callable[[str], Any], default: Any = None) -> None:
        self.convert = convert
        self.texts: dict[str, bool] = {}
        self.kind = self._find_kind(default)

    def _find_kind(self, default: Any) -> str:
        if isinstance(default, bool) and self._tells_apart():
            return "bool"
        if isinstance(default, str) or self._takes("[1]"):
            return "str"
        if self._is_boolean():
            return "bool"
        if isinstance(default, bool) or not (default is None or isinstance(default, (int, float))):
            return "str"
        return self._number_kind(default)

    def _is_boolean(self) -> bool:
        self.texts = {text: value for text in TRUE_TEXTS + FALSE_TEXTS if isinstance(value := self._ask(text), bool)}
        both = set(self.texts.values()) == {True, False}
        return both and not self._takes("0.5") and all(value == (t in TRUE_TEXTS) for t, value in self.texts.items())

    def _tells_apart(self) -> bool:
        """Whether it makes true and false of some of their words; of any others it may make either."""
        asked = {text: (self._ask(text), text in TRUE_TEXTS) for text in TRUE_TEXTS + FALSE_TEXTS}
        self.texts = {text: wanted for text, (value, wanted) in asked.items() if value is wanted}
        return set(self.texts.values()) == {True, False}

    def _number_kind(self, default: Any) -> str:
        asked = [self._ask(text) for text in ("2", "0.5", "0.25", str(default))]
        numbers = [one for one in asked if isinstance(one, (int, float)) and not isinstance(one, bool)]
        if any(isinstance(one, float) for one in numbers):
            return "float"
        return "int" if numbers else "str"

    def _takes(self, text: str) -> bool:
        return self._ask(text) is not self

    def _ask(self, text: str) -> Any:
        """What the callable makes of a text; this object where it refuses."""
        try:
            return self.convert(text)
        except (Exception, SystemExit):
            return self


def bool_texts(texts: dict[str, bool]) -> dict[str, str]:
    """The text to write for each of true and false, of those that a callable was found to take."""
    return {
        "true": next(text for text in TRUE_TEXTS if text in texts),
        "false": next(text for text in FALSE_TEXTS if text in texts),
    }


def declare(parser: argparse.ArgumentParser, *, lenient: bool, intermixed: bool = False) -> dict[str, Any]:
    """The record of a parser; `lenient` where it is asked to leave unknown arguments alone."""
    groups = _groups(parser)
    options: list[dict[str, Any]] = []
    commands: dict[str, Any] | None = None
    places: dict[int, int] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            commands = {"place": len(options), **_commands(action, lenient)}
        else:
            places[id(action)] = len(options)
            options.append(_option(parser, action, groups.get(id(action))))
    return {
        "description": text_of(parser.description or ""),
        "lenient": lenient,
        "intermixed": intermixed,
        "abbreviations": bool(getattr(parser, "allow_abbrev", True)),
        "prefixes": parser.prefix_chars,
        "files": parser.fromfile_prefix_chars or "",
        "options": options,
        "exclusive": [
            {"places": [places[id(one)] for one in group._group_actions], "required": bool(group.required)}
            for group in parser._mutually_exclusive_groups
        ],
        "commands": commands,
    }


def _groups(parser: argparse.ArgumentParser) -> dict[int, str]:
    """The titles of the groups that the script has named, by the identity of an action in them."""
    return {
        id(action): text_of(group.title)
        for group in parser._action_groups
        if group.title and group.title not in STANDARD_GROUPS
        for action in group._group_actions
    }


def _commands(action: Any, lenient: bool) -> dict[str, Any]:
    helps = {one.dest: one.help for one in action._choices_actions}
    items: list[dict[str, Any]] = []
    seen: dict[int, dict[str, Any]] = {}
    for name, parser in action.choices.items():
        if id(parser) in seen:
            seen[id(parser)]["aliases"].append(name)
            continue
        item = {"name": name, "aliases": [], "help": text_of(helps.get(name) or parser.description or "")}
        item.update(declare(parser, lenient=lenient))
        seen[id(parser)] = item
        items.append(item)
    return {
        "name": None if action.dest in (None, argparse.SUPPRESS) else action.dest,
        "required": bool(action.required),
        "title": text_of(action.metavar) if isinstance(action.metavar, str) else "",
        "help": "" if action.help in (None, argparse.SUPPRESS) else text_of(action.help),
        "items": items,
    }


def _option(parser: argparse.ArgumentParser, action: argparse.Action, group: str | None) -> dict[str, Any]:
    own = ACTIONS.get(type(action).__name__) if type(action).__module__ == "argparse" else None
    kind = own or ("store" if action.nargs != 0 else "custom_flag")
    record = {
        "name": action.dest,
        "flags": list(action.option_strings),
        "negative": [one for one in action.option_strings if kind == "boolean_optional" and one.startswith("--no-")],
        "action": kind,
        "nargs": action.nargs if kind in WITH_VALUE else None,
        # A positional that may match nothing is never missed, whatever argparse calls it.
        "required": bool(action.required) and (bool(action.option_strings) or action.nargs not in ("?", "*", "...")),
        "hidden": action.help is argparse.SUPPRESS or kind in ("exit", "custom_flag"),
        "help": _help(parser, action),
        "metavar": plain(action.metavar),
        "group": group,
        "const": plain(action.const),
        "custom": own is None,
    }
    if kind in WITH_VALUE:
        record.update(_values(parser, action))
    default = _default(parser, action, record)
    record["default"] = None if default is argparse.SUPPRESS else plain(default)
    _name_members(action, record, default)
    record["opaque"] = kind in WITH_VALUE and _is_opaque(_converter(parser, action), record, default)
    return record


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.help or action.help is argparse.SUPPRESS:
        return ""
    try:
        return text_of(parser._get_formatter()._expand_help(action))
    except Exception:
        return text_of(action.help)


def _converter(parser: argparse.ArgumentParser, action: argparse.Action) -> Any:
    return None if action.type is None else parser._registry_get("type", action.type, action.type)


def _values(parser: argparse.ArgumentParser, action: argparse.Action) -> dict[str, Any]:
    """What kind of value an option takes."""
    convert = _converter(parser, action)
    found: dict[str, Any] = {"kind": "str"}
    if convert in (int, float):
        found = {"kind": convert.__name__}
    elif convert is bool:
        # Whatever is not empty is true: the option can only be set to false by an empty text.
        found = {"kind": "bool", "texts": {"true": "True", "false": ""}, "truth": True}
    elif isinstance(convert, type) and issubclass(convert, pathlib.PurePath):
        found = {"kind": "path"}
    elif isinstance(convert, argparse.FileType):
        found = {"kind": "path", "custom": True}
    elif convert not in (None, str) and callable(convert):
        found = {"custom": True, **_probed(convert, action)}
    found.update(_choices(convert, action))
    return found


def _probed(convert: Any, action: argparse.Action) -> dict[str, Any]:
    if action.choices is not None:
        return {"kind": "str"}
    default = action.default
    if isinstance(default, (list, tuple)) and default and action.nargs is not None:
        default = default[0]
    probe = Probe(convert, default)
    if probe.kind == "bool":
        return {"kind": "bool", "known": probe.texts, "texts": bool_texts(probe.texts)}
    return {"kind": probe.kind}


def _choices(convert: Any, action: argparse.Action) -> dict[str, Any]:
    choices = action.choices
    if choices is None:
        return {}
    if isinstance(choices, range) and choices.step == 1 and len(choices) > LONGEST_ENUM:
        return {"minimum": choices.start, "maximum": choices.stop - 1}
    try:
        members = list(choices)[: LONGEST_ENUM * 10]
    except Exception:
        # A container that only knows what lies in it: the parser itself has to be asked.
        return {"custom": True}
    return {"choices": [_member(convert, one) for one in members]}


def _member(convert: Any, member: Any) -> dict[str, Any]:
    """One choice: its value, and the text which the parser makes it from."""
    simple = isinstance(member, (str, int, float, bool)) and type(member).__module__ == "builtins"
    candidates = [str(member)] if simple else [getattr(member, "value", None), getattr(member, "name", None), member]
    for candidate in candidates:
        text = text_of(candidate)
        try:
            if (convert or str)(text) == member:
                return {"text": text, "value": plain(member) if simple else text}
        except Exception:  # noqa: S112 (not written so)
            continue
    return {"text": text_of(member), "value": plain(member) if simple else text_of(member)}


def _name_members(action: argparse.Action, record: dict[str, Any], default: Any) -> None:
    """A default that is one of the choices is shown as the choice is."""
    if not record.get("choices") or default is None or action.choices is None:
        return
    for member, shown in zip(list(action.choices), record["choices"]):
        if default is member and not isinstance(default, str):
            record["default"] = shown["value"]


def _is_opaque(convert: Any, record: dict[str, Any], default: Any) -> bool:
    """Whether a default is something that the option's type does not make of its text."""
    if isinstance(default, (list, tuple)):
        return any(_is_opaque(convert, record, one) for one in default)
    if default is None or record.get("choices") or record["kind"] == "bool" or isinstance(convert, argparse.FileType):
        return False
    if convert in (None, str, int, float) and isinstance(default, (str, int, float)):
        return False
    try:
        return bool((convert or str)(text_of(plain(default))) != default)
    except (Exception, SystemExit):
        return True


def _default(parser: argparse.ArgumentParser, action: argparse.Action, record: dict[str, Any]) -> Any:
    """What the option is where it is not given: the parser converts a default that is text, as here."""
    default = action.default
    if not action.option_strings and action.nargs == "*" and default in (None, argparse.SUPPRESS):
        return []
    if isinstance(default, str) and default is not argparse.SUPPRESS and record["action"] == "store":
        try:
            if not isinstance(_converter(parser, action), argparse.FileType):
                return parser._get_value(action, default)
        except Exception:
            return default
    return default
