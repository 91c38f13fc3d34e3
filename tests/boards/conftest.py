"""A small server of boards, as the deck's own router would use them, with real processes behind it."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from boards.event_logs import write_every_kind
from boards.waiting import DEADLINE_SECONDS
from traindeck.boards.boardspec import SHARED_PATH, BoardSpec
from traindeck.boards.client import Boards


@dataclass
class Deck:
    """A running server whose address /runs/NAME/tensorboard/ is the board `specs[NAME]`."""

    url: str
    log_path: Path
    specs: dict[str, BoardSpec] = field(default_factory=dict)

    def show(self, name: str, folders: Path | dict[str, Path]) -> str:
        """The address of a board over one folder, or over several by their prefixes."""
        self.specs[name] = BoardSpec(f"run-{name}", {"": folders} if isinstance(folders, Path) else folders)
        return f"{self.url}/runs/{name}/tensorboard/"


@contextmanager
def running_deck(folder: Path, **options: Any) -> Iterator[Deck]:
    """A deck on a free port, ended at the end; the options are those of `Boards`."""
    listener = socket.create_server(("127.0.0.1", 0))
    deck = Deck(f"http://127.0.0.1:{listener.getsockname()[1]}", folder / "boards.log")
    config = uvicorn.Config(_app(deck, Boards(deck.log_path, **options)), log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield deck
    finally:
        server.should_exit = True
        thread.join(DEADLINE_SECONDS)
        listener.close()
    assert not thread.is_alive()


def _app(deck: Deck, boards: Boards) -> Starlette:
    async def board(request: Request) -> Response:
        spec = deck.specs[request.path_params["name"]]
        return await boards.proxy(request, spec, request.path_params.get("path", ""))

    async def state(request: Request) -> Response:
        name = request.path_params["name"]
        return Response((await boards.state(deck.specs[name], f"/runs/{name}/tensorboard")).encode())

    async def shared(request: Request) -> Response:
        return await boards.shared(request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await boards.stop()

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    routes = [
        Route(SHARED_PATH + "{name}", shared),
        Route("/runs/{name}/tensorboard-state", state),
        Route("/runs/{name}/tensorboard", board, methods=methods),
        Route("/runs/{name}/tensorboard/{path:path}", board, methods=methods),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[Deck]:
    """A deck of the test's own, for what is done to its processes."""
    with running_deck(tmp_path / "deck") as deck:
        yield deck


@pytest.fixture(scope="session")
def shared_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """One deck for all tests that only ask it."""
    with running_deck(tmp_path_factory.mktemp("deck")) as deck:
        yield deck


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose event files hold every kind of data."""
    work = tmp_path_factory.mktemp("every-kind")
    write_every_kind(work)
    return work


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    """A visitor."""
    with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as client:
        yield client
