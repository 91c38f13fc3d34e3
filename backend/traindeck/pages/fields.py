"""The fields of a form, from the JSON Schema of a trainer's parameters or of a script's options."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from traindeck.pages.bounds import Bounds
from traindeck.pages.numbers import show_exact, show_setting

Schema = dict[str, Any]

NUMERIC = {"integer": "1", "number": "any"}
"""The types that a number input takes, with the `step` that the browser shall hold them to."""

OF_OPTIONS = {"number": "real", "array": "list"}
"""The types that have an input of their own where a command line takes them."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice: as JSON, which is how it is sent, and as text."""

    json: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One input; `value` and `default` are texts.

    `kind` is integer, number, boolean, choice, text or json; of a script's option also real (a number, which may be
    inf or nan) and list (values as a shell would split them, `least` to `most` of them).
    `default_json` is what the parameter is when nobody touches the field, or "" where it must be given. Where a run
    is repeated, the default is what it had. `least` and `most` are bounds that a value may reach; with `open_least`
    or `open_most` it may not. `item`, `flag`, `when` and `exclusive` are JSON: the schema of a list's values, how the
    option is given on a command line, with which values of others it is there, and the groups of which one may be.
    """

    name: str
    label: str
    kind: str
    help: str
    unit: str
    group: str
    advanced: bool
    required: bool
    nullable: bool
    value: str
    default: str
    default_shown: str
    default_json: str
    least: str
    most: str
    open_least: bool
    open_most: bool
    hint: str
    step: str
    options: list[Option]
    item: str
    flag: str
    when: str
    exclusive: str

    @property
    def input_id(self) -> str:
        """The trainer's form and the script's stand on one page, and may both have a parameter of this name."""
        return f"option-{self.name}" if self.flag else f"param-{self.name}"

    @property
    def help_before_hint(self) -> str:
        """The help as a sentence of its own."""
        ended = self.help == "" or self.help[-1] in ".!?:;…"
        return self.help if ended else f"{self.help}."

    @property
    def own_id(self) -> str:
        """What the ids of the input's help and error end in."""
        return f"option-{self.name}" if self.flag else self.name


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading; those marked advanced are folded away until asked for."""

    title: str
    fields: list[Field]
    advanced: list[Field]


def groups(schema: Schema, values: Schema, *, repeated: bool = False) -> list[Group]:
    """The groups of a schema in the order in which they first occur, what is required first in each.

    `values` go before the defaults. `repeated`: they are those of a run that is to be repeated.
    """
    made: dict[str, list[Field]] = {}
    for name, declared in schema.get("properties", {}).items():
        field = _field(name, declared, schema, values, repeated=repeated)
        made.setdefault(field.group, []).append(field)
    for fields in made.values():
        fields.sort(key=lambda field: not field.required)
    return [
        Group(title, [f for f in fields if not f.advanced], [f for f in fields if f.advanced])
        for title, fields in made.items()
    ]


def _plain(declared: Schema, root: Schema) -> Schema:
    """The schema with references followed and `anyOf [X, null]` read as X that may be null."""
    plain = dict(declared)
    for key in ("anyOf", "allOf"):
        parts = plain.pop(key, [])
        kept = [part for part in parts if part.get("type") != "null"]
        if key == "anyOf" and "anyOf" in declared:
            plain["nullable"] = len(kept) < len(parts)
        if "x-flag" in declared:
            # A default that is of no type which the option takes is still one value of the other's field.
            kept = [part for part in kept if part != {"const": declared.get("default")}]
        if len(kept) == 1:
            plain = {**_plain(kept[0], root), **plain}
        elif kept:
            # A union has no single input of its own: it is typed as JSON.
            plain["type"] = "any"
    if "$ref" in plain:
        target = root.get("$defs", {}).get(plain.pop("$ref").rsplit("/", 1)[-1], {})
        plain = {**_plain(target, root), **plain}
    return plain


def _field(name: str, declared: Schema, root: Schema, values: Schema, *, repeated: bool) -> Field:
    schema = _plain(declared, root)
    flag = schema.get("x-flag")
    required = name in root.get("required", []) or bool(flag and flag.get("required"))
    kind = _kind(schema)
    known = repeated and name in values
    default = values[name] if known else schema.get("default")
    value = values.get(name, default)
    bounds = Bounds.of(schema, kind)
    exclusive = [group for group in root.get("x-exclusive", []) if name in group["names"]]
    return Field(
        name=name,
        label=schema.get("title") or name,
        kind=kind,
        help=schema.get("description", ""),
        unit=schema.get("unit", ""),
        group=schema.get("group", "Options" if flag else "Parameters"),
        advanced=bool(schema.get("advanced", False)),
        required=required,
        nullable=bool(schema.get("nullable", False)),
        value=_text(value, kind),
        default=_text(default, kind),
        default_shown=show_setting(_text(default, kind) if kind == "list" and default is not None else default),
        default_json="" if required and not known else json.dumps(_as_typed(default, kind, schema)),
        least=bounds.least,
        most=bounds.most,
        open_least=bounds.open_least,
        open_most=bounds.open_most,
        hint=", ".join(filter(None, (bounds.hint, _rivals(name, exclusive)))),
        step=NUMERIC.get(kind, ""),
        options=_options(schema, value),
        item=json.dumps(_item(schema)) if kind == "list" else "",
        flag=json.dumps(flag) if flag else "",
        when=json.dumps(schema["x-when"]) if "x-when" in schema else "",
        exclusive=json.dumps(exclusive) if exclusive else "",
    )


def _kind(schema: Schema) -> str:
    if "enum" in schema or "const" in schema:
        return "choice"
    kind = str(schema.get("type"))
    if kind == "boolean" and _has_third(schema):
        return "choice"
    if "x-flag" in schema and kind in OF_OPTIONS:
        return OF_OPTIONS[kind]
    kinds = {"integer": "integer", "number": "number", "boolean": "boolean", "string": "text"}
    return kinds.get(kind, "json")


def _item(schema: Schema) -> Schema:
    """What the values of a list are; those of a tuple are of a kind each."""
    return {**schema.get("items", {}), **{name: schema[name] for name in ("prefixItems",) if name in schema}}


def _as_typed(default: Any, kind: str, schema: Schema) -> Any:
    """A default as the untouched field has it: text is text there, whatever the script has."""
    if default is None or kind not in ("text", "list"):
        return default
    if kind == "text":
        return _text(default, kind)
    values = default if isinstance(default, list) else [default]
    kinds = [*schema.get("prefixItems", []), *[schema.get("items", {})] * len(values)]
    return [
        _text(one, "text") if item.get("type") == "string" else one for one, item in zip(values, kinds, strict=False)
    ]


def _has_third(schema: Schema) -> bool:
    """Whether a parameter that is true or false may be neither."""
    return bool(schema.get("nullable")) or not isinstance(schema.get("default", False), bool)


def _rivals(name: str, exclusive: list[Schema]) -> str:
    told = []
    for group in exclusive:
        others = " or ".join(other for other in group["names"] if other != name)
        told.append(f"{'this or' if group['required'] else 'not together with'} {others}")
    return ", ".join(told)


def _options(schema: Schema, value: object) -> list[Option]:
    allowed = [schema["const"]] if "const" in schema else list(schema.get("enum", []))
    if schema.get("type") == "boolean" and _has_third(schema):
        allowed = [True, False]
    if "default" in schema and allowed and schema["default"] not in (*allowed, None):
        # Argparse never checks a default against the choices.
        allowed.insert(0, schema["default"])
    if allowed and schema.get("nullable") and None not in allowed:
        allowed.insert(0, None)
    return [Option(json.dumps(each), show_setting(each), each == value) for each in allowed]


def _text(value: object, kind: str) -> str:
    if value is None:
        return ""
    if kind == "list" and isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return shlex.join(_text(one, "text") for one in value)
    if kind == "list" and isinstance(value, str | int | float):
        return shlex.quote(_text(value, "text"))
    if kind in ("json", "list"):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return show_exact(value) if isinstance(value, float) else str(value)
