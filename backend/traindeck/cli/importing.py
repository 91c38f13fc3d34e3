"""`traindeck import`: runs of folders of event files that are there already."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traindeck.cli.client import call, connect
from traindeck.cli.options import AsJson, Url
from traindeck.cli.terminal import complain, note, say, write_json
from traindeck.counting import counted

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 300.0
"""A copy of a large folder takes long."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_folder)


def import_folder(
    folder: Annotated[Path, typer.Argument(help="A folder of event files, or one above such folders.")],
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the files to the deck; else they are read in place.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="What to call the run, or to put before the names of several.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="A tag for every run; may be repeated.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Make a completed run of each folder of event files; importing again takes in what is new."""
    body: dict[str, Any] = {"path": str(folder.resolve()), "copy": copy, "tags": tag or []}
    if name is not None:
        body["name"] = name
    with connect(url) as client:
        answer, created, refreshed = _all(client, body)
    if as_json:
        write_json(answer.content)
        return
    view = answer.json()
    for problem in view["problems"]:
        complain(problem)
    if not view["complete"]:
        complain("there is more than one import takes: import the folders below one by one")
    counts = {"new": created, "with new data": refreshed, "as before": len(view["runs"]) - created - refreshed}
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    say(f"{counted(len(view['runs']), 'run')} of {folder}: {said or 'nothing'}")


def _all(client: "httpx.Client", body: dict[str, Any]) -> tuple["httpx.Response", int, int]:
    """The deck's last answer, once it has read every folder; and how many runs were made, and how many refreshed."""
    created = refreshed = 0
    while True:
        answer = call(client, "POST", "/imports", body=body, timeout=TIMEOUT_SECONDS)
        view = answer.json()
        created, refreshed = created + view["created"], refreshed + view["refreshed"]
        if not view["left"]:
            return answer, created, refreshed
        note(f"{counted(len(view['runs']), 'run')} read, {view['left']} to go")
