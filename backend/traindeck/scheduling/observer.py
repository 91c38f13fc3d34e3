"""Reads what running attempts write (event files, progress, size of the log) and brings it to their runs."""

import logging
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from traindeck.db.engine import Database, is_temporary
from traindeck.db.tables import Run
from traindeck.errors import HomeGone, describe_error
from traindeck.events.series import SeriesSummary
from traindeck.events.tail import AttemptTail
from traindeck.progressbars.output import OutputProgress
from traindeck.runs import transitions
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.runs.rows import Observation, write_observation
from traindeck.runs.status import Status

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.4
"""How often a running attempt is looked at: with the writer's flush of 1 s, a point is on the page within 1.5 s."""
ERROR_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Between two looks at an attempt whose files cannot be read again and again."""
WRITE_TOGETHER = 500
"""Summaries that are written at a time: an attempt with 20,000 series keeps no other writer waiting."""
LAST_LOOK_SECONDS = 2.0
"""How long the end of an attempt may wait for its last points; what is more is read afterwards."""
RICH = "rich"
"""The kind of bar that is drawn at its end only."""


@dataclass(slots=True, eq=False)
class _Watched:
    """An attempt that is looked at: `unwritten` are summaries that were read, and are not in the database yet."""

    run_id: int
    number: int
    files: AttemptFiles
    tail: AttemptTail
    output: OutputProgress
    bars: tuple[Any, Any] = (None, None)
    moved: Any = None
    seen: dict[str, Any] = field(default_factory=dict)
    unwritten: dict[str, dict[str, Any]] = field(default_factory=dict)
    look_at: float = 0.0
    failures: int = 0
    kept: bool = True
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: bool = False


class Observer:
    """One thread that looks at every running attempt, and sleeps while there is none."""

    def __init__(self, database: Database, files: DeckFiles) -> None:
        self.database = database
        self.files = files
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to look, first at what an earlier server has not read to its end."""
        try:
            self.take_up_unread()
        except Exception:
            logger.exception("what an earlier server has not read stays unread until the next start")
        self._thread.start()

    def take_up_unread(self) -> None:
        """Watch the attempts that ended and were not read to their end; those that go on are adopted."""
        unread = [found for path in self.files.unread.iterdir() if (found := _numbers(path)) is not None]
        with self.database.read() as session:
            chosen = select(col(Run.id), col(Run.attempt), col(Run.status))
            rows = session.execute(chosen.where(col(Run.id).in_([run_id for run_id, _ in unread])))
            current = {(run_id, number): Status(status) for run_id, number, status in rows}
        for run_id, number in unread:
            status = current.get((run_id, number))
            if status is None:
                # Deleted, or started again since: nobody asks for these summaries any more.
                self._mark_read(run_id, number)
            elif status.is_final:
                self.read_on(run_id, number)

    def close(self) -> None:
        """Look no more; what has been written since is read by the next server."""
        self._closing.set()
        self._something.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def watch(self, run_id: int, number: int) -> None:
        """Look at an attempt from now on."""
        files = self.files.run(run_id).attempt(number)
        watched = _Watched(run_id, number, files, AttemptTail(files.work, files.scalars), OutputProgress(files.log))
        try:
            self._mark_of(run_id, number).touch()
        except OSError:
            # A full disk: should the server die before there is room, the next one does not know of what is unread.
            logger.warning("run=%d attempt=%d cannot be marked as unread", run_id, number)
        with self._lock:
            earlier = self._watched.get(run_id)
            self._watched[run_id] = watched
        if earlier is not None:
            # A retry that came before the last attempt was read to its end.
            self._close(earlier)
        self._something.set()

    def read_on(self, run_id: int, number: int) -> None:
        """Read an attempt that has ended, from where its store ends until nothing is left to read."""
        self.watch(run_id, number)
        with self._lock:
            self._watched[run_id].ended = True

    def finish(self, run_id: int, number: int) -> None:
        """Take a last look at an attempt that has ended, before its run is called so."""
        with self._lock:
            watched = self._watched.get(run_id)
        if watched is None or watched.number != number:
            return
        watched.ended = True
        deadline = time.monotonic() + LAST_LOOK_SECONDS
        done = self._look(watched, rescan=True)
        while not done and time.monotonic() < deadline and not self._closing.is_set():
            done = self._look(watched)

    def tick(self) -> None:
        """Look at every watched attempt once; one that has ended and is read to its end is watched no more.

        One that cannot be looked at, or written, is looked at again after a pause; the others do not wait for it.
        """
        self.database.check()
        with self._lock:
            watched = list(self._watched.values())
        for one in watched:
            if time.monotonic() < one.look_at:
                continue
            try:
                self._look_or_drop(one)
                one.failures = 0
            except Exception as error:
                self._pause(one, error)

    def _loop(self) -> None:
        while not self._closing.is_set():
            try:
                self.tick()
            except HomeGone:
                # The dispatcher says so.
                self._closing.wait(ERROR_SECONDS)
            except Exception:
                logger.exception("observing failed, trying again in %.0f s", ERROR_SECONDS)
                self._closing.wait(ERROR_SECONDS)
            self._something.wait()
            self._closing.wait(LOOK_SECONDS)

    def _look_or_drop(self, watched: _Watched) -> None:
        if not watched.ended:
            self._look(watched)
        elif self._is_read(watched):
            self._drop(watched)

    def _is_read(self, watched: _Watched) -> bool:
        """Look at an attempt that has ended; True where nothing is left to read, or it was deleted."""
        if not watched.files.folder.is_dir():
            return True
        return self._look(watched) and self._look(watched, rescan=True) and watched.kept

    def _look(self, watched: _Watched, *, rescan: bool = False) -> bool:
        """Read what is new of an attempt and write it down; True where nothing is left to read."""
        with watched.lock:
            if watched.closed:
                return True
            update = watched.tail.poll(rescan=rescan)
            # The tail gives each change once: it is kept here until it is in the database.
            watched.unwritten |= {tag: _row(summary) for tag, summary in update.changed.items()}
            failed = None
            try:
                columns = _columns(watched, sharers=len(self._watched), final=rescan)
            except Exception as error:
                columns, failed = {}, error
            self._write(watched, {name: value for name, value in columns.items() if watched.seen.get(name) != value})
            if failed is not None:
                raise failed
            watched.kept = update.kept
            return update.caught_up

    def _write(self, watched: _Watched, columns: dict[str, Any]) -> None:
        while watched.unwritten or columns:
            some = dict(islice(watched.unwritten.items(), WRITE_TOGETHER))
            with self.database.write() as session:
                write_observation(session, Observation(watched.run_id, watched.number, some, columns))
            watched.seen.update(columns)
            watched.unwritten = {tag: row for tag, row in watched.unwritten.items() if tag not in some}
            columns = {}

    def _pause(self, watched: _Watched, error: Exception) -> None:
        watched.failures += 1
        longer = 1 if is_temporary(error) else 2 ** min(watched.failures - 1, 10)
        watched.look_at = time.monotonic() + min(ERROR_SECONDS * longer, LONGEST_PAUSE_SECONDS)
        names = (watched.run_id, watched.number)
        if is_temporary(error):
            logger.warning("run=%d attempt=%d observing has to wait: %s", *names, describe_error(error))
            return
        logger.error("run=%d attempt=%d observing failed", *names, exc_info=error)
        try:
            with self.database.write() as session:
                transitions.record_trouble(session, *names, f"reading what it writes failed: {describe_error(error)}")
        except Exception as second:
            logger.warning("run=%d attempt=%d could not be marked: %s", *names, describe_error(second))

    def _drop(self, watched: _Watched) -> None:
        self._close(watched)
        with self._lock:
            if self._watched.get(watched.run_id) is watched:
                del self._watched[watched.run_id]
            if not self._watched and not self._closing.is_set():
                self._something.clear()

    def _close(self, watched: _Watched) -> None:
        with watched.lock:
            watched.closed = True
            watched.tail.close()
        self._mark_read(watched.run_id, watched.number)

    def _mark_read(self, run_id: int, number: int) -> None:
        # Where the mark stays, the next server reads once more what this one has stored, to the same end.
        with suppress(OSError):
            self._mark_of(run_id, number).unlink(missing_ok=True)

    def _mark_of(self, run_id: int, number: int) -> Path:
        """The file that is there while the attempt is not read to its end: the next server takes it up again."""
        return self.files.unread / f"{run_id}-{number}"


def _numbers(path: Path) -> tuple[int, int] | None:
    run_id, _, number = path.name.partition("-")
    return (int(run_id), int(number)) if run_id.isdecimal() and number.isdecimal() else None


def _row(summary: SeriesSummary) -> dict[str, Any]:
    row = asdict(summary)
    del row["wall_time"]
    return row


def _columns(watched: _Watched, *, sharers: int, final: bool) -> dict[str, Any]:
    """What is seen of an attempt besides its scalars. What it says itself wins over the bars in its output."""
    size = watched.files.log_bytes()
    progress = watched.files.read_progress() or _bars(watched, size, sharers, final)
    return {"log_size": size, **({"progress": asdict(progress)} if progress else {})}


def _bars(watched: _Watched, log_size: int, sharers: int, final: bool) -> Any:
    """The bars in the output, or those that Rich keeps to itself: whichever moved last."""
    drawn, told = watched.output.look(log_size, sharers=sharers, final=final), watched.files.read_bars()
    if told is not None and watched.output.kind == RICH:
        # What Rich draws at the end of a bar; the bar itself has told more.
        drawn = None
    found = (drawn, told)
    moved = [now for now, before in zip(found, watched.bars, strict=True) if now is not None and now != before]
    watched.bars = found
    if moved:
        watched.moved = moved[0]
    return watched.moved
