"""Points of a series as rows of an array, and the summary of them."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from traindeck.events.series import SeriesSummary

POINT: Final = np.dtype([("step", "<i8"), ("wall_time", "<f8"), ("value", "<f8")])
"""One point; 24 bytes."""

Points = NDArray[np.void]
"""Rows of `POINT`, in the order in which they were written."""

SUMMARY: Final = np.dtype(
    [
        ("count", "<i8"),
        ("step", "<i8"),
        ("wall_time", "<f8"),
        ("last", "<f8"),
        ("min", "<f8"),
        ("max", "<f8"),
        ("withdrawals", "<i8"),
    ]
)
"""The summary of one series; `min` and `max` are NaN where no value was finite."""


Summaries = NDArray[np.void]
"""Rows of `SUMMARY`, one for each series."""


def empty_summaries(count: int) -> Summaries:
    """Return summaries of series without points; shape (count,)."""
    rows = np.zeros(count, SUMMARY)
    rows["last"] = rows["min"] = rows["max"] = math.nan
    return rows


def add_to_summaries(rows: Summaries, which: NDArray[np.int64], points: Points, begins: NDArray[np.int64]) -> None:
    """Count `points`, which come after all that `rows` know of.

    `points` are sorted by series: those of the series rows[which[i]] lie from begins[i] to begins[i + 1].
    """
    ends = np.append(begins[1:], len(points))
    last = points[ends - 1]
    rows["count"][which] += ends - begins
    rows["step"][which], rows["wall_time"][which] = last["step"], last["wall_time"]
    rows["last"][which] = last["value"]
    values = np.where(np.isfinite(points["value"]), points["value"], math.nan)
    rows["min"][which] = np.fmin(rows["min"][which], np.fmin.reduceat(values, begins))
    rows["max"][which] = np.fmax(rows["max"][which], np.fmax.reduceat(values, begins))


def summary_values(rows: Summaries) -> list[SeriesSummary]:
    """Return rows of `SUMMARY` as values that a caller can keep and send."""
    return [
        SeriesSummary(finite(last), finite(least), finite(most), step, count, wall_time)
        for count, step, wall_time, last, least, most, _ in rows.tolist()
    ]


def finite(number: float) -> float | None:
    """Return `number`, or None for NaN and the infinities, which JSON does not have."""
    return number if math.isfinite(number) else None
