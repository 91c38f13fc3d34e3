"""Checksums of many records of one length at a time.

CRC-32C is linear: the checksum of a record is that of as many zero bytes, XOR what each of its bytes adds at its
place. What a byte adds is looked up for a whole column of bytes, four times faster than record by record.
"""

import threading

import crc32c
import numpy as np
from numpy.typing import NDArray

MASK_DELTA = 0xA282EAD8
LONGEST = 512
"""Bytes of a record for which tables are kept, 1 KB for each; longer records are checked by themselves."""

Bytes = NDArray[np.uint8]


def masked_crc(data: bytes | memoryview) -> int:
    """The checksum that stands behind `data` in an event file."""
    crc = crc32c.crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def masked_crcs(columns: Bytes) -> NDArray[np.uint32]:
    """The checksums of the records whose bytes are the columns: shape (length, records), length ≤ `LONGEST`."""
    length, count = columns.shape
    crc = np.full(count, crc32c.crc32c(bytes(length)), np.uint32)
    for table, column in zip(reversed(_tables(length)), columns, strict=True):
        first = column[0]
        if (column == first).all():
            crc ^= table[first]
        else:
            crc ^= table.take(column)
    return (crc >> np.uint32(15) | crc << np.uint32(17)) + np.uint32(MASK_DELTA)


_known: list[NDArray[np.uint32]] = []
_lock = threading.Lock()


def _tables(length: int) -> list[NDArray[np.uint32]]:
    """What each byte adds to a checksum where 0, 1, 2, … bytes follow it."""
    with _lock:
        while len(_known) < length:
            _known.append(_after_one_more(_known[-1]) if _known else _of_last_byte())
        return _known[:length]


def _of_last_byte() -> NDArray[np.uint32]:
    zero = crc32c.crc32c(b"\0")
    return np.array([crc32c.crc32c(bytes([byte])) ^ zero for byte in range(256)], np.uint32)


def _after_one_more(table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    longer: NDArray[np.uint32] = _known[0][table & np.uint32(0xFF)] ^ (table >> np.uint32(8))
    return longer
