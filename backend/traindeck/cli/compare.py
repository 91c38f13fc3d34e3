"""`traindeck compare`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from traindeck.cli.arguments import AsJson, Numbers, Url
from traindeck.cli.deck_client import call, connect
from traindeck.cli.terminal import Cell, Column, console, escape_controls, print_answer, print_table, write_json
from traindeck.wording import plural

SECTIONS = (
    ("params", "parameters"),
    ("metrics", "metrics, last value"),
    ("script", "how it is started"),
    ("git", "git"),
    ("packages", "packages"),
    ("host", "machine"),
    ("environment", "environment"),
    ("resources", "resources"),
)
LEAST_CHARACTERS = 8


def compare(
    numbers: Numbers,
    everything: Annotated[bool, typer.Option("--all", help="Also show what is equal.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show the differences of two to eight runs: parameters, metrics, code, packages, machine."""
    with connect(url) as client:
        content = call(client, "GET", "/compare", params={"runs": ",".join(map(str, numbers))}).content
    if as_json:
        write_json(content)
        return
    comparison = json.loads(content)
    _print_runs(comparison["runs"])
    for key, title in SECTIONS:
        _print_section(title, comparison["runs"], comparison[key], everything=everything)
    for pair in comparison["code"]:
        _print_code(pair)


def _print_runs(runs: Sequence[Mapping[str, Any]]) -> None:
    rows: list[list[Cell | str]] = [
        [str(run["id"]), run["name"], run["status"], run["program"], _seconds(run["seconds"])] for run in runs
    ]
    columns = (
        Column("#", right=True),
        Column("name", least=12),
        Column("status"),
        Column("program", least=12),
        Column("time", right=True),
    )
    print_table(columns, rows)


def _print_section(title: str, runs: Sequence[Mapping[str, Any]], rows: Mapping[str, Any], *, everything: bool) -> None:
    listed = [row for row in rows["rows"] if everything or row["differs"]]
    if not listed:
        return
    print_answer("")
    values = [Column(f"#{run['id']}", least=LEAST_CHARACTERS) for run in runs]
    cells: list[list[Cell | str]] = []
    for row in listed:
        style = "bold" if row["differs"] else "dim"
        shown = [_cell(value, row.get("best")) for value in row["values"]]
        cells.append([Cell(row.get("name") or row.get("tag") or "", style), *shown])
    print_table((Column(title, least=12), *values), cells)
    if rows["more"]:
        print_answer(f"and {rows['more']} more")


def _cell(value: Any, best: float | None) -> Cell | str:
    won = best is not None and isinstance(value, dict) and value.get("last") == best
    return Cell(f"{_shown(value)} (best)", "bold green") if won else _shown(value)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict) and "last" in value:
        return "nan" if value["last"] is None else f"{value['last']:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _print_code(pair: Mapping[str, Any]) -> None:
    for file in pair["files"]:
        print_answer("")
        print_answer(escape_controls(f"code of #{pair['against']} → #{pair['run']}: {file['path']} {file['status']}"))
        for line, style in _styled(file["diff"] or ""):
            console().print(escape_controls(line), style=style, soft_wrap=True)
    if pair["more"]:
        print_answer(f"and {pair['more']:,} more {plural(pair['more'], 'file')}")


def _styled(diff: str) -> Iterator[tuple[str, str]]:
    for line in diff.split("\n")[: -1 if diff.endswith("\n") else None]:
        styles = {"+": "green", "-": "red", "@": "cyan"}
        yield line, styles.get(line[:1], "none")


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"
