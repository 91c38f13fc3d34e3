"""Reads the progress of a run from what it appends to its log."""

import os
import re
import time
from pathlib import Path

from traindeck.progressbars.screen import Screen
from traindeck.progressbars.tracker import Reading, Tracker

PART_BYTES = 16_384
"""Bars are drawn anew all the time. Of longer output three parts of at most this size are read: its beginning, its end,
and where its last bar stands."""
SEARCH_BYTES = 8 << 20
"""How far back from its end long output is searched for its last bar."""
BLOCK_BYTES = 1 << 20
AFTER_BAR_BYTES = 512
HINT = re.compile("%\\||/s[,\\] ]|━━━|\\[[=>]+\\.|/step".encode())
"""Some of this stands in every bar; output without it is not looked into until there was one."""
MARKS = tuple(mark.encode() for mark in ("%|", "it/s", "━━━", "/step", "/s]", "/s,"))
"""Text of bars that is fast to search for."""
REST = 20
"""One part in so many of the time is spent on one log, however much its run writes, and whatever that is."""


class OutputProgress:
    """The progress bars of one log. Costs nothing while the log does not grow."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._screen = Screen()
        self._tracker = Tracker()
        self._read = 0
        self._has_bars = False
        self._reading: Reading | None = None
        self._next_look = 0.0

    @property
    def kind(self) -> str | None:
        """What draws the bar that is followed: tqdm, rich, keras."""
        return self._tracker.kind

    def look(self, size: int, *, sharers: int = 1, final: bool = False) -> Reading | None:
        """Return the progress now that the log has `size` bytes; None as long as there was no bar.

        After a look that took long, earlier progress is returned for a while.

        Args:
            size: How much of the log there is.
            sharers: How many logs share the time that may be spent.
            final: Look now, however long the last look took; for the end of a run.
        """
        if size > self._read and (final or time.monotonic() >= self._next_look):
            begun = time.thread_time()
            self._take_in(size)
            self._next_look = time.monotonic() + (time.thread_time() - begun) * REST * max(sharers, 1)
        return self._reading

    def _take_in(self, size: int) -> None:
        begin, self._read = self._read, size
        if size - begin <= 2 * PART_BYTES:
            self._feed(self._bytes(begin, size))
            return
        self._feed(_without_last_line(self._bytes(begin, begin + PART_BYTES)))
        tail = self._bytes(size - PART_BYTES, size)
        if not any(mark in tail for mark in MARKS):
            bar = self._last_bar(max(begin + PART_BYTES, size - SEARCH_BYTES), size - PART_BYTES)
            self._skip_to(_without_last_line(bar))
        self._skip_to(tail)

    def _skip_to(self, output: bytes) -> None:
        """Take in output that does not follow what was taken in before, from the first line that is whole."""
        self._screen.clear()
        begins = [place for place in (output.find(b"\r"), output.find(b"\n")) if place >= 0]
        self._feed(output[min(begins, default=len(output)) :])

    def _feed(self, output: bytes) -> None:
        self._has_bars = self._has_bars or HINT.search(output) is not None
        if self._has_bars and output:
            self._screen.feed(output)
            self._reading = self._tracker.look(self._screen)

    def _last_bar(self, begin: int, end: int) -> bytes:
        """Return the output up to the last bar that stands between two places; empty where there is none."""
        for stop in range(end, begin, -BLOCK_BYTES):
            start = max(stop - BLOCK_BYTES, begin)
            block = self._bytes(start, stop)
            found = max(block.rfind(mark) for mark in MARKS)
            if found >= 0:
                last = start + found + AFTER_BAR_BYTES
                return self._bytes(max(last - PART_BYTES, begin), min(last, end))
        return b""

    def _bytes(self, start: int, end: int) -> bytes:
        try:
            # A pipe in its place would block.
            log = os.open(self.log, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            # Deleted, or on a disk that is gone: the run continues, and its last progress stays.
            return b""
        try:
            return os.pread(log, end - start, start)
        except OSError:
            return b""
        finally:
            os.close(log)


def _without_last_line(output: bytes) -> bytes:
    """Return the output up to the last line or bar that begins in it: of that one, a part may be missing."""
    return output[: max(output.rfind(b"\r"), output.rfind(b"\n"), 0)]
