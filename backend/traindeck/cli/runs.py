"""`traindeck runs`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from traindeck.cli.arguments import AsJson, Url
from traindeck.cli.deck_client import call, connect, get_directions, read_answer
from traindeck.cli.glance import glance
from traindeck.cli.terminal import Cell, Column, print_note, print_table, write_json
from traindeck.wording import counted

if TYPE_CHECKING:
    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

COLUMNS = (
    Column("#", right=True),
    Column("name", least=12),
    Column("status"),
    Column("program", 4, least=12),
    Column("progress", 3, least=12),
    Column("time", 1, right=True),
    Column("metric", 2, least=16),
    Column("tags", 5, least=8),
    Column("note", 6, least=12),
)


def runs(
    q: Annotated[str | None, typer.Option("--filter", "-q", help="Such as 'mnist params.epochs>=3 tag:good'.")] = None,
    sort: Annotated[
        str | None, typer.Option(help="A field, params.NAME or metrics.TAG; a - in front reverses the order.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="The most runs to list. Default: 50.")] = None,
    status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Continue a listing: next_cursor of its JSON.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List runs, newest first."""
    from traindeck.runs.view import RunPage

    given = {"q": q, "sort": sort, "limit": limit, "status": status, "cursor": cursor}
    query = {name: value for name, value in given.items() if value is not None}
    with connect(url) as client:
        content = call(client, "GET", "/runs", params=query).content
        if as_json:
            write_json(content)
            return
        said = get_directions(client)
    page = read_answer(RunPage, content)
    print_table(COLUMNS, [_row(run, said) for run in page.items])
    if page.next_cursor:
        print_note(f"{len(page.items)} of {counted(page.total, 'run')}. --limit lists more, --filter selects some.")


def _row(run: "RunView", said: "Mapping[str, Better]") -> list[Cell | str]:
    seen = glance(run, datetime.now(UTC), said)
    status = Cell(seen.status, seen.style)
    tags = ", ".join(run.tags)
    return [str(run.id), run.name, status, seen.program, seen.progress, seen.duration, seen.metric, tags, seen.note]
