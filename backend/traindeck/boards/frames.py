"""Where records begin in a stretch of an event file.

A record is its length (uint64), a checksum of the length, the data, and a checksum of the data:
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details. A training loop writes records
of the same few lengths again and again, so after some records the next are foretold, many at a time.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from traindeck.boards.checksums import Bytes, masked_crc
from traindeck.boards.points import Indices

LENGTH = struct.Struct("<Q")
HEADER_BYTES = 12
FOOTER_BYTES = 4
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
LEARNT = 128
"""Records walked one by one before the next are foretold; a loop may write half as many in a round."""

FORETOLD = 1024
NO_LENGTH = 1 << 62
"""A length that no record has."""


def edges(data: bytes) -> Indices:
    """Where each whole record begins, and where the last one ends, going by the lengths alone."""
    view = np.frombuffer(data, np.uint8)
    parts = [np.zeros(1, np.int64)]
    while True:
        walked = np.array(_walk(data, int(parts[-1][-1])), np.int64)
        parts.append(walked[1:])
        if walked.size <= LEARNT:
            return np.concatenate(parts)
        parts += _foretold(view, int(walked[-1]), np.diff(walked))


def _walk(data: bytes, at: int) -> list[int]:
    size, begins = len(data), [at]
    while at + FRAME_BYTES <= size and len(begins) <= LEARNT:
        at += LENGTH.unpack_from(data, at)[0] + FRAME_BYTES
        if at > size:
            break
        begins.append(at)
    return begins


def _foretold(view: Bytes, at: int, sizes: Indices) -> Iterator[Indices]:
    """The ends of the records from `at` on that keep to the rhythm of the records of those `sizes`."""
    period = next((p for p in range(1, LEARNT // 2 + 1) if (sizes[p:] == sizes[:-p]).all()), None)
    if period is None:
        return
    count, rhythm = FORETOLD, sizes[-period:]
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
    """The lengths that stand at `begins`, where there is room for one."""
    found = np.full(len(begins), NO_LENGTH, np.int64)
    inside = begins + LENGTH.size <= view.size
    found[inside] = sliding_window_view(view, LENGTH.size)[begins[inside]].view("<i8").reshape(-1)
    return found


def sound_headers(view: Bytes, begins: Indices, lengths: Indices) -> NDArray[np.bool_]:
    """Which records have a length that matches its checksum."""
    distinct, which = np.unique(lengths, return_inverse=True)
    expected = np.array([masked_crc(LENGTH.pack(length)) for length in distinct.tolist()], np.uint32)
    sound: NDArray[np.bool_] = stored_checksums(view, begins + LENGTH.size) == expected[which]
    return sound


def stored_checksums(view: Bytes, places: Indices) -> NDArray[np.uint32]:
    """The checksums that stand at `places`."""
    return sliding_window_view(view, FOOTER_BYTES)[places].view("<u4").reshape(-1)
