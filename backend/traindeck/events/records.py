"""Records of an event file: where they begin, and whether they match their checksums.

A record is its length (uint64), a checksum of the length, the data, and a checksum of the data. Both are masked
CRC-32C: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details. A training loop writes
records of the same few lengths again and again, so after some records the next are predicted, many at a time.
"""

import struct
import threading
from collections.abc import Iterator

import numpy as np
from crc32c import crc32c
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

LENGTH = struct.Struct("<Q")
HEADER_BYTES, FOOTER_BYTES = 12, 4
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
MASK_DELTA = 0xA282EAD8

LEARNT = 128
"""Records walked one by one before the next are predicted; a loop may write half as many in a round."""
PREDICTED = 1024
NO_LENGTH = 1 << 62
"""A length that no record has."""
LONGEST = 512
"""Bytes of a record for which tables of checksums are kept, 1 KB for each; longer records are checked one by one."""

Bytes = NDArray[np.uint8]
Indices = NDArray[np.int64]


class Records:
    """The whole records that some bytes begin with, going by their lengths alone.

    Attributes:
        ends: Where each record begins, and where the last one ends; int64, shape (records + 1,).
        lengths: The size of each record's content; int64, shape (records,).
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._view = data, np.frombuffer(data, np.uint8)
        self.ends = edges(data)
        self.lengths = np.diff(self.ends) - FRAME_BYTES

    def content(self, number: int) -> bytes:
        """Return the content of one record."""
        begin, end = self.ends[number : number + 2].tolist()
        return self._data[begin + HEADER_BYTES : end - FOOTER_BYTES]

    def is_sound(self, number: int) -> bool:
        """Return whether one record matches its checksums."""
        begin, end = self.ends[number : number + 2].tolist()
        content = memoryview(self._data)[begin + HEADER_BYTES : end - FOOTER_BYTES]
        footer = int.from_bytes(self._data[end - FOOTER_BYTES : end], "little")
        return self.may_begin(number) and masked_crc(content) == footer

    def may_begin(self, number: int) -> bool:
        """Return whether one record, or what stands behind the last one, has a sound header, or not yet a whole one."""
        begin = int(self.ends[number])
        head = self._data[begin : begin + HEADER_BYTES]
        return len(head) < HEADER_BYTES or record_bytes(head) is not None

    def columns(self, numbers: Indices) -> tuple[Bytes, NDArray[np.bool_]]:
        """Return the bytes of records of one length, shape (length, records), and which match their checksums."""
        length = int(self.lengths[numbers[0]])
        frames = np.ascontiguousarray(sliding_window_view(self._view, length + FRAME_BYTES)[self.ends[numbers]].T)
        content, footers = frames[HEADER_BYTES:-FOOTER_BYTES], np.ascontiguousarray(frames[-FOOTER_BYTES:].T)
        head = np.array(masked_crc(LENGTH.pack(length)), "<u4").reshape(1).view(np.uint8)
        sound = (frames[LENGTH.size : HEADER_BYTES] == head[:, None]).all(axis=0)
        return content, sound & (masked_crcs(content) == footers.view("<u4").reshape(-1))


def record_bytes(data: bytes) -> int | None:
    """Return the size of the record that `data` begins with, where its header is whole and sound."""
    head, stored = data[: LENGTH.size], data[LENGTH.size : HEADER_BYTES]
    if len(data) < HEADER_BYTES or masked_crc(head) != int.from_bytes(stored, "little"):
        return None
    size: int = LENGTH.unpack(head)[0] + FRAME_BYTES
    return size


def edges(data: bytes) -> Indices:
    """Return where each whole record begins, and where the last one ends, going by the lengths alone."""
    view = np.frombuffer(data, np.uint8)
    parts = [np.zeros(1, np.int64)]
    while True:
        walked = np.array(_walk(data, int(parts[-1][-1])), np.int64)
        parts.append(walked[1:])
        if walked.size <= LEARNT:
            return np.concatenate(parts)
        parts += filter(len, _predicted(view, int(walked[-1]), np.diff(walked)))


def _walk(data: bytes, at: int) -> list[int]:
    size, begins = len(data), [at]
    while at + FRAME_BYTES <= size and len(begins) <= LEARNT:
        at += LENGTH.unpack_from(data, at)[0] + FRAME_BYTES
        if at > size:
            break
        begins.append(at)
    return begins


def _predicted(view: Bytes, at: int, sizes: Indices) -> Iterator[Indices]:
    """Yield the ends of the records from `at` on that keep to the rhythm of the records of those `sizes`."""
    period = next((p for p in range(1, LEARNT // 2 + 1) if (sizes[p:] == sizes[:-p]).all()), None)
    if period is None:
        return
    count, rhythm = PREDICTED, sizes[-period:]
    while True:
        expected = rhythm[np.arange(count) % period]
        ends = at + np.cumsum(expected)
        right = (_lengths(view, ends - expected) == expected - FRAME_BYTES) & (ends <= view.size)
        good = count if right.all() else int(right.argmin())
        yield ends[:good]
        if good < count:
            return
        at, count, rhythm = int(ends[-1]), 2 * count, np.roll(rhythm, -(count % period))


def _lengths(view: Bytes, begins: Indices) -> Indices:
    """Return the lengths that stand at `begins`, where there is room for one."""
    found = np.full(len(begins), NO_LENGTH, np.int64)
    inside = begins + LENGTH.size <= view.size
    found[inside] = sliding_window_view(view, LENGTH.size)[begins[inside]].view("<i8").reshape(-1)
    return found


def masked_crc(data: bytes | memoryview) -> int:
    """Return the checksum that stands behind `data` in an event file."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def masked_crcs(columns: Bytes) -> NDArray[np.uint32]:
    """Return the checksums of the records whose bytes are the columns: shape (length, records), length ≤ `LONGEST`.

    CRC-32C is linear: the checksum of a record is that of as many zero bytes, XOR what each of its bytes adds at its
    place. What a byte adds is looked up for a whole column of bytes, four times faster than record by record.
    """
    length, count = columns.shape
    crc = np.full(count, crc32c(bytes(length)), np.uint32)
    for table, column in zip(reversed(_tables(length)), columns, strict=True):
        first = column[0]
        crc ^= table[first] if (column == first).all() else table.take(column)
    return (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(MASK_DELTA)


_known: list[NDArray[np.uint32]] = []
_lock = threading.Lock()


def _tables(length: int) -> list[NDArray[np.uint32]]:
    """Return what each byte adds to a checksum where 0, 1, 2, … bytes follow it."""
    with _lock:
        while len(_known) < length:
            _known.append(_after_one_more(_known[-1]) if _known else _of_last_byte())
        return _known[:length]


def _of_last_byte() -> NDArray[np.uint32]:
    zero = crc32c(b"\0")
    return np.array([crc32c(bytes([byte])) ^ zero for byte in range(256)], np.uint32)


def _after_one_more(table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    longer: NDArray[np.uint32] = _known[0][table & np.uint32(0xFF)] ^ (table >> np.uint32(8))
    return longer
