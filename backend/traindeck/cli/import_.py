"""`traindeck import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traindeck.cli.arguments import AsJson, Url
from traindeck.cli.deck_client import call, connect
from traindeck.cli.terminal import print_answer, print_failure, print_note, write_json
from traindeck.wording import counted

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 300.0
"""Copying a large folder takes long."""


def import_folder(
    folder: Annotated[Path, typer.Argument(help="A folder of event files, or a folder above such folders.")],
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the files to the deck. Default: read them in place.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="The run's name; of several runs, the prefix of their names.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="A tag for every run; may be repeated.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Make a completed run of each folder of event files. Import a folder again to add its new data."""
    body: dict[str, Any] = {"path": str(folder.resolve()), "copy": copy, "tags": tag or []}
    if name is not None:
        body["name"] = name
    with connect(url) as client:
        answer, created, refreshed = _import_all(client, body)
    if as_json:
        write_json(answer.content)
        return
    view = answer.json()
    for problem in view["problems"]:
        print_failure(problem)
    if not view["complete"]:
        print_failure("the folder has more runs than one import takes. Import the folders below it one by one")
    counts = {"new": created, "with new data": refreshed, "unchanged": len(view["runs"]) - created - refreshed}
    parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    print_answer(f"{counted(len(view['runs']), 'run')} of {folder}: {parts or 'nothing'}")


def _import_all(client: "httpx.Client", body: dict[str, Any]) -> tuple["httpx.Response", int, int]:
    """Repeat the request until every folder is read; return the last answer and the totals of created and refreshed."""
    created = refreshed = 0
    while True:
        answer = call(client, "POST", "/imports", body=body, timeout=TIMEOUT_SECONDS)
        view = answer.json()
        created, refreshed = created + view["created"], refreshed + view["refreshed"]
        if not view["left"]:
            return answer, created, refreshed
        print_note(f"{counted(len(view['runs']), 'run')} read, {view['left']} left")
