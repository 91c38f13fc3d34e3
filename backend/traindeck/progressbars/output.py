"""Read the progress of a run from the bars in its log: the outermost bar, refined by the bar inside it."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from traindeck.progressbars.bar import Bar, read_bar
from traindeck.progressbars.screen import Screen

ASIDE = re.compile(r"\b(?:val|valid|validat\w*|eval\w*|test|testing|sanity\w*|predict\w*)(?:\b|_)", re.IGNORECASE)
"""What is done beside the training, between or within its epochs."""
EPOCH = re.compile(r"\bepoch:?\s{0,9}(?:\[\s{0,9})?(\d{1,9})\s{0,9}(?:/|of)\s{0,9}(\d{1,9})", re.IGNORECASE)
KERAS_HEADING = re.compile(r"Epoch (\d{1,9})/(\d{1,9})\s*$")
DEEPEST = 8
"""Bars within bars that are looked through."""
ROUGH_SECONDS = 60
DIGITS = re.compile(r"\d+")
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


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a run is, by its bars: as a run's own report of its progress."""

    step: int
    total: int | None
    unit: str
    eta_seconds: float | None
    label: str | None


class Tracker:
    """Follows the bars of one output, and keeps to the outermost."""

    def __init__(self) -> None:
        self._main: Bar | None = None
        self._main_is_inner = False
        self._counts_from_zero = False
        self._reading: Reading | None = None

    @property
    def kind(self) -> str | None:
        """What draws the outermost bar."""
        return self._main.kind if self._main else None

    def look(self, screen: Screen) -> Reading | None:
        """Return the progress now; what it was before where no bar is to be seen."""
        at_cursor = _bars_at_the_cursor(screen)
        bars = self._with_main(at_cursor, screen) or self._passed(screen)
        inner = bars[:1] == at_cursor[:1] and _is_inner(bars, screen)
        if bars and self._replaces(bars[0], drawn=not screen.arrived, inner=inner):
            self._main_is_inner = inner or (self._main_is_inner and self._is_main(bars[0]))
            self._main = bars[0]
            self._reading = self._read(bars, _heading(screen))
        return self._reading

    def _with_main(self, bars: list[Bar], screen: Screen) -> list[Bar]:
        """While tqdm draws an inner bar the cursor stands in its row, below the outer one."""
        main = self._main
        above = _bars(reversed(screen.rows[max(screen.row - DEEPEST, 0) : screen.row]))
        if (main is None or self._main_is_inner) and _is_inner(bars, screen):
            return [*reversed([bar for bar in above if not bar.is_finished]), *bars]
        if main is None or main.is_finished:
            return bars
        for place, outer in enumerate(above):
            if _name(outer) == _name(main):
                if outer.is_finished:
                    self._main = outer
                elif bars and bars[0] != outer:
                    return [*reversed(above[: place + 1]), *bars]
                break
        return bars

    def _passed(self, screen: Screen) -> list[Bar]:
        """The last bar that other output came after, between two looks: mostly the main one in its last state."""
        rows = screen.rows[: screen.row]
        while rows:
            bar = read_bar(rows.pop())
            if bar is None:
                continue
            if self._is_main(bar):
                return [bar]
            if self._main is None or self._main_is_inner:
                block = _bars(reversed(rows))
                return [block[-1], bar] if block and _name(block[-1]) != _name(bar) else [bar]
        return []

    def _is_main(self, bar: Bar) -> bool:
        return self._main is not None and _name(bar) == _name(self._main)

    def _replaces(self, bar: Bar, *, drawn: bool, inner: bool) -> bool:
        main = self._main
        if main is None or self._is_main(bar):
            return True
        if (_is_aside(bar) and not _is_aside(main)) or (inner and not main.is_finished and not self._main_is_inner):
            return False
        if self._main_is_inner and not inner:
            return True
        if not drawn and not bar.is_finished:
            # Left behind by an inner bar that was drawn elsewhere at its end.
            return False
        # An inner bar that has come to its end may stand for a moment where the outer one is drawn next.
        return main.is_finished or not bar.is_finished or _is_aside(main)

    def _read(self, bars: list[Bar], heading: tuple[int, int] | None) -> Reading:
        outer, inner = bars[0], next((bar for bar in bars[1:] if not _is_aside(bar)), None)
        counted = EPOCH.search(outer.label or "")
        epoch = (int(counted[1]), int(counted[2])) if counted else heading
        if epoch is not None and inner is None and outer.kind != "rich" and outer.total:
            return self._within_epochs(outer, *epoch)
        label = outer.label or (inner.label if inner else None)
        if label is None and outer.unit == "B":
            label = "Downloading"
        return Reading(outer.step, outer.total, outer.unit, _left(outer, inner), label)

    def _within_epochs(self, bar: Bar, number: int, epochs: int) -> Reading:
        """Scale a bar for each of a known number of epochs to the whole."""
        self._counts_from_zero |= number == 0
        done = number if self._counts_from_zero else max(number - 1, 0)
        # "Epoch 0/9" may mean ten epochs or nine: the tenth shows.
        epochs = max(epochs, done + 1)
        whole = Bar(bar.kind, done + bar.is_finished, epochs, "epoch", bar.label)
        left = 0.0 if whole.is_finished else _left(replace(whole, step=done), bar)
        return Reading(whole.step, epochs, "epoch", left, bar.label or f"Epoch {number}/{epochs}")


def _bars_at_the_cursor(screen: Screen) -> list[Bar]:
    """Return the bars that are drawn now, the outer one first; or the one that ended in the row above."""
    # A new line leads below what was just drawn: what stands there, if anything, is from before.
    row = screen.row - screen.arrived
    bar = read_bar(screen.rows[row]) if row >= 0 else None
    if bar is None:
        return []
    if bar.is_finished and screen.arrived:
        return [bar]
    below = _bars(screen.rows[row + 1 :])
    # Rich leaves the cursor in its last row, tqdm in its first.
    above = [one for one in _bars(reversed(screen.rows[:row])) if one.kind == "rich"] if bar.kind == "rich" else []
    drawn = [*reversed(above), bar, *below]
    return [one for one in drawn if not one.is_finished] or drawn if above else drawn


def _is_inner(at_cursor: list[Bar], screen: Screen) -> bool:
    """Return whether the bar at the cursor is one within another: tqdm moves up from those, but Rich from all bars."""
    if not at_cursor or at_cursor[0].kind != "tqdm":
        return False
    before = read_bar(screen.left_upwards[screen.row])
    return before is not None and _name(before) == _name(at_cursor[0])


def _bars(rows: Iterable[str]) -> list[Bar]:
    """Return the bars of rows, up to the first that has none."""
    return [bar for bar in takewhile(bool, map(read_bar, rows)) if bar]


def _heading(screen: Screen) -> tuple[int, int] | None:
    """Return what Keras writes above the bar of each epoch."""
    for row in reversed(screen.rows[: screen.row + 1]):
        if found := KERAS_HEADING.match(row):
            return int(found[1]), int(found[2])
    return None


def _left(outer: Bar, inner: Bar | None) -> float | None:
    """Return the seconds left of the whole. A bar knows when it was drawn, and an outer one is drawn rarely."""
    if outer.total is None:
        return None
    todo = max(outer.total - outer.step, 0)
    if outer.unit == "%":
        return outer.left
    if inner is None or inner.share is None:
        # Clocks in bars count whole seconds, their rates do not.
        each = outer.seconds_each if (outer.left or 0) < ROUGH_SECONDS else None
        return round(each * todo, 1) if each is not None and todo else outer.left
    each = outer.seconds_each if outer.step else None
    if each is None:
        each = _length(inner)
    return outer.left if each is None else round(each * max(todo - inner.share, 0), 1)


def _length(bar: Bar) -> float | None:
    """Return how long a bar takes from its beginning to its end, in seconds."""
    if bar.seconds_each is not None and bar.total:
        return bar.seconds_each * bar.total
    if bar.elapsed is not None and bar.left is not None:
        return bar.elapsed + bar.left
    return bar.left / (1 - bar.share) if bar.left is not None and bar.share and bar.share < 1 else None


def _is_aside(bar: Bar) -> bool:
    return bool(ASIDE.search(bar.label or ""))


def _name(bar: Bar) -> tuple[str, str, str]:
    return bar.kind, DIGITS.sub("", bar.label or ""), bar.unit


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
