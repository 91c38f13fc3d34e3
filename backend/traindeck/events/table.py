"""The series of a store in memory: their numbers, summaries and places, and the points not written yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traindeck.events.extents import extent_rows, extents_for
from traindeck.events.points import POINT, Points, add_to_summaries, empty_summaries, summary_values
from traindeck.events.series import SeriesSummary
from traindeck.events.storestate import Snapshot

SUMMARIES_AHEAD = 64


class SeriesKey(NamedTuple):
    """What makes a series itself: the folder of its event files, and its tag there."""

    folder: str
    tag: str


@dataclass(slots=True)
class StoredSeries:
    """One series of a store: its number there, where its rows lie, and how many of them are on disk."""

    number: int
    key: SeriesKey
    name: str
    extents: list[int] = field(default_factory=list)
    written: int = 0
    unwritten: list[Points] = field(default_factory=list)


class SeriesTable:
    """All series of one store.

    Attributes:
        numbered: Every series that ever was, by number.
        by_key: The series that count, by what makes them themselves.
        by_name: The same by name.
        summaries: One for each number, and some ahead.
        unwritten: The series of which some points are only in memory, by number.
        new_extents: Extents that are only in memory: the number of the series, and the first row.
    """

    def __init__(self) -> None:
        self.numbered: list[StoredSeries] = []
        self.by_key: dict[SeriesKey, StoredSeries] = {}
        self.by_name: dict[str, StoredSeries] = {}
        self.summaries = empty_summaries(0)
        self.unwritten: dict[int, StoredSeries] = {}
        self.new_extents: list[tuple[int, int]] = []
        self._next_row = 0
        self._added: list[tuple[NDArray[np.int64], Points]] = []
        self._held_rows = 0

    @classmethod
    def load(cls, snapshot: Snapshot) -> "SeriesTable":
        """Return the table as it was when `snapshot` was written."""
        table = cls()
        for folder, tag, name in snapshot.names:
            table.create(SeriesKey(folder, tag), name)
        table.summaries = snapshot.summaries
        for one, count in zip(table.numbered, snapshot.summaries["count"].tolist(), strict=True):
            one.written = count
        for number, row in snapshot.extents.tolist():
            extents = table.numbered[number].extents
            extents.append(row)
            table._next_row = max(table._next_row, row + extent_rows(len(extents) - 1))
        return table

    @property
    def held_bytes(self) -> int:
        """Return how much waits in memory to be written."""
        return self._held_rows * POINT.itemsize

    def create(self, key: SeriesKey, name: str) -> StoredSeries:
        """Return a new series without points; it takes the place of one with the same key."""
        one = StoredSeries(len(self.numbered), key, name)
        self.numbered.append(one)
        self.by_key[key] = self.by_name[name] = one
        if one.number >= len(self.summaries):
            self.summaries = np.concatenate([self.summaries, empty_summaries(one.number + SUMMARIES_AHEAD)])
        return one

    def add(self, numbers: NDArray[np.int64], points: Points) -> None:
        """Add points[i] to the series numbers[i]; both of shape (points,), in the order of writing."""
        if len(points):
            self._added.append((numbers, points))
            self._held_rows += len(points)

    def settle(self) -> None:
        """Count what was added, and give it room: after it, all points are in `written` or `unwritten`."""
        added, self._added = self._added, []
        if not added:
            return
        numbers, points = (np.concatenate(parts) for parts in zip(*added, strict=True))
        if (numbers[1:] < numbers[:-1]).any():
            order = np.argsort(numbers, kind="stable")
            numbers, points = numbers[order], points[order]
        begins = np.flatnonzero(np.diff(numbers, prepend=-1))
        which = numbers[begins]
        add_to_summaries(self.summaries, which, points, begins)
        for number, part in zip(which.tolist(), np.split(points, begins[1:]), strict=True):
            one = self.unwritten[number] = self.numbered[number]
            one.unwritten.append(part)
            self._give_room(one, int(self.summaries["count"][number]))

    def all_written(self) -> None:
        """Note that nothing is left that is only in memory."""
        for one in self.unwritten.values():
            one.written += sum(map(len, one.unwritten))
            one.unwritten.clear()
        self.unwritten.clear()
        self.new_extents.clear()
        self._held_rows = 0

    def summary_of(self, which: Iterable[StoredSeries]) -> dict[str, SeriesSummary]:
        """Return the summaries of some series by name."""
        self.settle()
        wanted = list(which)
        rows = self.summaries[[one.number for one in wanted]] if wanted else empty_summaries(0)
        return dict(zip((one.name for one in wanted), summary_values(rows), strict=True))

    def _give_room(self, one: StoredSeries, rows: int) -> None:
        while len(one.extents) < extents_for(rows):
            self.new_extents.append((one.number, self._next_row))
            one.extents.append(self._next_row)
            self._next_row += extent_rows(len(one.extents) - 1)
