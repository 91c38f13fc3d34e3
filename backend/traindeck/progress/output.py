"""Reads the progress of a run from what it appends to its log."""

import os
import re
from pathlib import Path

from traindeck.progress.screen import Screen
from traindeck.progress.tracker import Reading, Tracker

TAIL_BYTES = 16_384
"""Of what came since the last look only the end counts: bars are drawn anew all the time."""
HINT = re.compile("%\\||/s[,\\] ]|━━━|\\[[=>]+\\.|/step".encode())
"""Some of this stands in every bar; output without it is not looked into until there was one."""


class OutputProgress:
    """The progress bars of one log. Costs nothing while the log does not grow."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._screen = Screen()
        self._tracker = Tracker()
        self._read = 0
        self._has_bars = False
        self._reading: Reading | None = None

    @property
    def kind(self) -> str | None:
        """What draws the bar that is followed: tqdm, rich, keras."""
        return self._tracker.kind

    def look(self, size: int) -> Reading | None:
        """The progress now that the log has `size` bytes; None as long as there was no bar."""
        if size > self._read:
            start = max(size - TAIL_BYTES, self._read)
            if start > self._read:
                self._screen.clear()
            output = self._bytes(start, size)
            self._read = start + len(output)
            self._has_bars = self._has_bars or HINT.search(output) is not None
            if self._has_bars:
                self._screen.feed(output)
                self._reading = self._tracker.look(self._screen)
        return self._reading

    def _bytes(self, start: int, end: int) -> bytes:
        try:
            with self.log.open("rb", buffering=0) as log:
                return os.pread(log.fileno(), end - start, start)
        except OSError:
            # Deleted, or on a disk that is gone: the run goes on, and its last progress stays.
            return b""
