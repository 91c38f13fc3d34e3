"""`traindeck runs`, `show` and `trainers`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traindeck.cli.client import call, connect, get_directions, read_run
from traindeck.cli.exits import CommandFailed
from traindeck.cli.fields import print_fields
from traindeck.cli.glance import glance
from traindeck.cli.options import AsJson, Number, Url
from traindeck.cli.plain import plain
from traindeck.cli.program import find_trainer
from traindeck.cli.tables import Cell, Column, print_table
from traindeck.cli.terminal import note, say, write_json
from traindeck.counting import counted

if TYPE_CHECKING:
    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunPage, RunView

RUN_COLUMNS = (
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
TRAINER_COLUMNS = (Column("name"), Column("title", 1), Column("description", 2, least=24, wraps=True))
PARAMETER_COLUMNS = (
    Column("option"),
    Column("default"),
    Column("allowed", 2, least=16, wraps=True),
    Column("what it is", 1, least=20, wraps=True),
)
GIT_FACTS = ("commit", "branch", "dirty")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("runs")(runs)
    app.command("show")(show)
    app.command("trainers")(trainers)


def runs(
    q: Annotated[str | None, typer.Option("--filter", "-q", help="Such as 'mnist params.epochs>=3 tag:good'.")] = None,
    sort: Annotated[
        str | None, typer.Option(help="A field, params.NAME or metrics.TAG; - in front turns it round.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many; 50 if not given.")] = None,
    status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Where to go on: next_cursor of the JSON before.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List runs, newest first."""
    given = {"q": q, "sort": sort, "limit": limit, "status": status, "cursor": cursor}
    asked = {name: value for name, value in given.items() if value is not None}
    with connect(url) as client:
        content = call(client, "GET", "/runs", params=asked).content
        if as_json:
            write_json(content)
            return
        said = get_directions(client)
    page = _page(content)
    print_table(RUN_COLUMNS, [_row(run, said) for run in page.items])
    if page.next_cursor:
        note(f"{len(page.items)} of {counted(page.total, 'run')}; --limit shows more, --filter picks some.")


def _page(content: bytes) -> "RunPage":
    from pydantic import ValidationError

    from traindeck.runs.view import RunPage

    try:
        return RunPage.model_validate_json(content)
    except ValidationError as error:
        raise CommandFailed("what answers there is no deck that this command knows") from error


def _row(run: "RunView", said: "Mapping[str, Better]") -> list[Cell | str]:
    seen = glance(run, datetime.now(UTC), said)
    status = Cell(seen.status, seen.style)
    tags = ", ".join(run.tags)
    return [str(run.id), run.name, status, seen.program, seen.progress, seen.duration, seen.metric, tags, seen.note]


def show(number: Number, as_json: AsJson = False, url: Url = None) -> None:
    """Show everything about one run."""
    with connect(url) as client:
        content = call(client, "GET", f"/runs/{number}").content
        if as_json:
            write_json(content)
            return
        record = call(client, "GET", f"/runs/{number}/record").json()
        metric = glance(read_run(content), datetime.now(UTC), get_directions(client)).metric
    git = record["git"] or {}
    told = {name: git[name] for name in GIT_FACTS if git.get(name) is not None}
    print_fields({**json.loads(content), "command": record["command"], "git": told, "key_metric": metric})


def trainers(
    name: Annotated[str | None, typer.Argument(help="One of them, with its parameters.", show_default=False)] = None,
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
        note(plain(f"broken: {one['name']} of {one['package']}: {one['reason']}"))


def _show_trainer(trainer: Any) -> None:
    from traindeck.cli.schema import parameter_rows

    say(plain(f"{trainer['name']}: {trainer['title']}"))
    say(plain(trainer["description"]) + "\n")
    print_table(PARAMETER_COLUMNS, parameter_rows(trainer["params_schema"]))
