"""`traindeck serve`."""

import gc
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from traindeck.cli.arguments import read_settings
from traindeck.cli.deck_client import call, connect
from traindeck.cli.exits import CommandFailed
from traindeck.cli.terminal import print_failure, print_note


def serve_command(
    home: Annotated[Path | None, typer.Option(help="The deck's folder: database, runs, data sets.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; loopback only.")] = None,
    port: Annotated[int | None, typer.Option(help="The port. Default: 8000; 0 takes a free one.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots for runs. Default: the number of cores.")] = None,
    gpus: Annotated[str | None, typer.Option(help="GPUs for runs by index, such as 0,1. Default: all.")] = None,
    grace_seconds: Annotated[float | None, typer.Option(help="Time from TERM to KILL when a run is stopped.")] = None,
    cold: Annotated[bool | None, typer.Option(help="Start every run in a fresh Python.")] = None,
    first_run: Annotated[str | None, typer.Option(help="A trainer to launch if the deck has no run yet.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve the deck (pages, API and queue) until Ctrl-C. Runs keep running when the server stops."""
    # Imported objects stay alive; collecting among them repeatedly would take a sixth of the start.
    gc.disable()
    from traindeck.server import configure_logging, serve

    settings = read_settings(
        home=home, host=host, port=port, cpus=cpus, gpus=gpus, grace_seconds=grace_seconds, cold=cold
    )
    configure_logging()

    def on_ready(url: str) -> None:
        if first_run:
            launch_first_run(url, first_run)
        if open_:
            webbrowser.open(url)

    # In a thread of its own, because this thread answers the requests that `on_ready` sends.
    serve(settings, on_ready=lambda url: threading.Thread(target=on_ready, args=(url,), daemon=True).start())


def launch_first_run(url: str, trainer: str) -> None:
    """Launch a run for a new user to watch, unless the deck has a run. Print a refusal instead of raising it."""
    try:
        with connect(url) as client:
            if call(client, "GET", "/runs", params={"limit": 1}).json()["total"] == 0:
                run = call(client, "POST", "/runs", body={"trainer": trainer}).json()
                print_note(f"  A first run has been launched: {url}{run['links']['self']}\n")
    except CommandFailed as error:
        print_failure(f"the first run could not be launched: {error}")
