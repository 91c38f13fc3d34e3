"""The scalar series of a store, read beside the tail that writes it.

Importing this is cheap: values and functions are light enough for any module of the server. The first call is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PROBLEMS_LIMIT = 20
CURSOR_BITS = 40
"""The low bits of a cursor count points; the rest counts how often points of the series were withdrawn."""

FEWEST = 2


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """What one series has come to.

    Attributes:
        last: The value written last; None where it is NaN or infinite.
        min: The smallest finite value; None where there was none.
        max: The largest finite value; None where there was none.
        step: The step of the value written last.
        count: How many points there are.
        wall_time: When the last value was written, in seconds since the epoch, by the trainer's clock.
    """

    last: float | None
    min: float | None
    max: float | None
    step: int
    count: int
    wall_time: float


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one series, in order of their steps, thinned where there were too many.

    Attributes:
        tag: The series' name.
        steps: One for each point; never falls.
        values: One for each point; None where the value is NaN or infinite, which a chart draws as a gap.
        wall_times: One for each point, in seconds since the epoch.
        total: How many points the whole series has.
        start: How many points came before these: 0 where these stand for the whole series, and a chart
            replaces what it has; it is also 0 when the cursor was of points that a restart has withdrawn.
        cursor: What to ask with next time to get only newer points; opaque, below 2**53.
    """

    tag: str
    steps: list[int]
    values: list[float | None]
    wall_times: list[float]
    total: int
    start: int
    cursor: int


def list_series(store_folder: Path) -> dict[str, SeriesSummary]:
    """Return the summaries of all series in a store, by name; {} where there is no store that can be read."""
    from traindeck.events.points import summary_values
    from traindeck.events.storestate import open_snapshot

    opened = open_snapshot(store_folder)
    if opened is None:
        return {}
    snapshot = opened.snapshot
    names = (name for _, _, name in snapshot.names)
    found = dict(zip(names, summary_values(snapshot.summaries), strict=True))
    return {name: summary for name, summary in found.items() if summary.count}


def list_names(store_folder: Path) -> list[str]:
    """Return the names of all series in a store that have points; much cheaper than their summaries."""
    from traindeck.events.storestate import open_snapshot

    opened = open_snapshot(store_folder)
    if opened is None:
        return []
    counts = opened.snapshot.summaries["count"].tolist()
    return [name for name, number in opened.numbers.items() if counts[number]]


def list_problems(store_folder: Path) -> list[str]:
    """Return what of the event files the store lacks or has corrected, in sentences that name the files; 20 at most."""
    from traindeck.events.storestate import read_header

    header = read_header(store_folder)
    return [] if header is None else header.problems


def bound_problems(problems: Sequence[str]) -> list[str]:
    """Return as many of the problems as somebody reads, each once, and how many there are more."""
    distinct = list(dict.fromkeys(problems))
    if len(distinct) <= PROBLEMS_LIMIT:
        return distinct
    kept = distinct[: PROBLEMS_LIMIT - 1]
    return [*kept, f"and {len(distinct) - len(kept):,} more problems of this kind"]


def count_points(store_folder: Path, tag: str) -> int:
    """Return how many points a series has; 0 where there is none."""
    from traindeck.events.storestate import open_snapshot

    opened = open_snapshot(store_folder)
    number = None if opened is None else opened.numbers.get(tag)
    return 0 if opened is None or number is None else int(opened.snapshot.summaries["count"][number])


def read_series(store_folder: Path, tag: str, points: int = 1000, since: int | None = None) -> Series:
    """Return at most `points` points of a series, in the order of their steps.

    A series that is not there (yet) has no points, and neither has one whose store cannot be read.

    Args:
        store_folder: What the attempt's tail writes.
        tag: The name of the series, as `list_series` gives it.
        points: Where there are more, peaks and the gaps of NaN are kept.
        since: The `cursor` of an earlier answer, to get only points written later. Their steps may be smaller
            than those of earlier ones, where the run itself writes its steps out of order.
    """
    from traindeck.events.chart import StoredColumns

    columns = StoredColumns.open(store_folder, tag)
    if columns is None:
        return Series(tag, [], [], [], 0, 0, 0)
    start = _start(since, columns.count, columns.withdrawals)
    steps, values, wall_times = columns.read(start, points)
    cursor = columns.withdrawals << CURSOR_BITS | columns.count
    return Series(tag, steps, values, wall_times, columns.count, start, cursor)


def _start(since: int | None, count: int, withdrawals: int) -> int:
    """Return how many points the holder of a cursor has; 0 where the cursor is not of this series as it is now."""
    if since is None or since < 0 or since >> CURSOR_BITS != withdrawals:
        return 0
    seen = since & ((1 << CURSOR_BITS) - 1)
    return seen if seen <= count else 0


def read_line(stores: Sequence[Path], tag: str, points: int = 1000, since: int | None = None) -> Series:
    """Return `read_series` of the last store, with what the others hold of earlier steps before it.

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
    """Join both, with the total and the cursor that follow; the steps of `earlier` end where `later` begins."""
    kept = sum(step < later.steps[0] for step in earlier.steps) if later.steps else len(earlier.steps)
    return replace(
        later,
        steps=[*earlier.steps[:kept], *later.steps],
        values=[*earlier.values[:kept], *later.values],
        wall_times=[*earlier.wall_times[:kept], *later.wall_times],
        total=later.total + earlier.total,
    )
