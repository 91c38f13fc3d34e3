"""Run the server of a deck: its lock, its socket, its start and its end."""

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
from traindeck.errors import DeckUnusable
from traindeck.pages.frontend import frontend_folder
from traindeck.runs.files import read_json
from traindeck.settings import Settings
from traindeck.system.openfiles import raise_limit
from traindeck.system.ports import describe_owner, listen, owner_of
from traindeck.system.wholefiles import write_json
from traindeck.wording import counted

if TYPE_CHECKING:
    from fastapi import FastAPI

    from traindeck.api.deck import Deck

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5
LOCK = "server.lock"
ADDRESS_FILE = "server.json"

SWITCH_SECONDS = 0.0005
"""How long a thread may hold the interpreter while others wait. A request, a start or a stop waits that long several
times while a thread reads event files; Python's default of 5 ms would be ten times as long."""


def serve(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve the deck until SIGINT or SIGTERM. `on_ready` is called with its address once it answers.

    Raises:
        DeckUnusable: another server has the deck, the port is in use, or the home or the pages cannot be used.
    """
    from traindeck.app import create_app, prepare_home

    sys.setswitchinterval(SWITCH_SECONDS)
    build_pages()
    # Files of the server belong to its user alone; runs get the umask of the shell.
    umask = os.umask(0o077)
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DeckUnusable(f"the home {settings.home} cannot be created: {error.strerror}") from error
    with locked(settings.home) as publish_address, bind(settings.host, settings.port) as listener:
        # Here, and not only when the application starts, so that a problem of the home ends the command with a message.
        prepare_home(settings)
        address = url_of(settings.host, listener.getsockname()[1])
        publish_address(address)
        app = create_app(settings, umask)
        config = uvicorn.Config(
            app,
            http=connection_within(raise_limit()),
            # A deck has no WebSockets, and does not trust a client's headers about proxies.
            ws="none",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            lifespan="on",
        )
        server = _DeckServer(app, config, address, on_ready)
        with suppress(SystemExit):
            # Raised by uvicorn if the application did not start.
            server.run(sockets=[listener])
        if not server.started:
            raise DeckUnusable(server.failure or "the server could not start. The log above says why")


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr, one line for each record, uvicorn's included."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s", force=True)
    for name in ("alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def build_pages() -> None:
    """Build outdated scripts and styles of the pages in a checkout. The installed package contains them.

    Raises:
        DeckUnusable: they cannot be built.
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
    """Return the address to open in a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        DeckUnusable: the port is in use; the message says by which process, if that is known.
    """
    try:
        return listen(host, port)
    except OSError as error:
        by = describe_owner(owner_of(port))
        message = f"cannot listen on {host}:{port}: {error.strerror}{by}. Choose another with --port"
        raise DeckUnusable(message) from error


@contextmanager
def locked(home: Path) -> Iterator[Callable[[str], None]]:
    """Lock the deck while it is served, and yield a function that publishes the address in the home.

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
                raise DeckUnusable(
                    f"the deck in {home} is already served{_first_server(home / ADDRESS_FILE)}"
                ) from error
            try:
                yield partial(_write_address, home / ADDRESS_FILE)
            finally:
                # Relative to the open folder: a renamed home has the file elsewhere, and its path may hold another one.
                with suppress(OSError):
                    os.unlink(ADDRESS_FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _write_address(path: Path, address: str) -> None:
    try:
        write_json(path, {"pid": os.getpid(), "url": address})
    except OSError as error:
        raise DeckUnusable(f"{path} cannot be written: {error.strerror}") from error


def _first_server(path: Path) -> str:
    first = read_json(path) or {}
    return f" at {first['url']} by process {first['pid']}" if {"url", "pid"} <= first.keys() else ""


class _DeckServer(Server):
    """Prints its address when it answers, and the running runs when it ends."""

    def __init__(
        self, app: FastAPI, config: uvicorn.Config, address: str, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self.app = app
        self.address = address
        self.on_ready = on_ready
        logging.getLogger("uvicorn.error").addFilter(self._is_unexpected)

    @property
    def failure(self) -> str | None:
        """Return why the deck could not be opened. None if it was, or if the reason is unexpected and in the log."""
        failure: str | None = getattr(self.app.state, "failure", None)
        return failure

    def _is_unexpected(self, _record: logging.LogRecord) -> bool:
        """Return whether to log a record of uvicorn. The traceback of an expected failure is left out."""
        return self.failure is None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, print the address, and call `on_ready`."""
        await super().startup(sockets=sockets)
        if not self.started:
            return
        # Loaded objects stay alive. Without this, the collector would examine them and delay every answer by 0.1 s.
        gc.freeze()
        gc.enable()
        sys.stderr.write(f"\n  Traindeck is at {self.address}   (Ctrl-C to stop)\n\n")
        sys.stderr.flush()
        if self.on_ready is not None:
            self.on_ready(self.address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake the event streams, so that they end, then shut down."""
        deck: Deck = self.app.state.deck
        deck.closing.begun = True
        deck.changes.wake_all()
        running = len(deck.dispatcher.attempts.live)
        await super().shutdown(sockets=sockets)
        # Otherwise uvicorn would raise the signal again; here it is the normal end of a server.
        self._captured_signals.clear()
        if running:
            runs = f"{counted(running, 'run')} {'keeps' if running == 1 else 'keep'} running"
            sys.stderr.write(f"  {runs} without the server. The next `traindeck serve` takes over.\n")
