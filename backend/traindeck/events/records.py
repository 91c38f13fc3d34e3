"""Records of an event file: the framing that TensorFlow calls TFRecord, read while the file grows.

A record is its length (uint64), a checksum of the length, the data, and a checksum of the data. Both are
masked CRC-32C: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details.
"""

import os
import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from crc32c import crc32c
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from traindeck.events.scalars import condensed

CHUNK_BYTES = 1 << 20
"""Read at once. Small, so that no array operation on it holds the interpreter's lock for long."""

LARGE_LIMIT_BYTES = 64 << 20

LENGTH = struct.Struct("<Q")
CHECKSUM = struct.Struct("<I")
HEADER_BYTES = 12
FRAME_BYTES = 16
MASK_DELTA = 0xA282EAD8


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole, checked records of one stretch of a file.

    Attributes:
        data: The bytes that were read.
        starts: Where each record's content begins in `data`; int64, shape (records,).
        lengths: The size of each record's content in bytes; int64, shape (records,).
        next_offset: Where in the file to go on.
        exhausted: True where the file holds no further whole record for now.
        is_too_large: True where the stretch is one record that was stepped over.
        corrupt: Why nothing after these records can be read, ever; None where nothing is wrong.
    """

    data: bytes
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    next_offset: int
    exhausted: bool
    corrupt: str | None = None
    is_too_large: bool = False


def masked_crc(data: bytes | memoryview) -> int:
    """The checksum that stands behind `data` in a record."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def read_chunk(descriptor: int, offset: int, limit_bytes: int = CHUNK_BYTES) -> Chunk:
    """The records of an open file from byte `offset` on, as many as fit into `limit_bytes`.

    A record cut short by the end of the file is left for later: its writer has not finished it. Of a record too large
    for `limit_bytes` only its small parts are kept; one of more than `LARGE_LIMIT_BYTES` is stepped over unread.

    Raises:
        OSError: the file cannot be read.
    """
    data = os.pread(descriptor, limit_bytes, offset)
    ends = _walk(data)
    starts, lengths, corrupt = _checked(data, ends)
    used = int(starts[-1] + lengths[-1]) + CHECKSUM.size if starts.size else 0
    rest = len(data) - used
    if corrupt is None and rest >= HEADER_BYTES and not _header_holds(data, used):
        corrupt = "the length of a record does not match its checksum"
    next_offset, exhausted = offset + used, len(data) < limit_bytes
    if corrupt is None and not starts.size and not exhausted:
        return _large_record(descriptor, offset, LENGTH.unpack_from(data)[0])
    return Chunk(data, starts, lengths, next_offset, exhausted or corrupt is not None, _at(corrupt, next_offset))


def _walk(data: bytes) -> list[int]:
    """Where each whole record begins, and where the last one ends, going by the lengths alone."""
    unpack, size, at = LENGTH.unpack_from, len(data), 0
    begins = [0]
    while at + FRAME_BYTES <= size:
        at += unpack(data, at)[0] + FRAME_BYTES
        if at > size:
            break
        begins.append(at)
    return begins


def _checked(data: bytes, begins: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64], str | None]:
    """Starts and lengths of the records up to the first that fails a checksum, and what failed."""
    edges = np.array(begins, dtype=np.int64)
    starts, lengths = edges[:-1] + HEADER_BYTES, np.diff(edges) - FRAME_BYTES
    if not starts.size:
        return starts, lengths, None
    good = _first_failure(_stored(data, edges[:-1] + LENGTH.size), _length_checksums(lengths))
    reason = None if good == len(starts) else "the length of a record does not match its checksum"
    starts, lengths = starts[:good], lengths[:good]
    if starts.size:
        good = _first_failure(_stored(data, starts + lengths), _data_checksums(data, begins[: good + 1]))
        reason = reason if good == len(starts) else "a record does not match its checksum"
    return starts[:good], lengths[:good], reason


def _stored(data: bytes, places: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The checksums that stand at `places`."""
    windows = sliding_window_view(np.frombuffer(data, np.uint8), CHECKSUM.size)
    return windows[places].view("<u4").reshape(-1)


def _length_checksums(lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    distinct, which = np.unique(lengths, return_inverse=True)
    return np.array([masked_crc(LENGTH.pack(length)) for length in distinct.tolist()], np.uint32)[which]


def _data_checksums(data: bytes, begins: list[int]) -> NDArray[np.uint32]:
    view = memoryview(data)
    contents = (view[begin + HEADER_BYTES : end - CHECKSUM.size] for begin, end in pairwise(begins))
    crc = np.fromiter(map(crc32c, contents), np.uint32, len(begins) - 1)
    return (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(MASK_DELTA)


def _first_failure(stored: NDArray[np.uint32], expected: NDArray[np.uint32]) -> int:
    """The index of the first checksum that differs; the number of checksums where none does."""
    wrong = stored != expected
    return int(wrong.argmax()) if wrong.any() else len(stored)


def _header_holds(data: bytes, at: int) -> bool:
    stored: int = CHECKSUM.unpack_from(data, at + LENGTH.size)[0]
    return stored == masked_crc(data[at : at + LENGTH.size])


def _large_record(descriptor: int, offset: int, length: int) -> Chunk:
    """A chunk of one large record, without its large parts; without any record while it is not whole."""
    after, none = offset + length + FRAME_BYTES, np.empty(0, np.int64)
    if after > os.fstat(descriptor).st_size:
        return Chunk(b"", none, none, offset, exhausted=True)
    if length > LARGE_LIMIT_BYTES:
        return Chunk(b"", none, none, after, exhausted=False, is_too_large=True)
    content = os.pread(descriptor, length, offset + HEADER_BYTES)
    stored = os.pread(descriptor, CHECKSUM.size, after - CHECKSUM.size)
    if len(content) < length or CHECKSUM.pack(masked_crc(content)) != stored:
        reason = _at("a record does not match its checksum", offset)
        return Chunk(b"", none, none, offset, exhausted=True, corrupt=reason)
    kept = condensed(content)
    if not kept:
        return Chunk(b"", none, none, after, exhausted=False, is_too_large=kept is None)
    return Chunk(kept, np.zeros(1, np.int64), np.array([len(kept)]), after, exhausted=False)


def _at(reason: str | None, offset: int) -> str | None:
    return None if reason is None else f"{reason} (at byte {offset})"
