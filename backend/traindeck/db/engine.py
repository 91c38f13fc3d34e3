"""The way to the database: one writer connection, and readers beside it."""

import errno
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import QueuePool, StaticPool
from sqlmodel import Session

from traindeck.db.changed import WritingSession
from traindeck.db.memory import Memory, Reader
from traindeck.errors import NO_ROOM, DeckBusy, HomeGone

BUSY_TIMEOUT_SECONDS = 5.0
"""How long a statement waits for a lock that somebody outside the deck holds."""

WRITE_TURN_SECONDS = 10.0
"""How long a writer waits for those before it: where the file is locked from outside, each of them waits its own."""

READERS = 8
"""Connections that stay open between requests."""
READERS_AT_MOST = 64
"""More than there are threads that handle requests: none, and not the event loop, ever waits for a connection."""

MEMORY = "memory"
"""Where a reading session has its `Reader`, in its `info`."""

TEMPORARY = {*NO_ROOM, errno.EIO, errno.EROFS, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}
"""What the system says where it lacks something that may come back."""


class Database:
    """One SQLite file in WAL mode.

    All writes go through one connection, one transaction at a time: SQLite's WAL can be corrupted by two
    connections that write or checkpoint at once (3.7.0 to 3.51.2), and a lock that only one asks for is never
    met locked. Readers can not write, and never checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = _Place(path)
        self.on_commit: list[Callable[[int], None]] = []
        """Called with the number of each run that a transaction has changed, once that is committed; must not wait."""
        self.memory = Memory()
        self._writing = threading.Lock()
        self._writer = _engine(path, poolclass=StaticPool)
        self._readers = _engine(path, poolclass=QueuePool, pool_size=READERS, max_overflow=READERS_AT_MOST - READERS)
        for engine in (self._writer, self._readers):
            # After the file was opened: it is the deck's own, and not one that has come into its place.
            event.listen(engine, "connect", lambda *_: self.check())
        event.listen(self._writer, "connect", _prepare_writer)
        event.listen(self._writer, "begin", _begin_immediate)
        event.listen(self._readers, "connect", _prepare_reader)
        event.listen(self._readers, "begin", _begin)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that has the write lock from its first statement; it commits at the end of the block.

        Raises:
            DeckBusy: other writers did not come to an end in time.
            HomeGone: the file is not where it was; what was written now would be lost, or be elsewhere.
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
                    # Also after an error: a commit that failed may have reached the file.
                    self.memory.note_changed(session.changed_runs)
        finally:
            self._writing.release()
        for run_id in session.changed_runs:
            for tell in self.on_commit:
                tell(run_id)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database, and cannot change it."""
        # The position first: what is noted later may be missing from what this session sees.
        reader = Reader(self.memory, self.memory.position)
        with Session(self._readers, info={MEMORY: reader}) as session:
            yield session

    def check(self) -> None:
        """Look whether the file is where it was when the deck was started, in a few microseconds.

        Raises:
            HomeGone: it is not. An open file stays readable and writable without a name, and no error would tell.
        """
        self._place.check()

    def close(self) -> None:
        """Close every connection, the writer's last: closing the last one checkpoints the WAL."""
        self._readers.dispose()
        with self._writing:
            self._writer.dispose()
        self._place.close()


class _Place:
    """Where a database lies. Its folder is held open, so that no other folder can get the same number."""

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
            raise HomeGone(f"Another folder lies at the place of the home {folder}. {_BRING_BACK}")
        try:
            same = _identity(self._path.stat()) == self._file
        except OSError as error:
            raise HomeGone(f"The database {self._path} is gone ({error.strerror}). {_BRING_BACK}") from error
        if not same:
            raise HomeGone(f"The database {self._path} was replaced by another file. Start the deck again to use it.")


_BRING_BACK = "Nothing was changed. Bring it back, and the deck goes on."


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def is_temporary(error: BaseException) -> bool:
    """Return True where what failed may succeed later: the database or the disk was locked, full or out of reach."""
    if isinstance(error, OSError):
        return error.errno in TEMPORARY
    return isinstance(error, (OperationalError, NoConnection, DeckBusy, MemoryError))


def _engine(path: Path, **options: Any) -> Engine:
    return create_engine(url_of(path), creator=partial(_open, path), **options)


def url_of(path: Path) -> URL:
    """Return the URL of an SQLite file; in a URL written as text, a `?` or `%20` of the path would mean something."""
    return URL.create("sqlite", database=str(path))


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, which exists: where it is gone, SQLite must not make an empty one."""
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_SECONDS,
    )


def _prepare_writer(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what answered 2xx survives a power cut (rule 4); NORMAL would only survive a crash of the process.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -4000")


def _begin_immediate(connection: Any) -> None:
    # With a plain BEGIN, a transaction that reads first and writes later fails at once, whatever the timeout.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")
