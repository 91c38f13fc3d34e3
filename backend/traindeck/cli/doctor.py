"""`traindeck doctor`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import read_settings
from traindeck.cli.exits import Exit
from traindeck.cli.terminal import escape_controls, print_note, write_json
from traindeck.cli.text_table import Cell, Column, print_table

if TYPE_CHECKING:
    from traindeck.cli.checks.finding import Finding
    from traindeck.settings import Settings

COLUMNS = (Column("check"), Column(""), Column("found", least=30, wraps=True))
GOOD, WRONG = Cell("ok", "green"), Cell("WRONG", "bold red")


def doctor(
    home: Annotated[Path | None, typer.Option(help="The deck's folder.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, and nothing else.")] = False,
) -> None:
    """Check whether a deck can work here, and print what to do about each problem."""
    findings = list(run_checks(read_settings(home=home, port=port)))
    ok = all(finding.ok for finding in findings)
    if as_json:
        write_json(_as_json(findings, ok=ok))
    else:
        _print(findings)
    raise typer.Exit(Exit.OK if ok else Exit.FAILED)


def run_checks(settings: "Settings") -> Iterator["Finding"]:
    """Run every check, and yield its findings."""
    from traindeck.cli.checks.deck_home import check_database, check_home, check_port
    from traindeck.cli.checks.installed import check_frontend, check_npm, check_versions
    from traindeck.cli.checks.torch_gpus import check_gpus, check_import, probe_torch
    from traindeck.runs.files import DeckFiles

    yield from check_versions()
    report = probe_torch()
    yield check_import(report)
    yield from check_gpus(report)
    yield from check_home(settings.home)
    yield check_port(settings.host, settings.port, settings.home)
    yield check_database(DeckFiles(settings.home).database)
    yield check_frontend()
    yield check_npm()


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
