"""One series over the stores of attempts that go on from each other. Importing it is cheap; the first call is not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from traindeck.events.read import count_points, read_series
from traindeck.events.series import Series

FEWEST = 2


def read_line(stores: Sequence[Path], tag: str, points: int = 1000, since: int | None = None) -> Series:
    """As `read_series` of the last store, with what the others hold of earlier steps before it.

    An attempt takes the place of what was written before it from its first step on. The cursor is the last
    store's: what comes after it is that store's alone, as attempts that are over get no more points.
    """
    counts = [count_points(store, tag) for store in stores[:-1]]
    if not any(counts):
        return read_series(stores[-1], tag, points, since)
    last = read_series(stores[-1], tag, points, since)
    before = sum(counts)
    if last.start or (since is not None and not last.steps):
        return replace(last, total=last.total + before, start=last.start + before)
    if last.total:
        last = read_series(stores[-1], tag, _share(points, last.total, before + last.total))
    joined = last
    for store, count in zip(reversed(stores[:-1]), reversed(counts), strict=True):
        if count:
            joined = _before(read_series(store, tag, _share(points, count, before + last.total)), joined)
    return joined


def _share(points: int, count: int, total: int) -> int:
    return max(FEWEST, points * count // total)


def _before(earlier: Series, later: Series) -> Series:
    """Both as one, with the total and the cursor that follow; the steps of `earlier` end where `later` begins."""
    kept = sum(step < later.steps[0] for step in earlier.steps) if later.steps else len(earlier.steps)
    return replace(
        later,
        steps=[*earlier.steps[:kept], *later.steps],
        values=[*earlier.values[:kept], *later.values],
        wall_times=[*earlier.wall_times[:kept], *later.wall_times],
        total=later.total + earlier.total,
    )
