"""A trainer's parameters as rows of a table."""

import json
from collections.abc import Mapping
from typing import Any

from traindeck.cli.values import is_flag, types_of

BOUNDS = (
    ("exclusiveMinimum", "above {}"),
    ("minimum", "from {}"),
    ("maximum", "to {}"),
    ("exclusiveMaximum", "below {}"),
)


def parameter_rows(schema: Mapping[str, Any]) -> list[list[str]]:
    """For each parameter: its option, its default, what it may be, and what it is, in the order of the schema."""
    rows = []
    for name, one in schema.get("properties", {}).items():
        option = f"--{name.replace('_', '-')}"
        required = name in schema.get("required", [])
        default = "required" if required else json.dumps(one.get("default"), ensure_ascii=False)
        rows.append([option, default, allowed(one, schema), one.get("description", one.get("title", ""))])
    return rows


def allowed(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a parameter may be: its choices, or its types with bounds and unit."""
    if "enum" in one:
        return ", ".join(str(choice) for choice in one["enum"])
    if is_flag(one, schema):
        return "on or off (--no-…)"
    bounds = [template.format(one[key]) for key, template in BOUNDS if key in one]
    types = " or ".join(dict.fromkeys(types_of(one, schema)))
    unit = f" ({one['unit']})" if "unit" in one else ""
    return " ".join([types + unit, *bounds])
