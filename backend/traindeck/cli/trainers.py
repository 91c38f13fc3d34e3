"""`traindeck trainers`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from traindeck.cli.arguments import AsJson, Url
from traindeck.cli.deck_client import call, connect
from traindeck.cli.named_program import find_trainer
from traindeck.cli.parameter_options import is_flag, types_of
from traindeck.cli.terminal import Column, escape_controls, print_answer, print_note, print_table, write_json

TRAINER_COLUMNS = (Column("name"), Column("title", 1), Column("description", 2, least=24, wraps=True))
PARAMETER_COLUMNS = (
    Column("option"),
    Column("default"),
    Column("allowed", 2, least=16, wraps=True),
    Column("what it is", 1, least=20, wraps=True),
)
BOUNDS = (
    ("exclusiveMinimum", "above {}"),
    ("minimum", "from {}"),
    ("maximum", "to {}"),
    ("exclusiveMaximum", "below {}"),
)


def trainers(
    name: Annotated[str | None, typer.Argument(help="List the parameters of this one.", show_default=False)] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List the installed trainers, or the parameters of one."""
    with connect(url) as client:
        if name is None:
            _list_trainers(call(client, "GET", "/trainers").content, as_json=as_json)
        elif as_json:
            write_json(json.dumps(find_trainer(client, name), ensure_ascii=False).encode())
        else:
            _show_trainer(find_trainer(client, name))


def _list_trainers(content: bytes, *, as_json: bool) -> None:
    if as_json:
        write_json(content)
        return
    answer = json.loads(content)
    rows = [[one["name"], one["title"], one["description"]] for one in answer["items"]]
    print_table(TRAINER_COLUMNS, rows)
    for one in answer["broken"]:
        print_note(escape_controls(f"broken: {one['name']} of {one['package']}: {one['reason']}"))


def _show_trainer(trainer: Any) -> None:
    print_answer(escape_controls(f"{trainer['name']}: {trainer['title']}"))
    print_answer(escape_controls(trainer["description"]) + "\n")
    print_table(PARAMETER_COLUMNS, parameter_rows(trainer["params_schema"]))


def parameter_rows(schema: Mapping[str, Any]) -> list[list[str]]:
    """Return option, default, allowed values and description of each parameter, in the order of the schema."""
    rows = []
    for name, one in schema.get("properties", {}).items():
        option = f"--{name.replace('_', '-')}"
        required = name in schema.get("required", [])
        default = "required" if required else json.dumps(one.get("default"), ensure_ascii=False)
        rows.append([option, default, allowed_values(one, schema), one.get("description", one.get("title", ""))])
    return rows


def allowed_values(one: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the values that a parameter may have: its choices, or its types with bounds and unit."""
    if "enum" in one:
        return ", ".join(str(choice) for choice in one["enum"])
    if is_flag(one, schema):
        return "on or off (--no-…)"
    bounds = [template.format(one[key]) for key, template in BOUNDS if key in one]
    types = " or ".join(dict.fromkeys(types_of(one, schema)))
    unit = f" ({one['unit']})" if "unit" in one else ""
    return " ".join([types + unit, *bounds])
