"""Points of scalars from one stretch of an event file, sorted by tag."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from traindeck.events.points import POINT, Points
from traindeck.events.records import Indices


@dataclass(frozen=True, slots=True)
class PointBatch:
    """Points of scalars, from one stretch of a file.

    Attributes:
        tags: The tags by number; bytes that are no UTF-8 are escaped.
        numbers: The tag number of each point; int64, shape (points,).
        records: Which record of its stretch each point is of; int64, shape (points,), never falling within a tag.
        rows: The points, sorted by tag number and then by record; shape (points,).
        undeclared: The numbers of tags of which nothing says that they are scalars.
    """

    tags: list[str]
    numbers: Indices
    records: Indices
    rows: Points
    undeclared: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the points that are `chosen`; bool, shape (points,)."""
        if chosen.all():
            return self
        return type(self)(
            self.tags, self.numbers[chosen], self.records[chosen], self.rows[chosen], undeclared=self.undeclared
        )

    def by_tag(self) -> Iterator[tuple[str, Points]]:
        """Yield each tag with its points, in the order in which they were written."""
        begins = self.firsts().tolist()
        for begin, end in zip(begins, [*begins[1:], len(self)], strict=True):
            yield self.tags[self.numbers[begin]], self.rows[begin:end]

    def tag(self, place: int) -> str:
        """Return the tag of one point."""
        return self.tags[int(self.numbers[place])]

    def firsts(self) -> Indices:
        """Return the place of each tag's first point."""
        return np.flatnonzero(np.diff(self.numbers, prepend=-1))

    def last(self) -> tuple[int, float]:
        """Return step and wall time of the point that was written last."""
        row = self.rows[int(self.records.argmax())]
        return int(row["step"]), float(row["wall_time"])

    def in_order(self) -> Iterator[tuple[str, int, float, float]]:
        """Yield tag, step, wall time and value of each point, in the order in which they were written."""
        order = np.argsort(self.records, kind="stable")
        for number, row in zip(self.numbers[order].tolist(), self.rows[order].tolist(), strict=True):
            yield self.tags[number], *row


@dataclass(slots=True)
class PointColumns:
    """Points gathered in any order, to become a batch: of each part the tags' numbers, the records, and the points."""

    numbers_by_tag: dict[str, int] = field(default_factory=dict)
    declared: set[int] = field(default_factory=set)
    parts: list[tuple[Indices, Indices, Points]] = field(default_factory=list)

    def add(self, tags: list[str], which: Indices, records: Indices, rows: Points, *, are_declared: bool) -> None:
        """Add points: tags[which[i]] is the tag of rows[i], which is of the record records[i]."""
        known = self.numbers_by_tag
        numbers = np.array([known.setdefault(tag, len(known)) for tag in tags])
        self.declared.update(numbers.tolist() if are_declared else ())
        self.parts.append((numbers[which], records, rows))

    def keep_before(self, record: int) -> None:
        """Leave out the points of this record and of those behind it."""
        self.parts = [
            (numbers[kept], records[kept], rows[kept])
            for numbers, records, rows in self.parts
            if (kept := records < record).any()
        ]

    def batch(self) -> PointBatch:
        """Return all points, sorted."""
        none = np.empty(0, np.int64)
        parts = self.parts or [(none, none, np.empty(0, POINT))]
        numbers, records, rows = map(np.concatenate, zip(*parts, strict=True)) if len(parts) > 1 else parts[0]
        undeclared = frozenset(self.numbers_by_tag.values()) - self.declared
        if len(parts) > 1 or len(self.numbers_by_tag) > 1:
            order = np.argsort(numbers * (int(records.max()) + 1) + records, kind="stable")
            numbers, records, rows = numbers[order], records[order], rows[order]
        return PointBatch(list(self.numbers_by_tag), numbers, records, rows, undeclared)
