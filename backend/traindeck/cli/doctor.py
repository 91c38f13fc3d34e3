"""`traindeck doctor`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import read_settings
from traindeck.cli.exits import Exit
from traindeck.cli.terminal import Cell, Column, escape_controls, print_note, print_table, write_json

if TYPE_CHECKING:
    from traindeck.cli.checks import Finding

COLUMNS = (Column("check"), Column(""), Column("found", least=30, wraps=True))
GOOD, WRONG = Cell("ok", "green"), Cell("WRONG", "bold red")


def doctor(
    home: Annotated[Path | None, typer.Option(help="The deck's folder.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, and nothing else.")] = False,
) -> None:
    """Check whether a deck can work here, and print what to do about each problem."""
    from traindeck.cli.checks import run_checks

    findings = list(run_checks(read_settings(home=home, port=port)))
    ok = all(finding.ok for finding in findings)
    if as_json:
        write_json(_as_json(findings, ok=ok))
    else:
        _print(findings)
    raise typer.Exit(Exit.OK if ok else Exit.FAILED)


def _as_json(findings: list["Finding"], *, ok: bool) -> bytes:
    from dataclasses import asdict

    content = {"ok": ok, "checks": [asdict(finding) for finding in findings]}
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _print(findings: list["Finding"]) -> None:
    rows: list[list[Cell | str]] = [
        [finding.check, GOOD if finding.ok else WRONG, finding.found] for finding in findings
    ]
    print_table(COLUMNS, rows)
    for finding in findings:
        if not finding.ok:
            print_note(escape_controls(f"{finding.check}: {finding.found}. {finding.advice}"))
