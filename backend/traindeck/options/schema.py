"""The JSON Schema of a script's options: the same kind as a trainer's, with what a command line needs beside it.

Each property has `x-flag` (flags, action, nargs, const, positional, required, custom, negative flags); those of a
sub-command also `x-when`. The whole has `x-parser`, `x-lenient` (unknown arguments are passed over), `x-exclusive`
(groups of which one may be given), `x-custom` (names that only the script itself can check) and `x-declared`.
"""

from __future__ import annotations

from typing import Any

from traindeck.options.declaration import (
    DeclaredCommands,
    DeclaredOption,
    DeclaredParser,
    Level,
    TakenValue,
    levels,
    options_by_key,
    with_keys,
)
from traindeck.options.validity import as_declared, takes

Schema = dict[str, Any]

TYPES = {"int": "integer", "float": "number", "bool": "boolean"}
SWITCHES = frozenset({"store_true", "store_false", "boolean_optional"})
LISTS = frozenset({"append", "extend", "append_const"})
BOUNDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
}
TYPE_KEYWORDS = ("type", "format", "items", "prefixItems", "minItems", "maxItems", *BOUNDS.values())
COUNT_MOST = 100
"""How often an option that is counted can be given through a form."""


def make_schema(parser: str, declaration: DeclaredParser) -> Schema:
    """The schema for a declaration that `parser` (argparse, click or typer) was found with."""
    declared = with_keys(declaration)
    schema: Schema = {
        "type": "object",
        "description": declared["description"],
        "properties": {},
        "required": [],
        "additionalProperties": False,
        "x-parser": parser,
        "x-lenient": bool(declared["lenient"]),
        "x-exclusive": [],
        "x-custom": [],
        "x-declared": declared,
    }
    for level in levels(declared):
        _add_level(schema, level)
    return schema


def _add_level(schema: Schema, level: Level) -> None:
    commands = level.record["commands"]
    if commands:
        _add(schema, level, commands["key"], _command_property(commands), required=commands["required"])
    for key, options in options_by_key(level.record).items():
        shown = [option for option in options if not option["hidden"]]
        if not shown or key in schema["properties"]:
            continue
        _add(schema, level, key, _property(shown, level), required=any(one["required"] for one in shown))
        if any(option["custom"] for option in options):
            schema["x-custom"].append(key)
    for group in level.record["exclusive"]:
        names = [level.record["options"][place]["key"] for place in group["places"]]
        there = [name for name in dict.fromkeys(names) if name in schema["properties"]]
        if len(there) > 1 or (there and group["required"]):
            schema["x-exclusive"].append({"names": there, "required": group["required"]})


def _add(schema: Schema, level: Level, key: str, described: Schema, *, required: bool) -> None:
    when = level.when()
    if when:
        described["x-when"] = when
        described.setdefault("group", " ".join(level.path))
    if required:
        described.pop("default", None)
        described["x-flag"]["required"] = True
        if not when:
            schema["required"].append(key)
    schema["properties"][key] = described


def _command_property(commands: DeclaredCommands) -> Schema:
    visible = [item for item in commands["items"] if not item.get("hidden")]
    helps = [f"{item['name']}: {item['help']}" for item in visible if item["help"]]
    names = [item["name"] for item in visible]
    return {
        "title": commands["title"] or commands["key"],
        "description": commands["help"] or "; ".join(helps),
        **_nullable({"enum": names, "type": "string"}, nullable=not commands["required"]),
        "default": None,
        "x-flag": {"flags": [], "action": "command", "nargs": None, "positional": True, "required": False},
    }


def _property(options: list[DeclaredOption], level: Level) -> Schema:
    first = options[0]
    default = first["default"]
    described: Schema = {"title": _title(first), "description": first["help"]}
    nullable = default is None and not first["required"]
    described.update(_nullable(_type_of(options), nullable=nullable))
    described["default"] = default
    _admit_default(described)
    if first["group"]:
        described["group"] = first["group"]
    described["x-flag"] = {
        "flags": first["flags"],
        "negative": _negative(options),
        "action": first["action"],
        "nargs": first["nargs"],
        "const": first["const"],
        "positional": not first["flags"],
        "required": False,
        "custom": bool(first["custom"]),
        "metavar": first["metavar"],
        "ignore_case": bool(first.get("ignore_case")),
    }
    if level.record.get("unsure"):
        described["x-flag"]["custom"] = True
    return described


def _title(option: DeclaredOption) -> str:
    """What a field is called: as on the command line, without the dashes."""
    positive = [flag for flag in option["flags"] if flag not in option["negative"]]
    long = "" if option["action"] == "store_false" else max(positive, key=len, default="")
    metavar = option["metavar"] if isinstance(option["metavar"], str) else ""
    return long.lstrip("-+/") or metavar or str(option["name"])


def _negative(options: list[DeclaredOption]) -> str | None:
    found = [flag for option in options for flag in option["negative"]]
    found += [flag for option in options if option["action"] == "store_false" for flag in option["flags"]]
    return next(iter(sorted(found, key=len, reverse=True)), None)


def _nullable(described: Schema, *, nullable: bool) -> Schema:
    return {"anyOf": [described, {"type": "null"}]} if nullable else described


def _admit_default(described: Schema) -> None:
    """Make the type take the default, too: no parser checks that one."""
    default = described["default"]
    if default is None or takes(described, as_declared(described, default)):
        return
    if "enum" in described:
        described["enum"] = [*described["enum"], default]
        return
    kind = {name: described.pop(name) for name in TYPE_KEYWORDS if name in described}
    described["anyOf"] = [kind, {"const": default}]


def _type_of(options: list[DeclaredOption]) -> Schema:
    first = options[0]
    action = first["action"]
    if action in SWITCHES:
        return {"type": "boolean"}
    if action == "count":
        least = first["default"] if isinstance(first["default"], int) else 0
        return {"type": "integer", "minimum": least, "maximum": least + COUNT_MOST}
    if action in ("const", "append_const"):
        consts = [one["const"] for one in options if one["action"] == action]
        if action == "append_const":
            return {"type": "array", "items": {"enum": consts}}
        return {"enum": [*consts, *([] if first["default"] in (*consts, None) else [first["default"]])]}
    return _value_type(first)


def _value_type(option: DeclaredOption) -> Schema:
    item = _item(option)
    nargs, action = option["nargs"], option["action"]
    if nargs not in (None, "?"):
        item = {"type": "array", "items": item}
        if "parts" in option:
            item["prefixItems"] = [_item(part) for part in option["parts"]]
        if isinstance(nargs, int):
            item.update(minItems=nargs, maxItems=nargs)
        if nargs == "+":
            item["minItems"] = 1
    if action == "append" or (action == "extend" and nargs in (None, "?")):
        return {"type": "array", "items": item}
    return item


def _item(option: TakenValue) -> Schema:
    if choices := option.get("choices"):
        return {"enum": [choice["value"] for choice in choices]}
    item: Schema = {"type": TYPES.get(option["kind"], "string")}
    if option["kind"] == "path":
        item["format"] = "path"
    item.update({name: limit for bound, name in BOUNDS.items() if (limit := option.get(bound)) is not None})
    return item
