"""A scheduler that is ticked by the test, over a real database, with attempts in memory."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from support.scheduling import FaultyDatabase, Scheduler
from traindeck.db.migrate import migrate
from traindeck.executors.memory import MemoryExecutor
from traindeck.runs.files import DeckFiles

NewScheduler = Callable[..., Scheduler]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeckFiles, FaultyDatabase]]:
    """One home for all tests: to open a database, and to compile its statements, takes longer than a run."""
    files = DeckFiles(tmp_path_factory.mktemp("scheduling"))
    files.prepare()
    migrate(files.database)
    database = FaultyDatabase(files.database)
    with database._writer.connect() as connection:
        # What a power cut leaves is not what is tested.
        connection.connection.driver_connection.execute("PRAGMA synchronous = OFF")
    yield files, database
    database.close()


@pytest.fixture
def new_scheduler(home: tuple[DeckFiles, FaultyDatabase]) -> Iterator[NewScheduler]:
    """Makes a scheduler; with `after`, the next server's, which takes over what that one has left."""
    files, database = home
    made: list[Scheduler] = []
    _empty(files, database)

    def new(*, after: Scheduler | None = None, executor: MemoryExecutor | None = None, **options: object) -> Scheduler:
        while made:
            made.pop().let_go()
        scheduler = Scheduler(files, database, after.executor if after else executor, **options)
        made.append(scheduler)
        if after is not None:
            scheduler.dispatcher.adopt()
        return scheduler

    yield new
    while made:
        made.pop().let_go()


@pytest.fixture
def scheduler(new_scheduler: NewScheduler) -> Scheduler:
    """One with three CPU slots, and nothing in its queue."""
    return new_scheduler()


def _empty(files: DeckFiles, database: FaultyDatabase) -> None:
    database.faults, database.at_commit = {}, False
    with database._writer.begin() as connection:
        for table in ("run", "sqlite_sequence"):
            connection.execute(text(f"DELETE FROM {table}"))
    for folder in (files.runs, files.unread):
        _remove_all(folder)


def _remove_all(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
