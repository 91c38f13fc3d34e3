"""`traindeck serve`."""

import threading
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from traindeck.logs import configure_logging
from traindeck.serve import serve
from traindeck.settings import Settings


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
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve the deck: the pages, the API and the queue, until Ctrl-C. Runs go on without it."""
    given: dict[str, Any] = {
        "home": home, "host": host, "port": port, "cpus": cpus, "gpus": gpus,
        "grace_seconds": grace_seconds, "cold": cold,
    }  # fmt: skip
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    configure_logging()
    serve(settings, on_ready=_open_browser if open_ else None)


def _open_browser(url: str) -> None:
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
