"""The scalars of many records at once.

Records of one training loop differ only in their wall time, step, value and tag. So one record of each
shape is parsed, and the others of that shape are read as columns of a matrix; a record like no other is
parsed by itself.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from traindeck.events.points import POINT, Points
from traindeck.events.records import Chunk
from traindeck.events.scalars import Event, event_or_none
from traindeck.events.shapes import Matrix, Shape, shape_of

SHAPES_LIMIT = 12
"""How many shapes are looked for among records of one length, before the rest is parsed one by one."""

FEW_RECORDS = 8
"""So many records are parsed faster one by one than as a matrix."""

NO_STEP = -1

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """The scalars of one chunk, in the order of its records.

    Attributes:
        tags: The tags that occur, as the bytes that the file holds.
        tag_numbers: Which of `tags` each point has; int64, shape (points,).
        points: The points, less those that were withdrawn further down in the same chunk; shape (points,).
        withdrawn_from: Where a writer began again: all earlier points from this step on are void.
        undeclared: The numbers of tags of which nothing says that they are scalars.
        tags_withdrawn_from: The same as `withdrawn_from` for single tags, in files that do not tell of restarts.
        last_step: The step of the last record with a summary; -1 where there is none.
    """

    tags: list[bytes]
    tag_numbers: Indices
    points: Points
    withdrawn_from: int | None
    undeclared: frozenset[int] = frozenset()
    tags_withdrawn_from: Mapping[bytes, int] = field(default_factory=dict)
    last_step: int = NO_STEP


@dataclass(slots=True)
class Columns:
    """Points gathered in any order: which record each is of, which tag it has, and the point itself."""

    tags: dict[bytes, int] = field(default_factory=dict)
    records: list[Indices] = field(default_factory=list)
    tag_numbers: list[Indices] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)
    restarts: list[tuple[int, int]] = field(default_factory=list)
    declared: set[int] = field(default_factory=set)

    def add(self, records: Indices, tag_numbers: Indices, points: Points) -> None:
        """Add `points`; the three arrays are of one length."""
        self.records.append(records)
        self.tag_numbers.append(tag_numbers)
        self.points.append(points)

    def tag_number(self, tag: bytes) -> int:
        """A number that stands for `tag` in this chunk."""
        return self.tags.setdefault(tag, len(self.tags))


def read_batch(chunk: Chunk) -> Batch:
    """The scalars of a chunk's records; records that hold none, or are not understood, add nothing."""
    columns = Columns()
    windows = np.frombuffer(chunk.data, np.uint8)
    for length in np.unique(chunk.lengths).tolist():
        records = np.flatnonzero(chunk.lengths == length)
        if length and len(records) > FEW_RECORDS:
            rows = sliding_window_view(windows, length)[chunk.starts[records]]
            records = _read_alike(rows, records, columns)
        _read_singly(chunk, records, columns)
    return _in_order(columns)


def _read_alike(rows: Matrix, records: Indices, columns: Columns) -> Indices:
    """Read the rows that are alike as columns, and return the records that are left."""
    left: Indices = np.arange(len(rows))
    odd: list[Indices] = []
    for _ in range(SHAPES_LIMIT):
        if len(left) <= FEW_RECORDS:
            break
        shape = shape_of(rows[left[0]])
        if shape is None:
            odd.append(left[:1])
            left = left[1:]
            continue
        alike = shape.matches(rows[left])
        chosen, left = left[alike], left[~alike]
        _add_alike(shape, rows[chosen], records[chosen], columns)
    rest: Indices = records[np.concatenate([*odd, left])]
    return rest


def _add_alike(shape: Shape, rows: Matrix, records: Indices, columns: Columns) -> None:
    scalar = shape.event.scalars[0]
    tags = np.ascontiguousarray(rows[:, scalar.tag_start : scalar.tag_end])
    if (tags == tags[0]).all():
        numbers = np.full(len(rows), columns.tag_number(tags[0].tobytes()))
    else:
        raw, size = tags.tobytes(), tags.shape[1]
        each = (raw[at : at + size] for at in range(0, len(raw), size))
        numbers = np.fromiter(map(columns.tag_number, each), np.int64, len(rows))
    if scalar.declared:
        columns.declared.update(np.unique(numbers).tolist())
    columns.add(records, numbers, shape.read(rows))


def _read_singly(chunk: Chunk, records: Indices, columns: Columns) -> None:
    found: list[tuple[int, int, tuple[int, float, float]]] = []
    for record in records.tolist():
        start = int(chunk.starts[record])
        content = chunk.data[start : start + int(chunk.lengths[record])]
        event = event_or_none(content)
        if event is None:
            continue
        if event.restarts:
            columns.restarts.append((record, event.step))
        for tag, point, declared in _points_of(event, content):
            found.append((record, columns.tag_number(tag), point))
            if declared:
                columns.declared.add(found[-1][1])
    if found:
        numbers, tags, points = zip(*found, strict=True)
        columns.add(np.array(numbers), np.array(tags), np.array(list(points), POINT))


def _points_of(event: Event, content: bytes) -> Iterator[tuple[bytes, tuple[int, float, float], bool]]:
    for scalar in event.scalars:
        tag = content[scalar.tag_start : scalar.tag_end]
        yield tag, (event.step, event.wall_time, scalar.value), scalar.declared


def _in_order(columns: Columns) -> Batch:
    withdrawn = min((step for _, step in columns.restarts), default=None)
    if not columns.points:
        return Batch([], np.empty(0, np.int64), np.empty(0, POINT), withdrawn)
    records = np.concatenate(columns.records)
    order = np.argsort(records, kind="stable")
    records, points = records[order], np.concatenate(columns.points)[order]
    tag_numbers = np.concatenate(columns.tag_numbers)[order]
    for restart, step in columns.restarts:
        kept = (records > restart) | (points["step"] < step)
        records, tag_numbers, points = records[kept], tag_numbers[kept], points[kept]
    undeclared = frozenset(columns.tags.values()) - columns.declared
    return Batch(list(columns.tags), tag_numbers, points, withdrawn, undeclared)


def read_old_batch(chunk: Chunk, last_step: int) -> Batch:
    """The scalars of a chunk of a file that does not tell of restarts.

    A step back then means one: it voids what its tags have from its step on, as in TensorBoard. So each record is read
    for itself, in order.

    Args:
        chunk: The records.
        last_step: The step of the last record before them that has a summary.
    """
    found: dict[bytes, list[tuple[int, float, float]]] = {}
    declared: set[bytes] = set()
    withdrawn: dict[bytes, int] = {}
    zigzag: set[bytes] = set()
    for start, length in zip(chunk.starts.tolist(), chunk.lengths.tolist(), strict=True):
        content = chunk.data[start : start + length]
        event = event_or_none(content)
        if event is None or not event.has_summary:
            continue
        for tag, point, is_declared in _points_of(event, content):
            points = found.setdefault(tag, [])
            if event.step < last_step:
                if tag in zigzag:
                    points[:] = [one for one in points if one[0] < event.step]
                else:
                    del points[bisect_left(points, event.step, key=itemgetter(0)) :]
                withdrawn[tag] = min(event.step, withdrawn.get(tag, event.step))
            elif points and points[-1][0] > event.step:
                # A step back of the record before it, which had other tags.
                zigzag.add(tag)
            points.append(point)
            if is_declared:
                declared.add(tag)
        last_step = event.step
    tags = list(found)
    numbers = np.repeat(np.arange(len(tags)), [len(found[tag]) for tag in tags])
    rows = np.array([point for tag in tags for point in found[tag]], POINT)
    undeclared = frozenset(number for number, tag in enumerate(tags) if tag not in declared)
    return Batch(tags, numbers, rows, None, undeclared, withdrawn, last_step)
