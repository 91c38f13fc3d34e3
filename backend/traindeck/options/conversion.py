"""Convert parameters to arguments, and arguments to parameters.

Arguments that are made of parameters are parsed again before they are used. If they do not give the same parameters,
the parameters are refused, because a command line cannot express them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from traindeck.options.argparsing import read_with_argparse
from traindeck.options.clicking import read_with_click
from traindeck.options.declaration import DeclaredOption, DeclaredParser, chosen_levels, levels, options_by_key
from traindeck.options.reading import ReadArguments, converter, out_of_bounds, parts_of
from traindeck.options.schema import LISTS, SWITCHES, Schema
from traindeck.options.validity import alike

NOTHING: Mapping[str, Any] = MappingProxyType({})
LAYOUTS = ("options first", "options, a double dash, positionals", "positionals first")


class Inexpressible(ValueError):
    """No arguments express these parameters; `key` is the one that cannot be given, "" where none can be named."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def read_args(schema: Schema, args: Sequence[str]) -> ReadArguments:
    """Read `args` as the script would, as far as its declaration says."""
    read = read_with_argparse if schema["x-parser"] == "argparse" else read_with_click
    return read(schema["x-declared"], args)


def read_partly(schema: Schema, args: Sequence[str]) -> ReadArguments:
    """Read `args` as the script would if it required nothing."""
    declared = copy.deepcopy(schema["x-declared"])
    for level in levels(declared):
        _relax(level.record, argparse=schema["x-parser"] == "argparse")
    return read_args({**schema, "x-declared": declared}, args)


def completed(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """Every parameter with its value: as given, or its default. Those of commands not chosen are left out."""
    complete: dict[str, Any] = {}
    for level in chosen_levels(schema["x-declared"], values):
        commands = level.record["commands"]
        keys = [*([commands["key"]] if commands else []), *options_by_key(level.record)]
        for key in keys:
            if key in schema["properties"]:
                complete[key] = values.get(key, schema["properties"][key].get("default"))
    return complete


def args_of(schema: Schema, params: dict[str, Any], hidden: Mapping[str, Any] = NOTHING) -> list[str]:
    """The arguments that set `params`, with long flags; what was not given is left to the script.

    A value that is given is passed on though it is the default: that of the script may come from its environment, or
    from a file that another option names. So is one that the script would ask for. `hidden` are values of options that
    a form does not show.

    Raises:
        Inexpressible: a value cannot be given on the command line.
    """
    wanted = _as_read(schema, completed(schema, params))
    given = _apart(schema, params)
    differing = {name: value for name, value in given.items() if not is_default(schema, name, value)}
    unsaid: list[str] = []
    for said in ({**hidden, **given}, {**hidden, **differing}):
        for layout in LAYOUTS:
            args = _arranged(schema, {**values_to_answer(schema, said), **said}, layout)
            reading = read_args(schema, args)
            if reading.refusal is None and _same(completed(schema, reading.values), wanted):
                return args
            unsaid = unsaid or _differing(schema, reading, wanted)
    for key in unsaid:
        value = json.dumps(wanted[key], ensure_ascii=False)
        raise Inexpressible(key, f"{key} cannot be {value}: the script has no arguments for that")
    raise Inexpressible("", "these parameters together cannot be given on the script's command line")


def _as_read(schema: Schema, values: dict[str, Any]) -> dict[str, Any]:
    """The values, with the text that is given to a type of the script's own read as it will be from the arguments."""
    read = dict(values)
    for level in chosen_levels(schema["x-declared"], values):
        for option in level.record["options"]:
            text = values.get(option["key"])
            if not isinstance(text, str) or is_default(schema, option["key"], text):
                continue
            if option["custom"] and "kind" in option:
                # It stays text where its kind cannot read it: the script does, or refuses it.
                with suppress(ValueError):
                    read[option["key"]] = converter(option, ReadArguments())(text)
    return read


def _differing(schema: Schema, reading: ReadArguments, wanted: dict[str, Any]) -> list[str]:
    """Return the parameters that arguments do not express, where they are read at all."""
    found = completed(schema, reading.values)
    return [key for key in wanted if reading.refusal is None and not _same(found.get(key), wanted[key])]


def _apart(schema: Schema, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters without defaults that no parser would take beside another of their group."""
    rivals: set[str] = set()
    for group in schema["x-exclusive"]:
        names = [name for name in group["names"] if name in params]
        same = {name for name in names if is_default(schema, name, params[name])}
        rivals |= same if len(same) < len(names) else set()
    return {name: value for name, value in params.items() if name not in rivals}


def _same(one: Any, other: Any) -> bool:
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _arranged(schema: Schema, params: dict[str, Any], layout: str) -> list[str]:
    args: list[str] = []
    click = schema["x-parser"] != "argparse"
    for level in chosen_levels(schema["x-declared"], params):
        options, open_ended, positionals = [], [], []
        for key, records in options_by_key(level.record).items():
            if key not in params:
                continue
            tokens = list(_tokens(records, params[key], click=click))
            if not records[0]["flags"]:
                positionals += tokens
            elif records[0]["nargs"] in ("*", "+", "?"):
                open_ended += tokens
            else:
                options += tokens
        named = [*open_ended, *options]
        if layout == "positionals first":
            args += [*positionals, *named]
        else:
            dashes = ["--"] if positionals and "double dash" in layout else []
            args += [*named, *dashes, *positionals]
        commands = level.record["commands"]
        if commands and params.get(commands["key"]) is not None:
            args.append(params[commands["key"]])
    return args


def _tokens(options: list[DeclaredOption], value: Any, *, click: bool) -> Iterator[str]:
    """The arguments that give one parameter its value; none where that is a default which cannot be said."""
    first = options[0]
    default, action = first["default"], first["action"]
    if alike(value, default) and not can_be_said(options, value):
        if first.get("asks"):
            raise Inexpressible(
                first["key"], f"{first['key']} must be another: the script asks before it takes this one"
            )
        return
    if action in SWITCHES:
        yield _switch(options, value)
    elif action in ("const", "append_const"):
        for one in value[_start(first, value) :] if action == "append_const" else [value]:
            yield _flag(next((option for option in options if option["const"] == one), first))
    elif action == "count":
        yield from [_flag(first)] * (value - (0 if click else default or 0))
    elif action in LISTS:
        for one in value[0 if click else _start(first, value) :]:
            yield from _given(first, one, click=click)
    else:
        yield from _given(first, value, click=click)


def _start(option: DeclaredOption, value: list[Any]) -> int:
    """Return where the added part of a list begins: a list starts with its default."""
    default = option["default"] or []
    if value[: len(default)] != default:
        message = f"{option['key']} can only be added to: it begins with {json.dumps(default, ensure_ascii=False)}"
        raise Inexpressible(option["key"], message)
    return len(default)


def _switch(options: list[DeclaredOption], value: Any) -> str:
    for option in options:
        if option["action"] == "boolean_optional":
            positive = [flag for flag in option["flags"] if flag not in option["negative"]]
            flags = positive if value else option["negative"]
            if flags:
                return str(max(flags, key=len))
        elif option["action"] == ("store_true" if value else "store_false"):
            return _flag(option)
    word = "on" if value else "off"
    raise Inexpressible(
        options[0]["key"], f"{options[0]['key']} cannot be switched {word}: the script has no flag for it"
    )


def _given(option: DeclaredOption, value: Any, *, click: bool) -> Iterator[str]:
    """A flag with its value or values; the values alone for a positional."""
    nargs = option["nargs"]
    if nargs == "?" and option["flags"] and value == option["const"]:
        yield _flag(option)
        return
    texts = [text_of(option, one) for one in (value if isinstance(value, list) else [value])]
    if not option["flags"]:
        yield from texts
        return
    flag = _flag(option)
    dashed = len(texts) == 1 and not click and texts[0][:1] == "-"
    if dashed and nargs in (None, "?", 1) and not isinstance(value, list):
        yield f"{flag}={texts[0]}"
    else:
        yield from [flag, *texts]


def _flag(option: DeclaredOption) -> str:
    long = [flag for flag in option["flags"] if flag[:1] == flag[1:2]]
    return str((long or option["flags"])[0])


def _relax(record: DeclaredParser, *, argparse: bool) -> None:
    for option in record["options"]:
        option["required"] = False
        if argparse and not option["flags"] and option["nargs"] not in ("?", "*"):
            # There, a positional is required by how many values it takes.
            option["nargs"] = "?" if option["nargs"] is None else "*"
    for group in record["exclusive"]:
        group["required"] = False
    if record["commands"]:
        record["commands"]["required"] = False


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
