"""One event file, and how far it has been read."""

import math
import os
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from crc32c import crc32c

from traindeck.events.chunk import CHUNK_BYTES, Chunk, next_chunk
from traindeck.events.elsewhere import original
from traindeck.events.event import UNITS
from traindeck.events.folders import opened
from traindeck.events.points import Points
from traindeck.events.protobuf import PARTS_LIMIT

LARGE_LIMIT_BYTES = 64 << 20
SCALARS = attrgetter("has_one_place")
MAGIC_BYTES = 8

HEAD_BYTES = 64
"""The first record holds the time at which it was written: files of different writers differ in so much."""
NO_TIME = "none"
LATEST_SECOND = min(least for least, _ in UNITS.values())
RESTARTED = (
    "training began again at step {:,} (purge_step), and charts leave out what was written before from there on; "
    "TensorBoard keeps it, as this is the first restart in its folder"
)
TOO_LARGE = f"more than {LARGE_LIMIT_BYTES >> 20} MiB, more than {PARTS_LIMIT:,} parts, or malformed"
COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"\x04\x22\x4d\x18": "lz4",
}
"""How compressed files begin."""


@dataclass(slots=True)
class EventFile:
    """One event file: its path below the working folder, and how far it has been read.

    Attributes:
        stopped: Why it will not be read any further; None while it will.
        trouble: Why it could not be read the last time, which is tried again at the next look.
        size: How large it was when last looked at.
        exhausted_size: How large it was when the last whole record had been read.
        unit: What its wall times are in, where that is not seconds.
        head: How many bytes it began with when it was first read, and their checksum; [] before that.
        passed_over: How many of its events were too large to be read.
        first_restart: Where it has its folder's first restart: the step, and whether that withdrew points.
        is_replaced: Whether another file stands in its place by now, or it was written anew.
    """

    path: str
    offset: int = 0
    stopped: str | None = None
    trouble: str | None = None
    size: int = 0
    exhausted_size: int = 0
    unit: str | None = None
    head: list[int] = field(default_factory=list)
    passed_over: int = 0
    first_restart: list[Any] = field(default_factory=list)
    is_replaced: bool = False

    @property
    def folder(self) -> str:
        """Return the folder it lies in, below the working folder or elsewhere."""
        return original(self.path).rpartition("/")[0]

    @property
    def is_pending(self) -> bool:
        """Return True where it has something that was not looked at yet."""
        return self.stopped is None and self.size > max(self.offset, self.exhausted_size)

    def look(self, work: Path) -> None:
        """See how large it is now."""
        if self.trouble is not None:
            self.trouble, self.exhausted_size = None, 0
        before = self.size
        try:
            self.size = (work / self.path).lstat().st_size
        except OSError:
            # Deleted, maybe: the reader decides what that means.
            return
        if self.size < self.offset or (self.size != before and self.head and not self._begins_as_before(work)):
            self.is_replaced = True

    def read(self, work: Path) -> Chunk | None:
        """Return the next records, and step behind them; None where they cannot be read now."""
        try:
            with opened(str(work / self.path)) as descriptor:
                self.size = max(self.size, os.fstat(descriptor).st_size)
                chunk = next_chunk(descriptor, self.offset, SCALARS, LARGE_LIMIT_BYTES)
                if not self.offset and chunk.used_bytes:
                    head = os.pread(descriptor, min(HEAD_BYTES, chunk.used_bytes), 0)
                    self.head = [len(head), crc32c(head)]
                self.offset += chunk.used_bytes
                if chunk.corrupt is not None:
                    self.stopped = self._corrupt(chunk.corrupt, os.pread(descriptor, MAGIC_BYTES, 0))
        except OSError as error:
            self.trouble, self.exhausted_size = f"it cannot be read: {error.strerror or error}", self.size
            return None
        self.passed_over += chunk.is_too_large
        if not chunk.used_bytes:
            self.exhausted_size = self.size
        return chunk

    def count_malformed(self, chunk: Chunk) -> None:
        """Count a record that is no event that can be read, where it was so large that it came by itself."""
        self.passed_over += chunk.used_bytes > CHUNK_BYTES

    def _begins_as_before(self, work: Path) -> bool:
        length, checksum = self.head
        try:
            with opened(str(work / self.path)) as descriptor:
                return crc32c(os.pread(descriptor, length, 0)) == checksum
        except OSError:
            # What keeps it from being opened is told when it is read.
            return True

    def in_seconds(self, work: Path, points: Points) -> Points:
        """Correct wall times that are in milliseconds or less, or no times at all: those become the file's own time."""
        times = points["wall_time"]
        if (times <= LATEST_SECOND).all() and (times > -math.inf).all():
            return points
        factor = np.ones(len(times))
        for unit, (least, each) in UNITS.items():
            of_unit = np.isfinite(times) & (times > least)
            if of_unit.any():
                factor[of_unit], self.unit = each, unit
        points["wall_time"] = times / factor
        if not np.isfinite(times).all():
            self.unit = self.unit or NO_TIME
            points["wall_time"][~np.isfinite(times)] = self._changed_at(work)
        return points

    def _changed_at(self, work: Path) -> float:
        try:
            return (work / self.path).lstat().st_mtime
        except OSError:
            return 0.0

    @property
    def remarks(self) -> list[str]:
        """Return what is odd about it, though it can be read."""
        found = []
        if self.passed_over:
            found.append(f"{self.passed_over:,} of its events left out: {TOO_LARGE}")
        if self.unit == NO_TIME:
            found.append("some of its wall times are no finite numbers: the file's own time stands for them")
        elif self.unit:
            found.append(f"its wall times are in {self.unit}, not in seconds, and are shown as such")
        if self.first_restart and self.first_restart[1]:
            found.append(RESTARTED.format(self.first_restart[0]))
        return found

    def _corrupt(self, reason: str, head: bytes) -> str:
        """Return what of the file is left out, and why."""
        for magic, kind in COMPRESSED.items():
            if head.startswith(magic):
                return f"it is compressed ({kind}) and cannot be read; decompress it"
        left = f"the last {self.size - self.offset:,} of its {self.size:,} bytes are left out"
        return f"{reason} (at byte {self.offset}); {left}"
