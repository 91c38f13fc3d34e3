# mypy: disallow-untyped-calls=False
"""Event files read fast enough to open a board with them.

Without TensorFlow, TensorBoard's own reader checks checksums byte by byte in Python and makes three messages
of every scalar. This one gives the same data.
"""

import os
import stat
import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import crc32c
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard import data_compat, dataclass_compat
from tensorboard.compat.proto import event_pb2

from traindeck.boards.scalars import ScalarEvent

CHUNK_BYTES = 1 << 20
HEADER_BYTES = 12
FOOTER_BYTES = 4
_MASK_DELTA = 0xA282EAD8


class EventFile:
    """One event file, read on from where the last load ended; what is no regular file reads as empty."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._offset = 0
        self._metadata: dict[str, Any] = {}
        self._scalars: dict[str, str] = {}

    def Load(self) -> Iterator[Any]:  # noqa: N802 - TensorBoard calls it by this name
        """What came since the last load, up to the first torn or corrupt record.

        Yields:
            An `Event` in today's form; a `ScalarEvent` for a point of a scalar that this file has had before.
        """
        with _open_regular(self._path) as file:
            file.seek(self._offset)
            for record in records(file):
                self._offset += HEADER_BYTES + len(record) + FOOTER_BYTES
                try:
                    event = event_pb2.Event.FromString(record)  # type: ignore[attr-defined]
                except DecodeError:
                    # Whole, but no event: another program's file. Its other records may be.
                    continue
                point = self._point(event)
                if point is not None:
                    yield point
                else:
                    yield from self._migrated(event)

    def _point(self, event: Any) -> ScalarEvent | None:
        """The event as a point, where it is that alone, and the event that told of its tag has gone before."""
        values = event.summary.value
        if len(values) != 1:
            return None
        value = values[0]
        tag = self._scalars.get(value.tag)
        if tag is None or value.WhichOneof("value") != "simple_value" or value.HasField("metadata"):
            return None
        return ScalarEvent(event.wall_time, event.step, tag, value.simple_value)

    def _migrated(self, event: Any) -> Any:
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                self._scalars[value.tag] = value.tag
        return dataclass_compat.migrate_event(data_compat.migrate_event(event), self._metadata)


def records(file: BinaryIO) -> Iterator[bytes]:
    """The payloads of TFRecords from here on, up to the first that is torn or fails its checksum."""
    buffer, start = b"", 0
    while True:
        header = buffer[start : start + HEADER_BYTES]
        length = struct.unpack("<Q", header[:8])[0] if len(header) == HEADER_BYTES else 0
        end = start + HEADER_BYTES + length + FOOTER_BYTES
        if end > len(buffer):
            if header and len(header) == HEADER_BYTES and not _checks(header[:8], header[8:]):
                return
            more = file.read(max(CHUNK_BYTES, min(end - len(buffer), 64 * CHUNK_BYTES)))
            if not more:
                return
            buffer, start = buffer[start:] + more, 0
            continue
        record = buffer[start + HEADER_BYTES : end - FOOTER_BYTES]
        if not _checks(header[:8], header[8:]) or not _checks(record, buffer[end - FOOTER_BYTES : end]):
            return
        yield record
        start = end


def _checks(data: bytes, checksum: bytes) -> bool:
    crc = crc32c.crc32c(data)
    masked = (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
    return bool(masked == int.from_bytes(checksum, "little"))


def _open_regular(path: str) -> BinaryIO:
    """Open without following a link and without waiting for the other end of a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return BytesIO()
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb", buffering=0)
    os.close(descriptor)
    return BytesIO()


def is_event_file(path: str) -> bool:
    """By its name, as TensorBoard tells them."""
    name = Path(path).name
    return "tfevents" in name and not name.endswith(".profile-empty")
