"""Assemble a deck: `create_app(settings)` returns its ASGI application."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from traindeck import __version__
from traindeck.api import (
    attempt,
    boards,
    compare,
    events,
    form,
    guard,
    problems,
    programs,
    record,
    runs,
    scalars,
    site,
    uploads,
)
from traindeck.api.deck import Deck
from traindeck.boards.client import Boards
from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.errors import DeckUnusable, TraindeckError
from traindeck.executors.local.executor import LocalExecutor
from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.executors.local.inspector import Inspector
from traindeck.executors.local.launcher import Launcher
from traindeck.executors.local.machine import find_gpus
from traindeck.executors.protocol import Gpu, Node
from traindeck.pages.frontend import static_folder
from traindeck.provenance.attempt_recorder import AttemptRecorder
from traindeck.runs.changes import Changes
from traindeck.runs.files import DeckFiles
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.dispatcher import Dispatcher
from traindeck.scheduling.observer import Observer
from traindeck.settings import Settings
from traindeck.sources.codestore import CodeStore
from traindeck.trainers.registry import load_trainers

logger = logging.getLogger(__name__)

DESCRIPTION = "Queue PyTorch training runs, watch them train, open their TensorBoard."
THREADS = 40
WARM_LOOK_SECONDS = 0.25
ROUTERS = (
    runs.router,
    record.router,
    compare.router,
    attempt.router,
    scalars.router,
    uploads.router,
    programs.router,
    form.router,
    form.options,
    events.router,
    site.router,
    site.front,
    boards.router,
    boards.proxied,
)


def create_app(settings: Settings, umask: int = -1) -> FastAPI:
    """Return the application of a deck. It opens and starts nothing before it is served.

    Runs get `umask`, or the server's own if that is -1.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        async with AsyncExitStack() as started:
            try:
                app.state.deck = await start_deck(settings, umask, started)
            except (TraindeckError, SQLAlchemyError, OSError) as error:
                app.state.failure = _failure(settings, error)
                raise
            yield

    app = FastAPI(
        title="Traindeck",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", site.Static(directory=static_folder()))
    app.add_middleware(guard.Guard, upload_bytes=settings.upload_limit_mb * 1_000_000)
    return app


def prepare_home(settings: Settings) -> DeckFiles:
    """Create the folders of a deck, and upgrade its database.

    Raises:
        DeckUnusable: the deck cannot be served from this home.
    """
    deck_files = DeckFiles(settings.home)
    try:
        deck_files.prepare()
    except OSError as error:
        raise DeckUnusable(f"the home {settings.home} cannot be used: {error.strerror}") from error
    if tightened := deck_files.tighten():
        names = ", ".join(str(path) for path in tightened[:3])
        more = f" and {len(tightened) - 3} more" if len(tightened) > 3 else ""
        logger.warning("other users could read %s%s; now only you can", names, more)
    migrate(deck_files.database)
    return deck_files


def open_deck(settings: Settings, umask: int = -1) -> tuple[Deck, Observer]:
    """Open the home of a deck.

    Raises:
        DeckUnusable: the deck cannot be served from this home.
    """
    deck_files = prepare_home(settings)
    database, changes = Database(deck_files.database), Changes()
    code = CodeStore.at(deck_files.home, settings.disk_reserve_mb * 1_000_000)
    code.prepare()
    database.on_commit.append(changes.publish)
    observer = Observer(database, deck_files)
    launcher = Launcher(Forkserver(deck_files.logs / "forkserver.log", umask), cold=settings.cold)
    executor = LocalExecutor(deck_files, launcher, this_node(settings))
    attempts = Attempts(database, deck_files, code.snapshots, executor, observer, settings.grace_seconds)
    recorder = AttemptRecorder(deck_files, code.blobs)
    attempts.on_started.append(recorder.enqueue)
    boards = Boards(deck_files.logs / "boards.log", limit=settings.board_limit, memory_mb=settings.board_memory_mb)
    deck = Deck(
        settings=settings,
        files=deck_files,
        database=database,
        changes=changes,
        slots=attempts.slots,
        dispatcher=Dispatcher(attempts),
        observer=observer,
        registry=load_trainers(),
        boards=boards,
        code=code,
        recorder=recorder,
        inspector=Inspector(launcher, deck_files.home / "cache" / "flags"),
        feed=events.Feed(),
    )
    return deck, observer


def this_node(settings: Settings) -> Node:
    """Return what this machine offers to runs: the GPUs in the settings, or else all that NVML finds."""
    found = {gpu.index: gpu for gpu in find_gpus()}
    indices = settings.gpus if settings.gpus is not None else tuple(found)
    missing = [str(index) for index in indices if index not in found]
    if missing:
        logger.warning("the driver lists no GPU %s; runs that hold it will not find it", ", ".join(missing))
    gpus = tuple(found.get(index) or Gpu(index) for index in indices)
    return Node("local", settings.cpus, gpus)


async def _warm_boards(deck: Deck) -> None:
    """Start TensorBoard after the executor is prepared; both at once would delay the first run."""
    while deck.dispatcher.executor.warming:  # noqa: ASYNC110 (another thread sets it)
        await asyncio.sleep(WARM_LOOK_SECONDS)
    deck.boards.start()


async def start_deck(settings: Settings, umask: int, started: AsyncExitStack) -> Deck:
    """Open a deck and start its threads. `started` closes what was started, also if a later part fails."""
    deck, observer = open_deck(settings, umask)
    started.push_async_callback(close_deck, deck, observer)
    observer.start()
    deck.recorder.start()
    deck.code.start()
    deck.dispatcher.start()
    warming = asyncio.create_task(_warm_boards(deck))
    started.callback(warming.cancel)
    return deck


def _failure(settings: Settings, error: Exception) -> str:
    """Return why a deck cannot be opened, and what to do."""
    if not isinstance(error, OperationalError):
        return str(error)
    database = DeckFiles(settings.home).database
    return (
        f"the database {database} cannot be used: {error.orig}. Close other programs that have it open, and start again"
    )


async def close_deck(deck: Deck, observer: Observer) -> None:
    """Close everything except the runs, which keep running."""
    deck.closing.begun = True
    deck.changes.wake_all()
    deck.code.close()
    await deck.boards.stop()
    await anyio.to_thread.run_sync(deck.dispatcher.close)
    await anyio.to_thread.run_sync(observer.close)
    await anyio.to_thread.run_sync(deck.recorder.close)
    deck.database.close()
