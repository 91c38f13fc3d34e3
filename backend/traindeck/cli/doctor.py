"""`traindeck doctor`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.configuration import read_settings
from traindeck.cli.exits import Exit
from traindeck.cli.plain import plain
from traindeck.cli.tables import Cell, Column, print_table
from traindeck.cli.terminal import note, write_json

if TYPE_CHECKING:
    from traindeck.cli.checks.finding import Finding
    from traindeck.settings import Settings

COLUMNS = (Column("check"), Column(""), Column("found", least=30, wraps=True))
GOOD, WRONG = Cell("ok", "green"), Cell("WRONG", "bold red")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    home: Annotated[Path | None, typer.Option(help="The folder of the deck to look at.")] = None,
    port: Annotated[int | None, typer.Option(help="The port that it shall listen on.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, and nothing else.")] = False,
) -> None:
    """Look whether a deck can work here: each part is ok, or it is said what to do."""
    findings = list(examine(read_settings(home=home, port=port)))
    ok = all(finding.ok for finding in findings)
    if as_json:
        write_json(_as_json(findings, ok=ok))
    else:
        _print(findings)
    raise typer.Exit(Exit.OK if ok else Exit.FAILED)


def examine(settings: "Settings") -> Iterator["Finding"]:
    """Every check, one after the other."""
    from traindeck.cli.checks.database import check_database
    from traindeck.cli.checks.frontend import check_frontend
    from traindeck.cli.checks.gpus import check_gpus
    from traindeck.cli.checks.home import check_home
    from traindeck.cli.checks.npm import check_npm
    from traindeck.cli.checks.port import check_port
    from traindeck.cli.checks.torch import ask_torch, check_import
    from traindeck.cli.checks.versions import check_versions
    from traindeck.runs.files import DeckFiles

    yield from check_versions()
    report = ask_torch()
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
            note(plain(f"{finding.check}: {finding.found}. {finding.advice}"))
