"""One stretch of an event file: the points of its scalars as columns, and whatever else it holds record by record."""

import os
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from traindeck.events.layout import Layout, Takes
from traindeck.events.pointbatch import PointColumns
from traindeck.events.records import (
    FOOTER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    LONGEST,
    Bytes,
    Indices,
    edges,
    is_sound_head,
    masked_crc,
    masked_crcs,
    record_bytes,
    sound_headers,
    stored_checksums,
)

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
    view = np.frombuffer(data, np.uint8)
    ends = edges(data)
    begins, lengths = ends[:-1], np.diff(ends) - FRAME_BYTES
    sorter = _Sorter(data, view, begins + HEADER_BYTES, lengths, takes)
    sound = sound_headers(view, begins, lengths)
    for length in np.unique(lengths[sound]).tolist():
        sorter.read(length, np.flatnonzero((lengths == length) & sound))
    heads = len(begins) if sound.all() else int(sound.argmin())
    good = min([heads, *sorter.corrupt])
    corrupt = BAD_RECORD if good < heads else None
    if good == heads and (heads < len(begins) or not is_sound_head(data[ends[-1] : ends[-1] + HEADER_BYTES])):
        corrupt = BAD_LENGTH
    if corrupt is not None:
        sorter.columns.keep_before(good)
    others = sorted(other for other in sorter.others if other[0] < good)
    return Chunk(sorter.columns, others, int(ends[good]), corrupt)


@dataclass(slots=True)
class _Sorter:
    """Sorts the records of one chunk into columns, others and corrupt ones."""

    data: bytes
    view: Bytes
    starts: Indices
    lengths: Indices
    takes: Takes
    columns: PointColumns = field(default_factory=PointColumns)
    others: list[tuple[int, bytes]] = field(default_factory=list)
    corrupt: list[int] = field(default_factory=list)

    def read(self, length: int, records: Indices) -> None:
        """Read all records of one length."""
        if len(records) <= FEW_RECORDS or not 0 < length <= LONGEST:
            self._read_singly(records)
            return
        rows = sliding_window_view(self.view, length)[self.starts[records]]
        columns = np.ascontiguousarray(rows.T)
        sound = masked_crcs(columns) == stored_checksums(self.view, self.starts[records] + length)
        if not sound.all():
            self.corrupt.append(int(records[sound.argmin()]))
        left: Indices = np.arange(len(records))
        for _ in range(LAYOUTS_LIMIT):
            if not len(left):
                return
            layout = Layout.of(rows[left[0]].tobytes(), self.takes)
            alike = left == left[0] if layout is None else layout.matches(_some(columns, left))
            chosen, left = left[alike], left[~alike]
            if layout is None:
                self._keep(records[chosen])
            else:
                layout.add_to(self.columns, _some(columns, chosen), records[chosen])
        self._keep(records[left])

    def _keep(self, records: Indices) -> None:
        for number in records.tolist():
            start = int(self.starts[number])
            self.others.append((number, self.data[start : start + int(self.lengths[number])]))

    def _read_singly(self, records: Indices) -> None:
        self._keep(records)
        for number, record in self.others[-len(records) :]:
            end = int(self.starts[number]) + len(record)
            if masked_crc(record) != int.from_bytes(self.data[end : end + FOOTER_BYTES], "little"):
                self.corrupt.append(number)
                return


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
