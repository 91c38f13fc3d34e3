"""`traindeck serve`: one server for one deck, from its lock to its last word."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import runpy
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from traindeck.api.connections import Server, connection_within
from traindeck.counting import counted
from traindeck.errors import DeckUnusable
from traindeck.pages.resources import frontend_folder
from traindeck.runs.files import read_json
from traindeck.settings import Settings
from traindeck.system.openfiles import raise_limit
from traindeck.system.ports import describe_owner, listen, owner_of
from traindeck.system.wholefiles import write_json

if TYPE_CHECKING:
    from fastapi import FastAPI

    from traindeck.api.deck import Deck

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5
LOCK = "server.lock"
NOTE = "server.json"

SWITCH_SECONDS = 0.0005
"""How long a thread may hold the interpreter while others wait for it. An answer, a start or a stop waits that long
several times while a thread reads event files, and ten times as long with Python's own 5 ms."""


def serve(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve the deck until SIGINT or SIGTERM; `on_ready` gets its address once it answers.

    Raises:
        DeckUnusable: another server has the deck, the port is in use, or the home or the pages cannot be used.
    """
    from traindeck.app import create_app, prepare_home

    sys.setswitchinterval(SWITCH_SECONDS)
    build_pages()
    # What the server makes is its user's alone; runs get back the umask of the shell.
    umask = os.umask(0o077)
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DeckUnusable(f"the home {settings.home} cannot be made: {error.strerror}") from error
    with locked(settings.home) as note, bind(settings.host, settings.port) as listener:
        # Here, and not only when the application starts: what is wrong with the home ends the command with a message.
        prepare_home(settings)
        address = url_of(settings.host, listener.getsockname()[1])
        note(address)
        app = create_app(settings, umask)
        config = uvicorn.Config(
            app,
            http=connection_within(raise_limit()),
            # No part of a deck is a WebSocket, and what a client says of a proxy is not believed.
            ws="none",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            lifespan="on",
        )
        server = _Server(app, config, address, on_ready)
        with suppress(SystemExit):
            # How uvicorn says that the application did not start.
            server.run(sockets=[listener])
        if not server.started:
            raise DeckUnusable(server.failure or "the server could not start; the reason stands above")


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr, one line for each record, uvicorn's included."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s", force=True)
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def build_pages() -> None:
    """In a checkout, build what the pages load where it is out of date; the installed package carries it.

    Raises:
        DeckUnusable: it cannot be built.
    """
    script = frontend_folder() / "build.py"
    if not script.is_file():
        return
    try:
        runpy.run_path(str(script))["build"]()
    except (RuntimeError, OSError) as error:
        message = (
            f"the pages' scripts and styles cannot be built: {error}\nTo try again by hand: {sys.executable} {script}"
        )
        raise DeckUnusable(message) from error


def url_of(host: str, port: int) -> str:
    """The address to open in a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        DeckUnusable: the port is in use; the message says by whom, where that can be known.
    """
    try:
        return listen(host, port)
    except OSError as error:
        by = describe_owner(owner_of(port))
        message = f"cannot listen on {host}:{port}: {error.strerror}{by}. Choose another with --port"
        raise DeckUnusable(message) from error


@contextmanager
def locked(home: Path) -> Iterator[Callable[[str], None]]:
    """Hold the deck while it is served; what it gives notes the address, by which a second server names the first.

    Raises:
        DeckUnusable: another server has the deck, or the home cannot be written.
    """
    try:
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DeckUnusable(f"the home {home} cannot be opened: {error.strerror}") from error
    try:
        try:
            lock = os.open(LOCK, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=folder)
        except OSError as error:
            raise DeckUnusable(f"the home {home} cannot be written: {error.strerror}") from error
        with open(lock, "a") as held:  # noqa: PTH123 (a descriptor)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DeckUnusable(f"the deck in {home} is served already{_first_server(home / NOTE)}") from error
            try:
                yield partial(_note_address, home / NOTE)
            finally:
                # By the folder: a renamed home has the note elsewhere, and another deck's may lie at its place.
                with suppress(OSError):
                    os.unlink(NOTE, dir_fd=folder)
    finally:
        os.close(folder)


def _note_address(note: Path, address: str) -> None:
    try:
        write_json(note, {"pid": os.getpid(), "url": address})
    except OSError as error:
        raise DeckUnusable(f"{note} cannot be written: {error.strerror}") from error


def _first_server(note: Path) -> str:
    first = read_json(note) or {}
    return f" at {first['url']} by process {first['pid']}" if {"url", "pid"} <= first.keys() else ""


class _Server(Server):
    """Says where it is once it answers, and what goes on once it does not."""

    def __init__(
        self, app: FastAPI, config: uvicorn.Config, address: str, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self.app = app
        self.address = address
        self.on_ready = on_ready
        logging.getLogger("uvicorn.error").addFilter(self._is_news)

    @property
    def failure(self) -> str | None:
        """Why the deck could not be opened; None where it was, or where that is unexpected and stands in the log."""
        failure: str | None = getattr(self.app.state, "failure", None)
        return failure

    def _is_news(self, _record: logging.LogRecord) -> bool:
        """Tell whether to log what uvicorn says: of a failure that is known, not its traceback."""
        return self.failure is None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        if not self.started:
            return
        # What is loaded by now stays. A collector that looked through it again would hold up every answer for 0.1 s.
        gc.freeze()
        gc.enable()
        sys.stderr.write(f"\n  Traindeck is at {self.address}   (Ctrl-C to stop)\n\n")
        sys.stderr.flush()
        if self.on_ready is not None:
            self.on_ready(self.address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake the streams, so that they end by themselves, then shut down."""
        deck: Deck = self.app.state.deck
        deck.closing.begun = True
        deck.changes.wake_all()
        going_on = len(deck.dispatcher.attempts.live)
        await super().shutdown(sockets=sockets)
        # Uvicorn would raise the signal again, as if being stopped were a failure; here it is how a server ends.
        self._captured_signals.clear()
        if going_on:
            runs = f"{counted(going_on, 'run')} {'goes' if going_on == 1 else 'go'}"
            sys.stderr.write(f"  {runs} on without the server. The next `traindeck serve` takes over.\n")
