"""One stretch of an event file: its points as columns, and whatever else it holds record by record."""

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from traindeck.boards.checksums import LONGEST, Bytes, masked_crc, masked_crcs
from traindeck.boards.frames import (
    FOOTER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    edges,
    sound_headers,
    stored_checksums,
)
from traindeck.boards.layout import Layout, layout_of
from traindeck.boards.points import POINT, Indices, PointBatch, Points

FEW_RECORDS = 16
"""So many records of one length are read faster one by one."""

LAYOUTS_LIMIT = 12
"""How many layouts are looked for among records of one length; the rest is read one by one."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands in a stretch of a file, up to the first record that is torn or fails a checksum.

    Attributes:
        points: The points that could be read as columns.
        others: All other records by their number.
        used_bytes: The size of the records.
        is_sound: False where a checksum failed: nothing behind can be read, ever.
    """

    points: PointBatch
    others: list[tuple[int, bytes]]
    used_bytes: int
    is_sound: bool


def read_chunk(data: bytes) -> Chunk:
    """Take apart the records that begin with `data`."""
    view = np.frombuffer(data, np.uint8)
    ends = edges(data)
    begins, lengths = ends[:-1], np.diff(ends) - FRAME_BYTES
    reader = _Reader(data, view, begins + HEADER_BYTES, lengths)
    sound = sound_headers(view, begins, lengths) if begins.size else np.ones(0, np.bool_)
    for length in np.unique(lengths[sound]).tolist():
        reader.read(length, np.flatnonzero((lengths == length) & sound))
    good = len(begins) if sound.all() else int(sound.argmin())
    good = min([good, *reader.corrupt])
    points = reader.columns.batch()
    others = sorted((number, record) for number, record in reader.others if number < good)
    is_sound = good == len(begins) and _is_sound_head(view[ends[-1] :])
    return Chunk(points.where(points.records < good), others, int(ends[good]), is_sound)


def record_bytes(data: bytes) -> int | None:
    """The size of the record that `data` begins with, where its header is whole and sound."""
    head = np.frombuffer(data, np.uint8)[:HEADER_BYTES]
    if head.size < HEADER_BYTES or not _is_sound_head(head):
        return None
    return int(head[:8].view("<u8")[0]) + FRAME_BYTES


def _is_sound_head(rest: Bytes) -> bool:
    """Whether what follows may still become a record."""
    if rest.size < HEADER_BYTES:
        return True
    return int(rest[8:HEADER_BYTES].view("<u4")[0]) == masked_crc(rest[:8].tobytes())


@dataclass(slots=True)
class _Columns:
    """Points of one layout after another."""

    numbers_by_tag: dict[str, int] = field(default_factory=dict)
    numbers: list[Indices] = field(default_factory=list)
    records: list[Indices] = field(default_factory=list)
    rows: list[Points] = field(default_factory=list)

    def add(self, tags: list[str], which: Indices, records: Indices, rows: Points) -> None:
        known = self.numbers_by_tag
        self.numbers.append(np.array([known.setdefault(tag, len(known)) for tag in tags])[which])
        self.records.append(records)
        self.rows.append(rows)

    def batch(self) -> PointBatch:
        none = np.empty(0, np.int64)
        return PointBatch.sorted(
            list(self.numbers_by_tag),
            np.concatenate([none, *self.numbers]),
            np.concatenate([none, *self.records]),
            np.concatenate([np.empty(0, POINT), *self.rows]),
        )


@dataclass(slots=True)
class _Reader:
    """Sorts the records of one chunk into columns, others and corrupt ones."""

    data: bytes
    view: Bytes
    starts: Indices
    lengths: Indices
    columns: _Columns = field(default_factory=_Columns)
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
            layout = layout_of(rows[left[0]].tobytes())
            alike = left == left[0] if layout is None else layout.matches(_some(columns, left))
            chosen, left = left[alike], left[~alike]
            if layout is not None:
                chosen = chosen[self._broken(layout, _some(columns, chosen), records[chosen])]
            self._keep(records[chosen])
        self._keep(records[left])

    def _broken(self, layout: Layout, columns: Bytes, records: Indices) -> NDArray[np.bool_]:
        """Add the points of records that match; true for those that cannot be, as their tag is no text."""
        tags, which = layout.tags(columns)
        texts = [_text(tag) for tag in tags]
        broken = np.array([text is None for text in texts])[which]
        fine = ~broken
        self.columns.add([text or "" for text in texts], which[fine], records[fine], layout.rows(columns)[fine])
        return broken

    def _keep(self, records: Indices) -> None:
        for number in records.tolist():
            start = int(self.starts[number])
            self.others.append((number, self.data[start : start + int(self.lengths[number])]))

    def _read_singly(self, records: Indices) -> None:
        for number in records.tolist():
            start, length = int(self.starts[number]), int(self.lengths[number])
            record = self.data[start : start + length]
            stored = self.data[start + length : start + length + FOOTER_BYTES]
            if masked_crc(record) != int.from_bytes(stored, "little"):
                self.corrupt.append(number)
                return
            self.others.append((number, record))


def _text(tag: bytes) -> str | None:
    try:
        return tag.decode()
    except UnicodeDecodeError:
        return None


def _some(columns: Bytes, places: Indices) -> Bytes:
    return columns if len(places) == columns.shape[1] else columns[:, places]
