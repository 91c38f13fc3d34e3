"""Follows the event files of one attempt while they grow. Importing it is cheap; the first poll is not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from traindeck.events.folders import EventFolders
from traindeck.events.series import SeriesSummary, bound_problems

if TYPE_CHECKING:
    from traindeck.events.attemptreader import AttemptReader

READ_SECONDS = 0.25
"""About how long one poll reads."""

FIND_SECONDS = 1.0
"""New files are looked for this often at most."""

FIND_SHARE = 20
"""Where looking for files takes long, it takes one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class TailUpdate:
    """What one poll brought.

    Attributes:
        changed: The series that got or lost points, by name; all series at the first poll, so that a caller
            that was interrupted misses none. A count of 0 means that a restart withdrew all points.
        new_points: How many points were read.
        problems: What keeps points from being read or kept, as it stands now; each time, not only the first.
            All but what keeps the store from being written stand in the store, too.
        caught_up: True where polling on at once would bring nothing.
        kept: False while points are not in the store yet: the disk is full, or somebody else writes it.
    """

    changed: dict[str, SeriesSummary] = field(default_factory=dict)
    new_points: int = 0
    problems: list[str] = field(default_factory=list)
    caught_up: bool = True
    kept: bool = True


class AttemptTail:
    """The event files below one working folder, read into a store as they grow.

    For one thread at a time. While it is open nobody else writes the store; anybody may read it.
    """

    def __init__(self, work: Path, store_folder: Path) -> None:
        self.work = work
        self.store_folder = store_folder
        self._folders = EventFolders(work)
        self._find_next = 0.0
        self._reader: AttemptReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, *, rescan: bool = False) -> TailUpdate:
        """Read what is new, for about 0.25 s at most, and commit it to the store.

        Never raises for what is wrong with a file or a disk: that stands in `problems`.

        Args:
            rescan: Look for new files now, however short ago that was; for the end of a run.
        """
        reader = self._reader = self._reader or _open(self.work, self.store_folder)
        if reader is None:
            return TailUpdate(problems=["the chart data is being written by somebody else"], kept=False)
        self._find(reader, rescan)
        reader.read(READ_SECONDS)
        problems = bound_problems([*filter(None, [self._folders.problem]), *reader.problems])
        unwritten = reader.store.commit(reader.position, problems)
        changed, points = reader.take_changes()
        told = [*problems, *filter(None, [unwritten])]
        return TailUpdate(changed, points, told, reader.is_caught_up, unwritten is None)

    def close(self) -> None:
        """Let go of the store. What was read stays."""
        if self._reader is not None:
            self._reader.store.close()
            self._reader = None

    def _find(self, reader: AttemptReader, rescan: bool) -> None:
        begun = time.monotonic()
        if begun < self._find_next and not rescan:
            return
        if not reader.store.is_intact and self.work.is_dir():
            # Where the working folder is gone too, the run itself was deleted.
            reader.begin_again()
        reader.look()
        reader.discover(self._folders.find())
        took = time.monotonic() - begun
        self._find_next = begun + max(FIND_SECONDS, took * FIND_SHARE)


def catch_up(work: Path, store_folder: Path, seconds: float) -> TailUpdate:
    """Read all event files of an attempt that has ended, or as many as can be in so many seconds.

    For a store that was deleted, or never made. Returns the summaries of all series.
    """
    deadline = time.monotonic() + seconds
    changed: dict[str, SeriesSummary] = {}
    points = 0
    with AttemptTail(work, store_folder) as tail:
        update = tail.poll(rescan=True)
        while not update.caught_up and time.monotonic() < deadline:
            changed |= update.changed
            points += update.new_points
            update = tail.poll()
    return TailUpdate(
        changed | update.changed, points + update.new_points, update.problems, update.caught_up, update.kept
    )


def _open(work: Path, store_folder: Path) -> AttemptReader | None:
    # Here, because numpy takes the server a tenth of a second to import.
    from traindeck.events.attemptreader import AttemptReader
    from traindeck.events.store import SeriesStore

    store = SeriesStore.open(store_folder)
    return None if store is None else AttemptReader(work, store)
