"""`traindeck serve`."""

import gc
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from traindeck.cli.client import call, connect
from traindeck.cli.configuration import read_settings
from traindeck.cli.exits import CommandFailed
from traindeck.cli.terminal import complain, note


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve_command)


def serve_command(
    home: Annotated[Path | None, typer.Option(help="The folder of the deck: database, runs, data sets.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; loopback only.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 8000 if not given, 0 takes a free one.")] = None,
    cpus: Annotated[int | None, typer.Option(help="CPU slots for runs; as many as cores if not given.")] = None,
    gpus: Annotated[str | None, typer.Option(help="GPUs for runs by index, such as 0,1; all if not given.")] = None,
    grace_seconds: Annotated[float | None, typer.Option(help="Between TERM and KILL when a run is stopped.")] = None,
    cold: Annotated[bool | None, typer.Option(help="Start every run in a fresh Python.")] = None,
    first_run: Annotated[str | None, typer.Option(help="A trainer to launch if the deck has no run yet.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve the deck: the pages, the API and the queue, until Ctrl-C. Runs go on without it."""
    # What is imported stays: looking through it for garbage again and again is a sixth of the start.
    gc.disable()
    from traindeck.logs import configure_logging
    from traindeck.serve import serve

    settings = read_settings(
        home=home, host=host, port=port, cpus=cpus, gpus=gpus, grace_seconds=grace_seconds, cold=cold
    )
    configure_logging()

    def on_ready(url: str) -> None:
        if first_run:
            launch_first_run(url, first_run)
        if open_:
            webbrowser.open(url)

    # In a thread of its own: what it asks of the server, the server answers in this one.
    serve(settings, on_ready=lambda url: threading.Thread(target=on_ready, args=(url,), daemon=True).start())


def launch_first_run(url: str, trainer: str) -> None:
    """Give a newcomer something to watch: a run, where the deck has no run yet. A refusal is said, not raised."""
    try:
        with connect(url) as client:
            if call(client, "GET", "/runs", params={"limit": 1}).json()["total"] == 0:
                run = call(client, "POST", "/runs", body={"trainer": trainer}).json()
                note(f"  A first run has been launched: {url}{run['links']['self']}\n")
    except CommandFailed as error:
        complain(f"the first run could not be launched: {error}")
