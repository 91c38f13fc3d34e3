"""Reads what running attempts write (event files, progress, size of the log) and brings it to their runs."""

import logging
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from traindeck.db.engine import Database
from traindeck.errors import HomeGone
from traindeck.events.series import SeriesSummary
from traindeck.events.tail import AttemptTail
from traindeck.progress.output import OutputProgress
from traindeck.runner.progress import read_progress
from traindeck.runs.changes import Changes
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.runs.summaries import Observation, record

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.4
"""How often a running attempt is looked at: with the writer's flush of 1 s, a point is on the page within 1.5 s."""
ERROR_SECONDS = 5.0
LAST_LOOK_SECONDS = 2.0
"""How long the end of an attempt may wait for its last points; what is more is read afterwards."""
RICH = "rich"
"""The kind of bar that is drawn at its end only."""


@dataclass(slots=True)
class _Watched:
    run_id: int
    number: int
    files: AttemptFiles
    tail: AttemptTail
    output: OutputProgress
    bars: tuple[Any, Any] = (None, None)
    moved: Any = None
    seen: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: bool = False


class Observer:
    """One thread that looks at every running attempt, and sleeps while there is none."""

    def __init__(self, database: Database, files: DeckFiles, changes: Changes) -> None:
        self.database = database
        self.files = files
        self.changes = changes
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; what has been written since is read by the next server."""
        self._closing.set()
        self._something.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def watch(self, run_id: int, number: int) -> None:
        """Look at an attempt from now on."""
        files = self.files.run(run_id).attempt(number)
        with self._lock:
            earlier = self._watched.get(run_id)
            self._watched[run_id] = _Watched(
                run_id, number, files, AttemptTail(files.work, files.scalars), OutputProgress(files.log)
            )
        if earlier is not None:
            # A retry that came before the last attempt was read to its end.
            with earlier.lock:
                earlier.tail.close()
        self._something.set()

    def finish(self, run_id: int, number: int) -> None:
        """Take a last look at an attempt that has ended, before its run is called so."""
        with self._lock:
            watched = self._watched.get(run_id)
        if watched is None or watched.number != number:
            return
        deadline = time.monotonic() + LAST_LOOK_SECONDS
        done = self._look(watched, rescan=True)
        while not done and time.monotonic() < deadline:
            done = self._look(watched)
        watched.ended = True

    def tick(self) -> None:
        """Look at every watched attempt once; one that has ended and is read to its end is watched no more."""
        self.database.check()
        with self._lock:
            watched = list(self._watched.values())
        for one in watched:
            ended = one.ended
            if self._look(one) and ended:
                self._drop(one)

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

    def _look(self, watched: _Watched, *, rescan: bool = False) -> bool:
        """Read what is new of an attempt and write it down; True where nothing is left to read."""
        with watched.lock:
            update = watched.tail.poll(rescan=rescan)
            scalars = {tag: _row(summary) for tag, summary in update.changed.items()}
            columns = _columns(watched, sharers=len(self._watched), final=rescan)
            changed = {name: value for name, value in columns.items() if watched.seen.get(name) != value}
            if scalars or changed:
                with self.database.write() as session:
                    record(session, Observation(watched.run_id, watched.number, scalars, changed))
                watched.seen.update(changed)
                self.changes.tell(watched.run_id)
            return update.caught_up

    def _drop(self, watched: _Watched) -> None:
        with watched.lock:
            watched.tail.close()
        with self._lock:
            if self._watched.get(watched.run_id) is watched:
                del self._watched[watched.run_id]
            if not self._watched and not self._closing.is_set():
                self._something.clear()


def _row(summary: SeriesSummary) -> dict[str, Any]:
    row = asdict(summary)
    del row["wall_time"]
    return row


def _columns(watched: _Watched, *, sharers: int, final: bool) -> dict[str, Any]:
    """What is seen of an attempt besides its scalars. What it says itself wins over the bars in its output."""
    try:
        size = watched.files.log.stat().st_size
    except OSError:
        size = 0
    progress = read_progress(watched.files.progress) or _bars(watched, size, sharers, final)
    return {"log_size": size, **({"progress": asdict(progress)} if progress else {})}


def _bars(watched: _Watched, log_size: int, sharers: int, final: bool) -> Any:
    """The bars in the output, or those that Rich keeps to itself: whichever moved last."""
    drawn, told = watched.output.look(log_size, sharers=sharers, final=final), read_progress(watched.files.bars)
    if told is not None and watched.output.kind == RICH:
        # What Rich draws at the end of a bar; the bar itself has told more.
        drawn = None
    found = (drawn, told)
    moved = [now for now, before in zip(found, watched.bars, strict=True) if now is not None and now != before]
    watched.bars = found
    if moved:
        watched.moved = moved[0]
    return watched.moved
