"""The connections to the database: one writer, which collects the runs that it changes, and several readers."""

import errno
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, BindParameter, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BinaryExpression
from sqlmodel import Session

from traindeck.db.answers import Memory, Reader
from traindeck.db.tables import Parameter, Run, RunTag, ScalarSummary
from traindeck.errors import NO_ROOM, DeckBusy, HomeGone

BUSY_TIMEOUT_SECONDS = 5.0
"""How long a statement waits for a lock that another program holds."""

WRITE_TURN_SECONDS = 10.0
"""How long a writer waits for earlier writers, each of which may wait for a lock of another program."""

READERS = 8
"""Connections that stay open between requests."""
READERS_AT_MOST = 64
"""More than there are threads that handle requests, so that neither they nor the event loop wait for a connection."""

MEMORY = "memory"
"""The key of a reading session's `Reader` in its `info`."""

TEMPORARY = {*NO_ROOM, errno.EIO, errno.EROFS, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}
"""System errors that may go away."""
_BRING_BACK = "Nothing was changed. Move it back, and the deck continues."
CHANGED = "changed_runs"
FILTERED = {table.__tablename__ for table in (Run, RunTag, Parameter, ScalarSummary)}
"""The tables that filters read. Sets kept in memory would miss a change that names no run."""


class Database:
    """One SQLite file in WAL mode.

    All writes use one connection, one transaction at a time: two connections that write or checkpoint at once can
    corrupt SQLite's WAL (3.7.0 to 3.51.2), and a single writer never waits for a lock of the deck. Readers cannot
    write, and never checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = _Place(path)
        self.on_commit: list[Callable[[int], None]] = []
        """Called after a commit, with the number of each run that the transaction changed; must not block."""
        self.memory = Memory()
        self._writing = threading.Lock()
        self._writer = _engine(path, poolclass=StaticPool)
        self._readers = _engine(path, poolclass=QueuePool, pool_size=READERS, max_overflow=READERS_AT_MOST - READERS)
        for engine in (self._writer, self._readers):
            # After opening: the open file must be the deck's own, and not one that replaced it.
            event.listen(engine, "connect", lambda *_: self.check())
        event.listen(self._writer, "connect", _prepare_writer)
        event.listen(self._writer, "begin", _begin_immediate)
        event.listen(self._readers, "connect", _prepare_reader)
        event.listen(self._readers, "begin", _begin)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Begin a transaction that has the write lock from its first statement, and commit it at the end of the block.

        Raises:
            DeckBusy: other writers did not finish in time.
            HomeGone: the file was moved or replaced, so that a write would be lost or go elsewhere.
        """
        if not self._writing.acquire(timeout=WRITE_TURN_SECONDS):
            raise DeckBusy("The deck is busy writing. Nothing was changed; try again in a moment.")
        try:
            self.check()
            with WritingSession(self._writer, expire_on_commit=False) as session:
                try:
                    with session.begin():
                        yield session
                finally:
                    # Also after an error, because a failed commit may have reached the file.
                    self.memory.mark_changed(session.changed_runs)
        finally:
            self._writing.release()
        for run_id in session.changed_runs:
            for notify in self.on_commit:
                notify(run_id)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one state of the database, and cannot change it."""
        # Read the position first: this session may not see changes that are marked later.
        reader = Reader(self.memory, self.memory.position)
        with Session(self._readers, info={MEMORY: reader}) as session:
            yield session

    def check(self) -> None:
        """Check, in a few microseconds, that the file is still at its path.

        Raises:
            HomeGone: it is not. An open file can be read and written without a name, so no other error would occur.
        """
        self._place.check()

    def close(self) -> None:
        """Close every connection, the writer's last, because closing the last one checkpoints the WAL."""
        self._readers.dispose()
        with self._writing:
            self._writer.dispose()
        self._place.close()


class _Place:
    """The identity of a database file and its folder. The folder stays open, so that no other gets its number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        self.close = weakref.finalize(self, os.close, descriptor)
        self._folder = _identity(os.fstat(descriptor))
        self._file = _identity(os.stat(path.name, dir_fd=descriptor))

    def check(self) -> None:
        folder = self._path.parent
        try:
            same = _identity(folder.stat()) == self._folder
        except OSError as error:
            raise HomeGone(f"The home {folder} is gone ({error.strerror}). {_BRING_BACK}") from error
        if not same:
            raise HomeGone(f"The home {folder} was replaced by another folder. {_BRING_BACK}")
        try:
            same = _identity(self._path.stat()) == self._file
        except OSError as error:
            raise HomeGone(f"The database {self._path} is gone ({error.strerror}). {_BRING_BACK}") from error
        if not same:
            raise HomeGone(f"The database {self._path} was replaced by another file. Start the deck again to use it.")


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def is_temporary(error: BaseException) -> bool:
    """Return whether an operation may succeed later: the database or disk was locked, full or unreachable."""
    if isinstance(error, OSError):
        return error.errno in TEMPORARY
    return isinstance(error, (OperationalError, NoConnection, DeckBusy, MemoryError))


def _engine(path: Path, **options: Any) -> Engine:
    return create_engine(url_of(path), creator=partial(_open, path), **options)


def url_of(path: Path) -> URL:
    """Return the URL of an SQLite file. In a URL written as text, a `?` or `%20` in the path would be interpreted."""
    return URL.create("sqlite", database=str(path))


def _open(path: Path) -> sqlite3.Connection:
    """Open the existing file. If it is gone, SQLite must not create an empty one."""
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_SECONDS,
    )


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what was answered with 2xx survives a power cut; with NORMAL it only survives a crash of the process.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -4000")


def _begin_immediate(connection: Any) -> None:
    # After a plain BEGIN, a transaction that reads first and writes later can fail at once, whatever the timeout.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


class WritingSession(Session):
    """A session that collects the numbers of the runs whose rows it writes: the run itself, its tags, its metrics.

    Objects are collected when they are flushed. UPDATE, DELETE and INSERT must name their runs, in their values or as
    `run.id == number`; a statement that changes runs and names none is refused.
    """

    @property
    def changed_runs(self) -> list[int]:
        """Return the changed runs, each once, in the order of their first change."""
        return list(self.info.get(CHANGED, ()))

    def _collect(self, numbers: Iterable[Any]) -> None:
        # A dictionary, because it keeps the order.
        self.info.setdefault(CHANGED, {}).update((number, None) for number in numbers if isinstance(number, int))


def _collect_flushed(session: WritingSession, _context: UOWTransaction) -> None:
    rows = (*session.new, *session.dirty, *session.deleted)
    session._collect(row.id if isinstance(row, Run) else getattr(row, "run_id", None) for row in rows)


def _collect_executed(state: ORMExecuteState) -> None:
    statement = state.statement
    if not isinstance(statement, UpdateBase):
        return
    numbers = set(_numbers(statement, state.parameters)) - {None}
    table = getattr(statement.table, "name", None)
    if not numbers and table in FILTERED:
        raise LookupError(f"a statement that writes {table} must name its runs, by run.id or run_id == number")
    assert isinstance(state.session, WritingSession)
    state.session._collect(numbers)


def _numbers(statement: UpdateBase, parameters: Any) -> Iterator[Any]:
    """Yield the numbers of runs that a statement names."""
    column = "id" if _is_of_runs(statement) else "run_id"
    for row in parameters if isinstance(parameters, list) else [parameters or {}]:
        yield row.get(column)
    for criterion in getattr(statement, "_where_criteria", ()):
        for element in visitors.iterate(criterion):
            if isinstance(element, BinaryExpression) and element.operator is operators.eq:
                named, value = element.left, element.right
                if getattr(named, "key", None) == column and isinstance(value, BindParameter):
                    yield value.effective_value


def _is_of_runs(statement: UpdateBase) -> bool:
    return getattr(statement.table, "name", None) == Run.__tablename__


event.listen(WritingSession, "after_flush", _collect_flushed)
event.listen(WritingSession, "do_orm_execute", _collect_executed)
