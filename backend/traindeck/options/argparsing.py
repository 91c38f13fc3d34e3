"""Reads arguments as an argparse parser with the declared options does: argparse itself does it.

The parser is built again from its declaration. Only what the script's own code would decide is left open.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from traindeck.options.declaration import DeclaredCommands, DeclaredOption, DeclaredParser, levels
from traindeck.options.reading import Early, ReadArguments, RefusedArguments, converter, out_of_bounds

UNSET: Any = object()
"""The default of every option here, so that what was given can be told from what was not."""
GATHERED = ("append", "extend", "append_const", "count")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Argparse would end the process."""
        raise RefusedArguments(message)


class _Exit(argparse.Action):
    def __call__(self, *_: Any) -> None:
        """Help, or a version."""
        raise Early


class _Either(argparse.Action):
    """`--name` and `--no-name`."""

    negative: Sequence[str] = ()

    def __call__(self, _parser: Any, namespace: argparse.Namespace, _values: Any, flag: str | None = None) -> None:
        setattr(namespace, self.dest, flag not in self.negative)


class _Unknown(argparse.Action):
    """A flag for an action of the script's own, of which nothing else is known."""

    reading: ReadArguments

    def __call__(self, *_: Any) -> None:
        self.reading.unsure = True


class _LeftOut(argparse.Action):
    """An option with an action of the script's own, which also decides what it is without a value."""

    reading: ReadArguments

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _flag: str | None = None) -> None:
        self.reading.unsure |= values is None
        setattr(namespace, self.dest, values)


def read_with_argparse(declaration: DeclaredParser, args: Sequence[str]) -> ReadArguments:
    """Read `args` with a parser that is built from the declaration."""
    reading = ReadArguments()
    if declaration["files"] and any(arg[:1] in declaration["files"] for arg in args if arg):
        # The rest stands in a file, and how it is read is up to the script.
        reading.unsure = reading.from_file = True
        return reading
    parser = _Parser(add_help=False, **_settings(declaration))
    _fill(parser, declaration, reading)
    parse = parser.parse_known_intermixed_args if declaration["intermixed"] else parser.parse_known_args
    try:
        namespace, extras = parse(list(args))
        if extras and not declaration["lenient"]:
            raise RefusedArguments("unrecognized arguments: " + " ".join(extras))
        reading.values = _given(declaration, vars(namespace))
        reading.extras = extras
    except Early:
        reading.early = True
    except (RefusedArguments, argparse.ArgumentError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reading.refusal = str(error)
    return reading


def _settings(record: DeclaredParser) -> dict[str, Any]:
    return {"prefix_chars": record["prefixes"], "allow_abbrev": record["abbreviations"]}


def _fill(parser: argparse.ArgumentParser, record: DeclaredParser, reading: ReadArguments) -> None:
    commands = record["commands"]
    groups = [(set(one["places"]), parser.add_mutually_exclusive_group(required=one["required"]))
              for one in record["exclusive"]]  # fmt: skip
    for place, option in enumerate(record["options"]):
        if commands and commands["place"] == place:
            _add_commands(parser, commands, reading)
        owner = next((group for places, group in groups if place in places), parser)
        owner.add_argument(*(option["flags"] or [option["key"]]), **_described(option, reading))
    if commands and commands["place"] >= len(record["options"]):
        _add_commands(parser, commands, reading)


def _add_commands(parser: argparse.ArgumentParser, commands: DeclaredCommands, reading: ReadArguments) -> None:
    action = parser.add_subparsers(dest=commands["key"], required=commands["required"], prog="", parser_class=_Parser)
    for item in commands["items"]:
        below = action.add_parser(item["name"], aliases=item["aliases"], add_help=False, **_settings(item))
        _fill(below, item, reading)


def _described(option: DeclaredOption, reading: ReadArguments) -> dict[str, Any]:
    """The keywords of `add_argument` for an option."""
    action: Any = option["action"]
    described: dict[str, Any] = {"default": None if action in GATHERED else UNSET}
    if option["flags"]:
        described.update(dest=option["key"], required=option["required"])
    if action in ("store", "append", "extend"):
        if option["custom"] and option["nargs"] == "?":
            action = type("_LeftOutOf", (_LeftOut,), {"reading": reading})
        return {**described, "action": action, **_valued(option, reading)}
    if action in ("const", "append_const"):
        return {**described, "action": {"const": "store_const"}.get(action, action), "const": option["const"]}
    if action == "boolean_optional":
        # A new class for each, with its own negative flags: argparse makes the instance.
        return {**described, "action": type("_EitherOf", (_Either,), {"negative": option["negative"]}), "nargs": 0}
    if action == "custom_flag":
        return {**described, "action": type("_UnknownOf", (_Unknown,), {"reading": reading}), "nargs": 0}
    if action == "exit":
        return {"default": UNSET, "dest": option["key"], "action": _Exit, "nargs": 0}
    return {**described, "action": action}


def _valued(option: DeclaredOption, reading: ReadArguments) -> dict[str, Any]:
    described: dict[str, Any] = {"nargs": option["nargs"], "type": _bounded(option, reading)}
    if option["nargs"] == "?":
        described["const"] = option["const"]
    if option.get("choices") and not option["custom"]:
        described["choices"] = [choice["value"] for choice in option["choices"]]
    if isinstance(option["metavar"], str):
        described["metavar"] = option["metavar"]
    return described


def _bounded(option: DeclaredOption, reading: ReadArguments) -> Any:
    convert = converter(option, reading)

    def convert_within(text: str) -> Any:
        value = convert(text)
        wrong = out_of_bounds(option, value)
        if wrong:
            raise argparse.ArgumentTypeError(f"{value} is not {wrong}")
        return value

    convert_within.__name__ = convert.__name__
    return convert_within


def _given(declaration: DeclaredParser, values: dict[str, Any]) -> dict[str, Any]:
    """The values that were given; lists and counts go on from the defaults that they have."""
    found = {key: value for key, value in values.items() if value is not UNSET and value is not None}
    for level in levels(declaration):
        for option in level.record["options"]:
            key, default = option["key"], option["default"]
            if option["action"] in GATHERED and key in found and default:
                found[key] = default + found[key] if type(default) is type(found[key]) else found[key]
        commands = level.record["commands"]
        if commands and commands["key"] in found:
            found[commands["key"]] = _canonical(commands, found[commands["key"]])
    return found


def _canonical(commands: DeclaredCommands, name: str) -> str:
    return next(str(item["name"]) for item in commands["items"] if name in (item["name"], *item["aliases"]))
