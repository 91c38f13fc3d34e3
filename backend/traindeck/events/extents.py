"""Where the points of each series lie in one shared file, and how they are read and written there.

Thousands of series share one file, so that none of them costs a file descriptor. A series gets extents:
stretches of rows, each twice as long as the one before up to a limit. A series of a million points is then 27
stretches, and one of three points wastes 13 rows.
"""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from traindeck.events.points import POINT, Points

FIRST_ROWS = 16
LIMIT_ROWS = 1 << 16
DOUBLINGS = 12
ROWS_WHILE_DOUBLING = FIRST_ROWS * ((1 << DOUBLINGS) - 1)


def extent_rows(place: int) -> int:
    """Return how many rows a series' extent number `place` has."""
    return FIRST_ROWS << place if place < DOUBLINGS else LIMIT_ROWS


def rows_before(place: int) -> int:
    """Return how many rows a series' extents before number `place` have together."""
    if place <= DOUBLINGS:
        return FIRST_ROWS * ((1 << place) - 1)
    return ROWS_WHILE_DOUBLING + (place - DOUBLINGS) * LIMIT_ROWS


def extents_for(rows: int) -> int:
    """Return how many extents hold `rows` rows."""
    if rows <= ROWS_WHILE_DOUBLING:
        return ((rows + FIRST_ROWS - 1) // FIRST_ROWS).bit_length()
    return DOUBLINGS - (ROWS_WHILE_DOUBLING - rows) // LIMIT_ROWS


def stretches(extents: Sequence[int], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Yield where rows `start` to `stop` of a series lie, whose extents begin at the rows `extents` of the file.

    Yields (row of the file, first row of the series, row of the series after the last) in order.
    """
    for place in range(max(extents_for(start + 1) - 1, 0), extents_for(stop)):
        begin = rows_before(place)
        first, last = max(start, begin), min(stop, begin + extent_rows(place))
        yield extents[place] + first - begin, first, last


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` at a byte of an open file.

    Raises:
        OSError: there is no room for all of it.
    """
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, offset)
        view, offset = view[done:], offset + done


def write_rows(descriptor: int, extents: Sequence[int], start: int, points: Points) -> int:
    """Write `points` as the rows of a series from row `start` on; returns the byte behind the last of them.

    Raises:
        OSError: there is no room for all of them.
    """
    end = 0
    for row, first, last in stretches(extents, start, start + len(points)):
        write_at(descriptor, points[first - start : last - start].tobytes(), row * POINT.itemsize)
        end = max(end, (row + last - first) * POINT.itemsize)
    return end


def read_rows(descriptor: int, extents: Sequence[int], start: int, stop: int) -> Points:
    """Return rows `start` to `stop` of a series.

    Not mapped into memory: a file that is cut short under a mapping kills the process.

    Raises:
        OSError: the file cannot be read.
        EOFError: it ends before the rows do.
    """
    points = np.empty(max(stop - start, 0), POINT)
    view = points.view(np.uint8).data
    for row, first, last in stretches(extents, start, stop):
        part = view[(first - start) * POINT.itemsize : (last - start) * POINT.itemsize]
        if os.preadv(descriptor, [part], row * POINT.itemsize) != len(part):
            raise EOFError("the points file is shorter than its state says")
    return points
