"""Reads series from a store, beside the tail that writes it. Importing it is cheap; the first call is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from traindeck.events.series import Series, SeriesSummary

PROBLEMS_LIMIT = 20
CURSOR_BITS = 40
"""The low bits of a cursor count points; the rest counts how often points of the series were withdrawn."""


def list_series(store_folder: Path) -> dict[str, SeriesSummary]:
    """The summaries of all series in a store, by name; {} where there is no store that can be read."""
    from traindeck.events.points import summary_values
    from traindeck.events.snapshot import open_snapshot

    opened = open_snapshot(store_folder)
    if opened is None:
        return {}
    snapshot = opened.snapshot
    names = (name for _, _, name in snapshot.names)
    found = dict(zip(names, summary_values(snapshot.summaries), strict=True))
    return {name: summary for name, summary in found.items() if summary.count}


def list_names(store_folder: Path) -> list[str]:
    """The names of all series in a store that have points; much cheaper than their summaries."""
    from traindeck.events.snapshot import open_snapshot

    opened = open_snapshot(store_folder)
    if opened is None:
        return []
    counts = opened.snapshot.summaries["count"].tolist()
    return [name for name, number in opened.numbers.items() if counts[number]]


def list_problems(store_folder: Path) -> list[str]:
    """What of the event files the store lacks or has corrected, in sentences that name the files; 20 at most."""
    from traindeck.events.snapshot import read_header

    header = read_header(store_folder)
    return [] if header is None else header.problems


def bound_problems(problems: Sequence[str]) -> list[str]:
    """As many of the problems as somebody reads, each once, and how many there are more."""
    distinct = list(dict.fromkeys(problems))
    if len(distinct) <= PROBLEMS_LIMIT:
        return distinct
    kept = distinct[: PROBLEMS_LIMIT - 1]
    return [*kept, f"and {len(distinct) - len(kept):,} more problems of this kind"]


def count_points(store_folder: Path, tag: str) -> int:
    """How many points a series has; 0 where there is none."""
    from traindeck.events.snapshot import open_snapshot

    opened = open_snapshot(store_folder)
    number = None if opened is None else opened.numbers.get(tag)
    return 0 if opened is None or number is None else int(opened.snapshot.summaries["count"][number])


def read_series(store_folder: Path, tag: str, points: int = 1000, since: int | None = None) -> Series:
    """At most `points` points of a series, in the order of their steps.

    A series that is not there (yet) has no points, and neither has one whose store cannot be read.

    Args:
        store_folder: What the attempt's tail writes.
        tag: The name of the series, as `list_series` gives it.
        points: Where there are more, peaks and the gaps of NaN are kept.
        since: The `cursor` of an earlier answer, to get only points written later. Their steps may be smaller
            than those of earlier ones, where the run itself writes its steps out of order.
    """
    from traindeck.events.columns import Columns

    columns = Columns.open(store_folder, tag)
    if columns is None:
        return Series(tag, [], [], [], 0, 0, 0)
    start = _start(since, columns.count, columns.withdrawals)
    steps, values, wall_times = columns.read(start, points)
    cursor = columns.withdrawals << CURSOR_BITS | columns.count
    return Series(tag, steps, values, wall_times, columns.count, start, cursor)


def _start(since: int | None, count: int, withdrawals: int) -> int:
    """How many points the holder of a cursor has; 0 where the cursor is not of this series as it is now."""
    if since is None or since < 0 or since >> CURSOR_BITS != withdrawals:
        return 0
    seen = since & ((1 << CURSOR_BITS) - 1)
    return seen if seen <= count else 0
