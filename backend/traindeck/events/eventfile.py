"""One event file, and how far it has been read."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from crc32c import crc32c

from traindeck.events.elsewhere import original
from traindeck.events.points import Points
from traindeck.events.records import LARGE_LIMIT_BYTES, Chunk, read_chunk
from traindeck.events.scalars import PARTS_LIMIT, UNITS

HEAD_BYTES = 64
"""The first record holds the time at which it was written: files of different writers differ in so much."""
NO_TIME = "none"
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
        """The folder it lies in, below the working folder or elsewhere."""
        return original(self.path).rpartition("/")[0]

    @property
    def is_pending(self) -> bool:
        """True where it has something that was not looked at yet."""
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
        """The next records, and step behind them; None where they cannot be read now."""
        try:
            chunk = self._chunk(work)
        except OSError as error:
            self.trouble, self.exhausted_size = f"it cannot be read: {error.strerror or error}", self.size
            return None
        self.passed_over += chunk.is_too_large
        self.offset, self.stopped = chunk.next_offset, chunk.corrupt and self._corrupt(work, chunk)
        if chunk.exhausted:
            self.exhausted_size = self.size
        return chunk

    def _begins_as_before(self, work: Path) -> bool:
        length, checksum = self.head
        try:
            descriptor = os.open(work / self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            # What keeps it from being opened is told when it is read.
            return True
        try:
            return crc32c(os.pread(descriptor, length, 0)) == checksum
        except OSError:
            return True
        finally:
            os.close(descriptor)

    def in_seconds(self, work: Path, points: Points) -> Points:
        """Correct wall times that are in milliseconds or less, or no times at all: those become the file's own time."""
        times = points["wall_time"]
        factor = np.ones(len(times))
        for unit, (least, each) in UNITS.items():
            of_unit = np.isfinite(times) & (times > least)
            if of_unit.any():
                factor[of_unit], self.unit = each, unit
        points["wall_time"] = times / factor
        if not np.isfinite(times).all():
            self.unit = self.unit or NO_TIME
            try:
                points["wall_time"][~np.isfinite(times)] = (work / self.path).lstat().st_mtime
            except OSError:
                points["wall_time"][~np.isfinite(times)] = 0.0
        return points

    @property
    def remarks(self) -> list[str]:
        """What is odd about it, though it can be read."""
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

    def _corrupt(self, work: Path, chunk: Chunk) -> str:
        """What of the file is left out, and why."""
        left = f"the last {self.size - chunk.next_offset:,} of its {self.size:,} bytes are left out"
        try:
            descriptor = os.open(work / self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                head = file.read(8)
        except OSError:
            head = b""
        for magic, kind in COMPRESSED.items():
            if head.startswith(magic):
                return f"it is compressed ({kind}) and cannot be read; decompress it"
        return f"{chunk.corrupt}; {left}"

    def _chunk(self, work: Path) -> Chunk:
        # A pipe in place of the file would block, and a link in its place may lead anywhere.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(work / self.path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError("it is not an ordinary file")
            self.size = max(self.size, os.fstat(descriptor).st_size)
            chunk = read_chunk(descriptor, self.offset)
            if not self.offset and chunk.next_offset:
                head = os.pread(descriptor, min(HEAD_BYTES, chunk.next_offset), 0)
                self.head = [len(head), crc32c(head)]
            return chunk
        finally:
            os.close(descriptor)
