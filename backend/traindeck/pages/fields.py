"""The fields of a form, from the JSON Schema of a trainer's parameters."""

import json
from dataclasses import dataclass
from typing import Any

from traindeck.pages.numbers import show_exact, show_setting

Schema = dict[str, Any]

NUMERIC = {"integer": "1", "number": "any"}
"""The types that a number input takes, with the `step` that the browser shall hold them to."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice: as JSON, which is how it is sent, and as text."""

    json: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `kind` is integer, number, boolean, choice, text or json; `value` and `default` are texts.

    `default_json` is what the parameter is when nobody touches the field, or "" where it must be given.
    `least` and `most` are bounds that a value may reach; with `open_least` or `open_most` it may not.
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


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading; those marked advanced are folded away until asked for."""

    title: str
    fields: list[Field]
    advanced: list[Field]


def groups(schema: Schema, values: Schema) -> list[Group]:
    """The groups of a schema in the order in which they first occur; `values` go before the defaults."""
    made: dict[str, list[Field]] = {}
    for name, declared in schema.get("properties", {}).items():
        field = _field(name, _plain(declared, schema), values, name in schema.get("required", []))
        made.setdefault(field.group, []).append(field)
    return [
        Group(title, [f for f in fields if not f.advanced], [f for f in fields if f.advanced])
        for title, fields in made.items()
    ]


def _plain(declared: Schema, root: Schema) -> Schema:
    """The schema with references followed and `anyOf [X, null]` read as X that may be null."""
    plain = dict(declared)
    for key in ("anyOf", "allOf"):
        kept = [part for part in plain.pop(key, []) if part.get("type") != "null"]
        if key == "anyOf" and "anyOf" in declared:
            plain["nullable"] = len(kept) < len(declared["anyOf"])
        if len(kept) == 1:
            plain = {**_plain(kept[0], root), **plain}
        elif kept:
            # A union has no single input of its own: it is typed as JSON.
            plain["type"] = "any"
    if "$ref" in plain:
        target = root.get("$defs", {}).get(plain.pop("$ref").rsplit("/", 1)[-1], {})
        plain = {**_plain(target, root), **plain}
    return plain


def _field(name: str, schema: Schema, values: Schema, required: bool) -> Field:
    kind = _kind(schema)
    default = schema.get("default")
    value = values.get(name, default)
    least, most = schema.get("minimum"), schema.get("maximum")
    open_least, open_most = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return Field(
        name=name,
        label=schema.get("title") or name,
        kind=kind,
        help=schema.get("description", ""),
        unit=schema.get("unit", ""),
        group=schema.get("group", "Parameters"),
        advanced=bool(schema.get("advanced", False)),
        required=required,
        nullable=bool(schema.get("nullable", False)),
        value=_text(value, kind),
        default=_text(default, kind),
        default_shown=show_setting(default),
        default_json="" if required else json.dumps(default),
        least=_text(least if least is not None else open_least, kind),
        most=_text(most if most is not None else open_most, kind),
        open_least=least is None and open_least is not None,
        open_most=most is None and open_most is not None,
        hint=_hint(least, open_least, most, open_most),
        step=NUMERIC.get(kind, ""),
        options=_options(schema, value),
    )


def _kind(schema: Schema) -> str:
    if "enum" in schema or "const" in schema:
        return "choice"
    kinds = {"integer": "integer", "number": "number", "boolean": "boolean", "string": "text"}
    return kinds.get(str(schema.get("type")), "json")


def _options(schema: Schema, value: object) -> list[Option]:
    allowed = [schema["const"]] if "const" in schema else list(schema.get("enum", []))
    if allowed and schema.get("nullable") and None not in allowed:
        allowed.insert(0, None)
    return [Option(json.dumps(each), show_setting(each), each == value) for each in allowed]


def _text(value: object, kind: str) -> str:
    if value is None:
        return ""
    if kind == "json":
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return show_exact(value) if isinstance(value, float) else str(value)


def _hint(least: float | None, open_least: float | None, most: float | None, open_most: float | None) -> str:
    low = _bound(least, "") or _bound(open_least, "above ")
    high = _bound(most, "") or _bound(open_most, "below ")
    if least is not None and most is not None:
        return f"{low} to {high}"
    told = [low if least is None else f"at least {low}", high if most is None else f"at most {high}"]
    return ", ".join(each for each, bound in zip(told, (low, high), strict=True) if bound)


def _bound(value: float | None, word: str) -> str:
    return "" if value is None else f"{word}{show_exact(value) if isinstance(value, float) else f'{value:,}'}"
