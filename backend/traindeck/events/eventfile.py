"""One event file, and how far it has been read."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from traindeck.events.records import Chunk, read_chunk


@dataclass(slots=True)
class EventFile:
    """One event file: its path below the working folder, and how far it has been read.

    Attributes:
        stopped: Why it will not be read any further; None while it will.
        trouble: Why it could not be read the last time, which is tried again at the next look.
        size: How large it was when last looked at.
        exhausted_size: How large it was when the last whole record had been read.
    """

    path: str
    offset: int = 0
    stopped: str | None = None
    trouble: str | None = None
    size: int = 0
    exhausted_size: int = 0

    @property
    def folder(self) -> str:
        """The folder it lies in, below the working folder."""
        return self.path.rpartition("/")[0]

    @property
    def is_pending(self) -> bool:
        """True where it has something that was not looked at yet."""
        return self.stopped is None and self.size > max(self.offset, self.exhausted_size)

    def look(self, work: Path) -> None:
        """See how large it is now."""
        if self.trouble is not None:
            self.trouble, self.exhausted_size = None, 0
        if self.stopped is not None:
            return
        try:
            self.size = (work / self.path).lstat().st_size
        except OSError:
            # Deleted by its run: the points that were read stay.
            return
        if self.size < self.offset:
            self.stopped = "it became shorter than what was read of it"

    def read(self, work: Path) -> Chunk | None:
        """The next records, and step behind them; None where they cannot be read now."""
        try:
            chunk = self._chunk(work)
        except OSError as error:
            self.trouble, self.exhausted_size = f"it cannot be read: {error.strerror or error}", self.size
            return None
        self.offset, self.stopped = chunk.next_offset, chunk.corrupt
        if chunk.exhausted:
            self.exhausted_size = self.size
        return chunk

    def _chunk(self, work: Path) -> Chunk:
        # A pipe in place of the file would block, and a link in its place may lead anywhere.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(work / self.path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError("it is not an ordinary file")
            return read_chunk(descriptor, self.offset)
        finally:
            os.close(descriptor)
