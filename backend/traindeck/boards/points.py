"""Points of scalars as rows of arrays: what a batch of records holds, sorted by tag."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from traindeck.boards.scalars import ScalarEvent

POINT: Final = np.dtype([("step", "<i8"), ("wall_time", "<f8"), ("value", "<f4")])
"""One point; 20 bytes."""

Points = NDArray[np.void]
"""Rows of `POINT`."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PointBatch:
    """Points of scalars whose tags their file has had before.

    Attributes:
        tags: The tags by number.
        numbers: The tag number of each point; int64, shape (points,).
        records: Which record of its chunk each point is; int64, shape (points,), rising within a tag.
        rows: The points, sorted by tag number and then by record; shape (points,).
    """

    tags: list[str]
    numbers: Indices
    records: Indices
    rows: Points

    @classmethod
    def sorted(cls, tags: list[str], numbers: Indices, records: Indices, rows: Points) -> Self:
        """The batch of points that come in any order, no two of one record."""
        span = int(records.max()) + 1 if len(records) else 1
        order = np.argsort(numbers * span + records)
        return cls(tags, numbers[order], records[order], rows[order])

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """The points that are `chosen`; bool, shape (points,)."""
        if chosen.all():
            return self
        return type(self)(self.tags, self.numbers[chosen], self.records[chosen], self.rows[chosen])

    def by_tag(self) -> Iterator[tuple[str, Points]]:
        """Each tag with its points, in the order in which they were written."""
        for begin, end in self._spans():
            yield self.tags[self.numbers[begin]], self.rows[begin:end]

    def tag(self, place: int) -> str:
        """The tag of one point."""
        return self.tags[int(self.numbers[place])]

    def firsts(self) -> Indices:
        """The place of each tag's first point."""
        return np.flatnonzero(np.diff(self.numbers, prepend=-1))

    def last(self) -> tuple[int, float]:
        """Step and wall time of the point that was written last."""
        row = self.rows[int(self.records.argmax())]
        return int(row["step"]), float(row["wall_time"])

    def in_order(self) -> Iterator[ScalarEvent]:
        """The points one by one, in the order in which they were written."""
        order = np.argsort(self.records)
        numbers = self.numbers[order].tolist()
        for number, (step, wall_time, value) in zip(numbers, self.rows[order].tolist(), strict=True):
            yield ScalarEvent(wall_time, step, self.tags[number], value)

    def _spans(self) -> Iterator[tuple[int, int]]:
        begins = self.firsts().tolist()
        yield from zip(begins, [*begins[1:], len(self)], strict=True)
