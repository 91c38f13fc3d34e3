"""Where the points of each series lie in one shared file.

Thousands of series share one file, so that none of them costs a file descriptor. A series gets extents:
stretches of rows, each twice as long as the one before up to a limit. A series of a million points is then 27
stretches, and one of three points wastes 13 rows.
"""

from collections.abc import Iterator, Sequence

FIRST_ROWS = 16
LIMIT_ROWS = 1 << 16
DOUBLINGS = 12
ROWS_WHILE_DOUBLING = FIRST_ROWS * ((1 << DOUBLINGS) - 1)


def extent_rows(place: int) -> int:
    """How many rows a series' extent number `place` has."""
    return FIRST_ROWS << place if place < DOUBLINGS else LIMIT_ROWS


def rows_before(place: int) -> int:
    """How many rows a series' extents before number `place` have together."""
    if place <= DOUBLINGS:
        return FIRST_ROWS * ((1 << place) - 1)
    return ROWS_WHILE_DOUBLING + (place - DOUBLINGS) * LIMIT_ROWS


def extents_for(rows: int) -> int:
    """How many extents hold `rows` rows."""
    if rows <= ROWS_WHILE_DOUBLING:
        return ((rows + FIRST_ROWS - 1) // FIRST_ROWS).bit_length()
    return DOUBLINGS - (ROWS_WHILE_DOUBLING - rows) // LIMIT_ROWS


def stretches(extents: Sequence[int], start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Where rows `start` to `stop` of a series lie, whose extents begin at the rows `extents` of the file.

    Yields (row of the file, first row of the series, row of the series after the last) in order.
    """
    for place in range(max(extents_for(start + 1) - 1, 0), extents_for(stop)):
        begin = rows_before(place)
        first, last = max(start, begin), min(stop, begin + extent_rows(place))
        yield extents[place] + first - begin, first, last
