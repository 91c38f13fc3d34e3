"""Derive the fields of a form from the JSON Schema of a trainer's parameters or of a script's options."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from traindeck.pages.numbers import show_exact, show_setting
from traindeck.wording import counted

Schema = dict[str, Any]

NUMERIC = {"integer": "1", "number": "any"}
"""Types with a number input, each with the `step` that the browser enforces."""

OF_OPTIONS = {"number": "real", "array": "list"}
"""Types that have another input if they are options of a command line."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a choice: as JSON, in which it is sent, and as text."""

    json: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form; `value` and `default` are texts.

    Attributes:
        kind: integer, number, boolean, choice, text or json; for an option of a script also real (a number that may be
            inf or nan) or list (values as a shell splits them, `least` to `most` of them).
        default_json: The parameter's value if the field stays unchanged; "" if a value is required. For a repeated run
            it is the run's value.
        least, most: Bounds that a value may reach, but not with `open_least` or `open_most`.
        item: JSON, the schema of a list's values.
        flag: JSON, how the option is written on a command line.
        when: JSON, the values of other options with which this one exists.
        exclusive: JSON, the groups of options of which at most one may be given.
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
        """Return an id that is unique on a page with a trainer's form and a script's form."""
        return f"option-{self.name}" if self.flag else f"param-{self.name}"

    @property
    def help_before_hint(self) -> str:
        """Return the help text as a complete sentence."""
        ended = self.help == "" or self.help[-1] in ".!?:;…"
        return self.help if ended else f"{self.help}."

    @property
    def own_id(self) -> str:
        """Return the suffix of the ids of the field's help and error."""
        return f"option-{self.name}" if self.flag else self.name


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading. Advanced fields are folded."""

    title: str
    fields: list[Field]
    advanced: list[Field]


def field_groups(schema: Schema, values: Schema, *, repeated: bool = False) -> list[Group]:
    """Return the groups of a schema in the order in which they first occur, required fields first.

    `values` override the defaults. With `repeated`, they are those of a run to repeat.
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
    """Return the schema with references resolved, and `anyOf [X, null]` as a nullable X."""
    plain = dict(declared)
    for key in ("anyOf", "allOf"):
        parts = plain.pop(key, [])
        kept = [part for part in parts if part.get("type") != "null"]
        if key == "anyOf" and "anyOf" in declared:
            plain["nullable"] = len(kept) < len(parts)
        if "x-flag" in declared:
            # A default of another type than the option's adds no type to the field.
            kept = [part for part in kept if part != {"const": declared.get("default")}]
        if len(kept) == 1:
            plain = {**_plain(kept[0], root), **plain}
        elif kept:
            # A union has no single input: its value is written as JSON.
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
        hint=", ".join(filter(None, (bounds.hint, _exclusions(name, exclusive)))),
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
    """Return the schema of a list's values; a tuple has one for each place."""
    return {**schema.get("items", {}), **{name: schema[name] for name in ("prefixItems",) if name in schema}}


def _as_typed(default: Any, kind: str, schema: Schema) -> Any:
    """Return a default as the unchanged field sends it: as text where the field holds text."""
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
    """Return whether a boolean parameter may also be neither true nor false."""
    return bool(schema.get("nullable")) or not isinstance(schema.get("default", False), bool)


def _exclusions(name: str, exclusive: list[Schema]) -> str:
    hints = []
    for group in exclusive:
        others = " or ".join(other for other in group["names"] if other != name)
        hints.append(f"{'this or' if group['required'] else 'not together with'} {others}")
    return ", ".join(hints)


def _options(schema: Schema, value: object) -> list[Option]:
    allowed = [schema["const"]] if "const" in schema else list(schema.get("enum", []))
    if schema.get("type") == "boolean" and _has_third(schema):
        allowed = [True, False]
    if "default" in schema and allowed and schema["default"] not in (*allowed, None):
        # argparse does not check a default against the choices.
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


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a number or of a list's length, as texts ("" for none), and a hint that describes them."""

    least: str
    most: str
    open_least: bool
    open_most: bool
    hint: str

    @classmethod
    def of(cls, schema: Schema, kind: str) -> "Bounds":
        """Return the bounds in a schema for a field of this `kind`."""
        if kind == "list":
            least, most = schema.get("minItems"), schema.get("maxItems")
            return cls(_shown(least), _shown(most), False, False, _list_hint(schema, least, most))
        least, most = schema.get("minimum"), schema.get("maximum")
        open_least, open_most = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        return cls(
            least=_shown(least if least is not None else open_least),
            most=_shown(most if most is not None else open_most),
            open_least=least is None and open_least is not None,
            open_most=most is None and open_most is not None,
            hint=_hint(least, open_least, most, open_most),
        )


def _list_hint(schema: Schema, least: int | None, most: int | None) -> str:
    allowed = schema.get("items", {}).get("enum")
    of = f" of {', '.join(map(str, allowed))}" if allowed else ""
    if least is not None and least == most:
        return f"{counted(least, 'value')}{of}"
    return f"values{of}, separated by spaces"


def _hint(least: float | None, open_least: float | None, most: float | None, open_most: float | None) -> str:
    low = _bound(least, "") or _bound(open_least, "above ")
    high = _bound(most, "") or _bound(open_most, "below ")
    if least is not None and most is not None:
        return f"{low} to {high}"
    hints = [low if least is None else f"at least {low}", high if most is None else f"at most {high}"]
    return ", ".join(each for each, bound in zip(hints, (low, high), strict=True) if bound)


def _bound(value: float | None, word: str) -> str:
    return "" if value is None else f"{word}{show_exact(value) if isinstance(value, float) else f'{value:,}'}"


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return show_exact(value) if isinstance(value, float) else str(value)
