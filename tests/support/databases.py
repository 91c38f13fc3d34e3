"""A real, empty database for each test, and runs to put into it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.db.tables import Run
from traindeck.runs import commands
from traindeck.runs.commands import RunSpec
from traindeck.runs.files import DeckFiles
from traindeck.sources.blobs import Blobs

AddRun = Callable[..., Run]


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a new database: migrating is slow, copying is not."""
    path = tmp_path_factory.mktemp("fresh") / "deck.db"
    migrate(path)
    return path.read_bytes()


@pytest.fixture
def files(tmp_path: Path) -> DeckFiles:
    files = DeckFiles(tmp_path)
    files.prepare()
    return files


@pytest.fixture
def blobs(files: DeckFiles) -> Blobs:
    blobs = Blobs(files.home / "code")
    blobs.prepare()
    return blobs


@pytest.fixture
def database(files: DeckFiles, fresh: bytes) -> Iterator[Database]:
    files.database.write_bytes(fresh)
    database = Database(files.database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory, fresh: bytes) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("scratch") / "deck.db"
    path.write_bytes(fresh)
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def session(scratch: Database) -> Iterator[Session]:
    """A transaction on an empty database that is never committed: the next test finds it empty again."""
    with Session(scratch._writer, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def submit(session: Session, files: DeckFiles, blobs: Blobs) -> AddRun:
    """Queues a run as the API does."""

    def submit(**fields: Any) -> Run:
        return commands.submit(session, files, blobs, RunSpec(**{"trainer": "mnist", **fields}))

    return submit


@pytest.fixture
def add(session: Session) -> AddRun:
    """Puts a row into the table of runs, in whatever status, without files."""

    def add(**columns: Any) -> Run:
        run = Run(**{"name": "a", "trainer": "mnist", **columns})
        session.add(run)
        session.flush()
        return run

    return add
