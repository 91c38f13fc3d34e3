"""One stretch of an event file: the points of its scalars as columns, and whatever else it holds record by record."""

import os
from dataclasses import dataclass, field, replace

import numpy as np

from traindeck.events.layout import Layout, Takes
from traindeck.events.pointbatch import PointColumns
from traindeck.events.records import LONGEST, Bytes, Indices, Records, record_bytes

CHUNK_BYTES = 1 << 20
"""Read at once: small, so that no operation on it holds the interpreter's lock for long."""
FEW_RECORDS = 16
"""So many records of one length are read faster one by one."""
LAYOUTS_LIMIT = 12
"""How many layouts are looked for among records of one length; the rest is read one by one."""
BAD_LENGTH = "the length of a record does not match its checksum"
BAD_RECORD = "a record does not match its checksum"


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
