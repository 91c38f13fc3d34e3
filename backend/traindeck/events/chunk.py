"""Read a chunk of an event file: its scalars as columns, and all other records one by one.

Records of one training loop differ only in their wall time, step, value and tag: they have one layout. One record of
each layout is parsed, and the others follow from it.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from traindeck.events.event import Event, event_or_none
from traindeck.events.pointbatch import PointColumns
from traindeck.events.points import POINT, Points
from traindeck.events.records import LONGEST, Bytes, Indices, Records, record_bytes

WORD_BYTES = 8

Takes = Callable[[Event], bool]
"""Whether records like this event are wanted as columns: it has one scalar, and its number a fixed place."""
CHUNK_BYTES = 1 << 20
"""Read at once: small, so that no operation on it holds the interpreter's lock for long."""
FEW_RECORDS = 16
"""So many records of one length are read faster one by one."""
LAYOUTS_LIMIT = 12
"""How many layouts are looked for among records of one length; the rest is read one by one."""
BAD_LENGTH = "the length of a record does not match its checksum"
BAD_RECORD = "a record does not match its checksum"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records like one record are laid out; `event` says where its parts lie."""

    pattern: bytes
    event: Event

    @classmethod
    def of(cls, record: bytes, takes: Takes) -> Self | None:
        """Return the layout of a record whose event `takes` wants; None for any other."""
        event = event_or_none(record)
        return cls(record, event) if event is not None and takes(event) else None

    def matches(self, columns: Bytes) -> NDArray[np.bool_]:
        """Return which records are laid out so; `columns` have the shape (length, records)."""
        alike = np.ones(columns.shape[1], np.bool_)
        for place in np.flatnonzero(self._constant()).tolist():
            alike &= columns[place] == self.pattern[place]
        if self.event.step_at is not None:
            for place in range(self.event.step_at, self.event.step_end):
                # Each byte of a number says whether another follows.
                alike &= (columns[place] ^ np.uint8(self.pattern[place])) < 0x80
        return alike

    def add_to(self, gathered: PointColumns, columns: Bytes, records: Indices) -> None:
        """Add the points of records that match."""
        tags, which = self._tags(columns)
        texts = [tag.decode(errors="backslashreplace") for tag in tags]
        declared = self.event.scalars[0].is_declared
        gathered.add(texts, which, records, self._rows(columns), are_declared=declared)

    def _rows(self, columns: Bytes) -> Points:
        event, rows = self.event, np.zeros(columns.shape[1], POINT)
        rows["value"] = _floats(columns[self._value], f"<f{self._value.stop - self._value.start}")
        if event.wall_time_at is not None:
            rows["wall_time"] = _floats(columns[event.wall_time_at : event.wall_time_at + WORD_BYTES], "<f8")
        if event.step_at is not None:
            rows["step"] = _varints(columns[event.step_at : event.step_end])
        return rows

    def _tags(self, columns: Bytes) -> tuple[list[bytes], Indices]:
        """Return the tags of records that match, and which of them each has."""
        scalar = self.event.scalars[0]
        names = columns[scalar.tag_start : scalar.tag_end]
        varying = names[(names != names[:, :1]).any(axis=1)]
        if not len(varying):
            return [names[:, 0].tobytes()], np.zeros(names.shape[1], np.int64)
        firsts, which = _distinct(varying)
        return [names[:, first].tobytes() for first in firsts.tolist()], which

    @property
    def _value(self) -> slice:
        scalar = self.event.scalars[0]
        return slice(scalar.value_at, scalar.value_at + struct.calcsize(scalar.format or ""))

    def _constant(self) -> NDArray[np.bool_]:
        event, scalar = self.event, self.event.scalars[0]
        constant = np.ones(len(self.pattern), np.bool_)
        constant[scalar.tag_start : scalar.tag_end] = constant[self._value] = False
        if event.wall_time_at is not None:
            constant[event.wall_time_at : event.wall_time_at + WORD_BYTES] = False
        if event.step_at is not None:
            constant[event.step_at : event.step_end] = False
        return constant


def _floats(columns: Bytes, kind: str) -> NDArray[np.floating[Any]]:
    return np.ascontiguousarray(columns.T).view(kind).reshape(-1)


def _varints(columns: Bytes) -> Indices:
    """Return one number from each record, low bits first."""
    total = np.zeros(columns.shape[1], np.uint64)
    for place, column in enumerate(columns):
        total |= (column & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return total.view(np.int64)


def _distinct(columns: Bytes) -> tuple[Indices, Indices]:
    """Return where each distinct record stands first, and which of them each record is."""
    width = len(columns)
    if width <= WORD_BYTES:
        keys = np.zeros((columns.shape[1], WORD_BYTES), np.uint8)
        keys[:, :width] = columns.T
        packed = keys.view("<u8").reshape(-1)
    else:
        packed = np.ascontiguousarray(columns.T).view(f"V{width}").reshape(-1)
    _, firsts, which = np.unique(packed, return_index=True, return_inverse=True)
    return firsts, which


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands in a stretch of a file, up to the first record that is torn or fails a checksum.

    Attributes:
        columns: The points that could be read as columns.
        others: All other records by their number.
        used_bytes: The size of the records; more than was read where one was too large, and is stepped over.
        corrupt: Why nothing behind can be read, ever; None where nothing is wrong.
        is_too_large: True where the stretch is one record that is stepped over.
    """

    columns: PointColumns
    others: list[tuple[int, bytes]]
    used_bytes: int
    corrupt: str | None = None
    is_too_large: bool = False


def read_chunk(data: bytes, takes: Takes) -> Chunk:
    """Take apart the records that begin with `data`; points of records that `takes` wants become columns."""
    records = Records(data)
    sorter = _Sorter(records, takes)
    for length in np.unique(records.lengths).tolist():
        sorter.read(length, np.flatnonzero(records.lengths == length))
    good = min([len(records.lengths), *sorter.corrupt])
    corrupt = None
    if sorter.corrupt or not records.may_begin(good):
        corrupt = BAD_RECORD if records.may_begin(good) else BAD_LENGTH
        sorter.columns.keep_before(good)
    others = sorted(other for other in sorter.others if other[0] < good)
    return Chunk(sorter.columns, others, int(records.ends[good]), corrupt)


@dataclass(slots=True)
class _Sorter:
    """Sorts the records of one chunk into columns, others and corrupt ones."""

    records: Records
    takes: Takes
    columns: PointColumns = field(default_factory=PointColumns)
    others: list[tuple[int, bytes]] = field(default_factory=list)
    corrupt: list[int] = field(default_factory=list)

    def read(self, length: int, numbers: Indices) -> None:
        """Read the records of one length, which have these numbers."""
        if len(numbers) <= FEW_RECORDS or not 0 < length <= LONGEST:
            self._keep(numbers)
            self.corrupt += [number for number in numbers.tolist() if not self.records.is_sound(number)][:1]
            return
        columns, sound = self.records.columns(numbers)
        self.corrupt += numbers[~sound][:1].tolist()
        left: Indices = np.arange(len(numbers))
        for _ in range(LAYOUTS_LIMIT):
            if not len(left):
                return
            layout = Layout.of(columns[:, left[0]].tobytes(), self.takes)
            alike = left == left[0] if layout is None else layout.matches(_some(columns, left))
            chosen, left = left[alike], left[~alike]
            if layout is None:
                self._keep(numbers[chosen])
            else:
                layout.add_to(self.columns, _some(columns, chosen), numbers[chosen])
        self._keep(numbers[left])

    def _keep(self, numbers: Indices) -> None:
        self.others += ((number, self.records.content(number)) for number in numbers.tolist())


def _some(columns: Bytes, places: Indices) -> Bytes:
    return columns if len(places) == columns.shape[1] else columns[:, places]


def next_chunk(descriptor: int, offset: int, takes: Takes, limit_bytes: int, at_once: int = CHUNK_BYTES) -> Chunk:
    """Return the records from byte `offset` on: as many as fit into `at_once`, or a larger one by itself.

    A record that is cut short by the end of the file is left for later: its writer has not finished it. One of more
    than `limit_bytes` is stepped over.

    Raises:
        OSError: the file cannot be read.
    """
    data = os.pread(descriptor, at_once, offset)
    size = record_bytes(data)
    if size is not None and size > len(data):
        if offset + size > os.fstat(descriptor).st_size:
            return read_chunk(b"", takes)
        if size > limit_bytes:
            return replace(read_chunk(b"", takes), used_bytes=size, is_too_large=True)
        data = os.pread(descriptor, size, offset)
    return read_chunk(data, takes)
