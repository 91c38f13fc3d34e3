"""One series of a store, read for a chart."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from traindeck.events.downsample import in_step_order, thinned
from traindeck.events.points import POINT, Points, finite
from traindeck.events.rows import read_rows
from traindeck.events.snapshot import file_of, open_part, open_snapshot

BLOCK_ROWS = 1 << 20
"""A longer series is thinned block by block first, so that memory is bounded: 24 MB for a block."""

SPARE = 4
"""Of each block so many times the points asked for are kept."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One series at one moment of its store.

    Attributes:
        path: The file with the rows.
        extents: Where its rows lie.
        count: How many rows count.
        withdrawals: How often points of it were withdrawn.
    """

    path: Path
    extents: list[int]
    count: int
    withdrawals: int

    @classmethod
    def open(cls, folder: Path, name: str) -> Self | None:
        """The series called `name`; None where the store has none, or cannot be read."""
        opened = open_snapshot(folder)
        number = None if opened is None else opened.numbers.get(name)
        if opened is None or number is None:
            return None
        snapshot = opened.snapshot
        summary = snapshot.summaries[number]
        extents = snapshot.extents["row"][snapshot.extents["series"] == number].tolist()
        path = file_of(folder, "points", snapshot.header.generation)
        return cls(path, extents, int(summary["count"]), int(summary["withdrawals"]))

    def read(self, start: int, limit: int) -> tuple[list[int], list[float | None], list[float]]:
        """Steps, values and wall times of at most `limit` of the rows from `start` on, ordered by step."""
        try:
            points = thinned(in_step_order(self._gathered(start, limit)), limit)
        except (OSError, EOFError):
            points = np.empty(0, POINT)
        values = [finite(value) for value in points["value"].tolist()]
        return points["step"].tolist(), values, points["wall_time"].tolist()

    def _gathered(self, start: int, limit: int) -> Points:
        blocks = list(self._blocks(start, limit if self.count - start > BLOCK_ROWS else None))
        return blocks[0] if len(blocks) == 1 else np.concatenate([np.empty(0, POINT), *blocks])

    def _blocks(self, start: int, limit: int | None) -> Iterator[Points]:
        descriptor = open_part(self.path)
        try:
            for first in range(start, self.count, BLOCK_ROWS):
                rows = read_rows(descriptor, self.extents, first, min(first + BLOCK_ROWS, self.count))
                yield rows if limit is None else thinned(in_step_order(rows), limit * SPARE)
        finally:
            os.close(descriptor)
