"""Thins series for charts so that peaks stay: MinMaxLTTB, https://arxiv.org/abs/2305.00332."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traindeck.events.points import Points

LEAST_POINTS = 8
"""Below this the algorithm has nothing to choose from, and rows are taken evenly."""


def in_step_order(points: Points) -> Points:
    """The points by step, those of one step by time; as they are where they are in order already."""
    steps = points["step"]
    if len(points) < 2 or bool((steps[1:] >= steps[:-1]).all()):
        return points
    ordered: Points = points[np.lexsort((points["wall_time"], steps))]
    return ordered


def thinned(points: Points, limit: int) -> Points:
    """At most `limit` of some points that are in the order of their steps.

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
    """Which of the points to keep; none of their values is NaN or infinite."""
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
    """`limit` of `count` indices, the first and the last among them."""
    return np.linspace(0, max(count - 1, 0), min(limit, count)).astype(np.int64)
