"""Reading and writing rows of points in the file that all series of a store share."""

import os
from collections.abc import Sequence

import numpy as np

from traindeck.events.extents import stretches
from traindeck.events.points import POINT, Points


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
    """Rows `start` to `stop` of a series.

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
