"""A run as it changes, told by the deck's event stream; never asked for again and again."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from traindeck.cli.client import check, connect, get_run, read_run, unreachable
from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.patience import Patience
from traindeck.cli.stream import ServerEvent, read_events

if TYPE_CHECKING:
    import httpx

    from traindeck.runs.view import RunView

SILENCE_SECONDS = 45.0
"""The deck sends something every 15 seconds: after so long without, it is gone."""


def watch_run(url: str | None, run_id: int) -> Iterator["RunView"]:
    """The run as it is now, and after each change; on and on, until the caller has seen enough.

    While the deck is away, or restarts, this waits for it to come back.

    Raises:
        CommandFailed: at first, as for any request; later, where the deck stays away, or the run is deleted.
    """
    with connect(url) as client:
        yield get_run(client, run_id)
    patience = Patience()
    while True:
        try:
            # A new client each time: the deck may be back at another address, which its note then names.
            with connect(url) as client:
                for run in _changes(client, run_id):
                    patience.met()
                    yield run
        except CommandFailed as error:
            patience.wait(error)


def _changes(client: "httpx.Client", run_id: int) -> Iterator["RunView"]:
    import httpx

    timeout = httpx.Timeout(10.0, read=SILENCE_SECONDS)
    try:
        with client.stream("GET", "/events", params={"run": run_id}, timeout=timeout) as response:
            if not response.is_success:
                response.read()
                check(response)
            for event in read_events(response.iter_bytes()):
                yield from _told(client, run_id, event)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    raise CommandFailed("the deck has ended its event stream", Exit.UNREACHABLE)


def _told(client: "httpx.Client", run_id: int, event: ServerEvent) -> Iterator["RunView"]:
    if event.name == "open":
        # What changed before the stream was open, nobody tells: ask once.
        yield get_run(client, run_id)
    elif event.name == "run":
        run = read_run(event.data)
        if run.id == run_id:
            yield run
    elif event.name == "deleted" and json.loads(event.data).get("id") == run_id:
        raise CommandFailed(f"run {run_id} has been deleted", Exit.NOT_FOUND)


def watch_until_final(url: str | None, run_id: int) -> Iterator["RunView"]:
    """As `watch_run`, up to the first final status, which comes last."""
    for run in watch_run(url, run_id):
        yield run
        if run.status.is_final:
            return
