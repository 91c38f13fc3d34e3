"""One series of a store, read for a chart: thinned so that peaks stay, by MinMaxLTTB (https://arxiv.org/abs/2305.00332)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from traindeck.events.extents import read_rows
from traindeck.events.points import POINT, Points, finite
from traindeck.events.storestate import file_of, open_part, open_snapshot

LEAST_POINTS = 8
"""Below this the algorithm has nothing to choose from, and rows are taken evenly."""

BLOCK_ROWS = 1 << 20
"""A longer series is thinned block by block first, so that memory is bounded: 24 MB for a block."""

SPARE = 4
"""Of each block so many times the points asked for are kept."""


@dataclass(frozen=True, slots=True)
class StoredColumns:
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
        """Return the series called `name`; None where the store has none, or cannot be read."""
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
        """Return steps, values and wall times of at most `limit` of the rows from `start` on, ordered by step."""
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


def in_step_order(points: Points) -> Points:
    """Return the points by step, those of one step by time; as they are where they are in order already."""
    steps = points["step"]
    if len(points) < 2 or bool((steps[1:] >= steps[:-1]).all()):
        return points
    ordered: Points = points[np.lexsort((points["wall_time"], steps))]
    return ordered


def thinned(points: Points, limit: int) -> Points:
    """Return at most `limit` of some points that are in the order of their steps.

    Values that are NaN or infinite are kept as gaps: the first of each run of them, as far as there is room.
    """
    if len(points) <= limit:
        return points
    if limit < LEAST_POINTS:
        few: Points = points[_evenly(len(points), limit)]
        return few
    finite = np.isfinite(points["value"])
    if finite.all():
        regular: Points = points[_min_max_lttb(points, limit)]
        return regular
    gaps = np.flatnonzero(~finite & np.concatenate([[True], finite[:-1]]))
    gaps = gaps[_evenly(len(gaps), min(len(gaps), limit // 4))]
    kept = np.flatnonzero(finite)
    chosen = kept[_min_max_lttb(points[kept], limit - len(gaps))]
    rest: Points = points[np.sort(np.concatenate([chosen, gaps]))]
    return rest


def _min_max_lttb(points: Points, limit: int) -> NDArray[np.int64]:
    """Return which of the points to keep; none of their values is NaN or infinite."""
    if len(points) <= limit:
        return np.arange(len(points))
    import tsdownsample

    sampler: Any = tsdownsample.MinMaxLTTBDownsampler
    # From the first, as a float rounds the steps beyond 2**53; without a sign, as the difference can have 64 bits.
    whole = points["step"].astype(np.uint64)
    steps = (whole - whole[0]).astype(np.float64)
    values = np.ascontiguousarray(points["value"])
    # Without a step of its own each point has the same one, and there is no axis to divide.
    axes = (steps, values) if steps[0] < steps[-1] else (values,)
    chosen: NDArray[np.uint64] = sampler().downsample(*axes, n_out=limit)
    return np.unique(chosen.astype(np.int64))


def _evenly(count: int, limit: int) -> NDArray[np.int64]:
    """Return `limit` of `count` indices, the first and the last among them."""
    return np.linspace(0, max(count - 1, 0), min(limit, count)).astype(np.int64)
