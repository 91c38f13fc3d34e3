"""Search a log as the page shows it: without colors, with the last state of each bar, and ignoring case.

RE2 matches the bytes in linear time, and releases the interpreter's lock. The file is read in pieces and not mapped
into memory, because a run may truncate its log, which would end the server.
"""

import io
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, BinaryIO

PIECE_BYTES = 1_048_576
"""The size of a piece. The first pieces are smaller, because the next match is often near."""
FIRST_BYTES = 131_072
LOOKS = 4000
"""The most matches of the pattern that are examined in one step, which takes about 0.05 s."""
ROW_BYTES = 32_768
"""The longest row of the page: longer lines are broken into pieces of this size (log-bytes.js)."""
MATCH_BYTES = 4096
"""The longest match: its characters, and the colors between them."""
AROUND_BYTES = ROW_BYTES + MATCH_BYTES
"""Bytes that are read on each side of a piece, for the rows at its ends."""
PREFIX_CHARACTERS = 32
"""This much of the text is matched with colors between its characters. The rest is searched in the shown row."""
TEXT_CHARACTERS = 1000

# Sequences after ECMA-48 (CSI, OSC, and those of two characters) and control characters: as ansi.js drops them.
SEQUENCE = r"\x1b(?:\[[0-9;:]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?|[@-Z\\^_]|[ -/][0-~])"
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\x1b"
DROPPED = re.compile(f"{SEQUENCE}|{CONTROL}|\r")
# Direction overrides are shown by their code point, as visible.js does.
OVERRIDE = re.compile("[\u202a-\u202e\u2066-\u2069]")
SHOWN_OVERRIDE = re.compile(r"\[U\+(202[A-E]|206[6-9])\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """A row with the text: a line, the last state of a bar, or a piece of a line longer than 32 kB.

    Attributes:
        offset: The first byte of the text.
        end: The byte after it.
        text: The row as it is shown, at most 1,000 characters of it around the match.
    """

    offset: int
    end: int
    text: str


class Needle:
    """The text to search for."""

    def __init__(self, text: str) -> None:
        self.given = text
        self.text = text.lower()

    @cached_property
    def pattern(self) -> Any:
        """Return a pattern for the text's beginning in bytes that allows dropped characters between."""
        # Imported here, because only a search needs it, and the server starts sooner without.
        re2: Any = import_module("re2")
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        return re2.compile(f"(?:{SEQUENCE}|{CONTROL})*".join(_characters(self.given[:PREFIX_CHARACTERS])), options)

    def is_shown_in(self, row: bytes) -> bool:
        """Return whether the row, in which the pattern matches, contains the whole text when it is shown."""
        if len(self.given) <= PREFIX_CHARACTERS and b"\x1b" not in row:
            return True
        return self.text in shown(row).lower()

    def excerpt(self, row: bytes) -> str:
        """Return the row as it is shown; of a long one, the part around the text."""
        text = shown(row)
        at = max(text.lower().find(self.text), 0)
        begin = max(at - TEXT_CHARACTERS // 2, 0) if len(text) > TEXT_CHARACTERS else 0
        return text[begin : begin + TEXT_CHARACTERS]


def shown(row: bytes) -> str:
    """Return a row as the page shows it."""
    text = DROPPED.sub("", row.decode(errors="replace"))
    return OVERRIDE.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def _characters(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        override = SHOWN_OVERRIDE.match(text, at)
        named = override[0] if override else text[at]
        yield f"(?:{re.escape(named)}|\\x{{{override[1]}}})" if override else re.escape(named)
        at += len(named)


@dataclass(slots=True)
class LogSearch:
    """One search through an open log, piece by piece.

    Attributes:
        file: The log, which `close` closes; one in memory is empty.
        start: Matches begin at this byte or after it.
        until: Matches begin before this byte; None for the end of the file when it is reached.
        backwards: Whether the last matches come first.
        limit: The most matches.
    """

    file: BinaryIO
    needle: Needle
    start: int
    until: int | None
    backwards: bool
    limit: int
    searched: int = 0
    step_bytes: int = FIRST_BYTES

    @property
    def size(self) -> int:
        """Return the current size of the log in bytes."""
        return 0 if isinstance(self.file, io.BytesIO) else os.fstat(self.file.fileno()).st_size

    @property
    def next(self) -> int | None:
        """Return the `offset` of the next search, or its `until` if this one went backwards; None at the end."""
        end = self._end()
        if self.start >= end:
            return None
        return end if self.backwards else self.start

    def go_on(self, seconds: float) -> list[Match]:
        """Search until something is found, or for about `seconds`; return matches in the order of the search."""
        deadline = time.monotonic() + seconds
        while self.next is not None:
            found = self._step_back() if self.backwards else self._step_on()
            if found or time.monotonic() > deadline:
                return found
        return []

    def _step_on(self) -> list[Match]:
        end = min(self._end(), self.start + self._grown())
        before = min(self.start, AROUND_BYTES)
        base = self.start - before
        window = os.pread(self.file.fileno(), end - base + AROUND_BYTES, base)
        rows, reached = _rows(self.needle, window, before, end - base, self.limit)
        self.searched += base + reached - self.start
        self.start = base + reached
        return self._matches(window, rows, base)

    def _step_back(self) -> list[Match]:
        end = self._end()
        begin = max(self.start, end - self._grown())
        before = min(begin, AROUND_BYTES)
        base = begin - before
        window = os.pread(self.file.fileno(), end - base + AROUND_BYTES, base)
        rows, reached = _rows(self.needle, window, before, end - base, None)
        if reached < end - base:
            # Too many matches to reach the last one; a smaller piece has fewer.
            self.step_bytes = max((end - begin) // 8, 1)
            return []
        kept = rows[::-1][: self.limit]
        self.until = begin
        if kept:
            # Other matches in the first row belong to the same row.
            first = kept[-1]
            self.until = (
                base + first.offset if first.is_cut or len(kept) == self.limit else min(begin, base + first.begin)
            )
        self.searched += end - self.until
        return self._matches(window, kept, base)

    def _grown(self) -> int:
        now = self.step_bytes
        self.step_bytes = min(now * 2, PIECE_BYTES)
        return now

    def _matches(self, window: bytes, rows: list["_Row"], base: int) -> list[Match]:
        self.limit -= len(rows)
        texts = (self.needle.excerpt(window[row.begin : row.stop]) for row in rows)
        return [Match(base + row.offset, base + row.end, text) for row, text in zip(rows, texts, strict=True)]

    def close(self) -> None:
        """Close the log."""
        self.file.close()

    def _end(self) -> int:
        return self.size if self.until is None else min(self.until, self.size)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with a match, by places in the window."""

    begin: int
    stop: int
    offset: int
    end: int
    is_cut: bool


def _rows(needle: Needle, window: bytes, begin: int, end: int, limit: int | None) -> tuple[list[_Row], int]:
    """Return the rows whose match begins from `begin` to `end`, one match for each, and the place to continue from.

    That place is before `end` after `limit` rows, or if there are too many matches for one step.
    """
    rows: list[_Row] = []
    at = begin
    for _ in range(LOOKS):
        hit = needle.pattern.search(window, at) if at < end else None
        if hit is None or hit.start() >= end:
            return rows, max(at, end)
        stop, is_cut = _row_stop(window, hit.end())
        later = _later_state(window, stop)
        if later is not None:
            at = later
            continue
        # After a row that is cut, the next match may begin within it.
        at = max(hit.end(), stop - MATCH_BYTES) if is_cut else stop
        row_begin = _row_begin(window, hit.start())
        if needle.is_shown_in(window[row_begin:stop]):
            rows.append(_Row(row_begin, stop, hit.start(), hit.end(), is_cut))
            if len(rows) == limit:
                break
    return rows, at


def _row_begin(window: bytes, at: int) -> int:
    low = max(at - ROW_BYTES, 0)
    return max(window.rfind(b"\n", low, at), window.rfind(b"\r", low, at), low - 1) + 1


def _row_stop(window: bytes, at: int) -> tuple[int, bool]:
    """Return the end of the row that continues at `at`, and whether it is cut there because of its length."""
    high = min(at + ROW_BYTES, len(window))
    newline = window.find(b"\n", at, high)
    back = window.find(b"\r", at, high if newline < 0 else newline)
    if back >= 0:
        return back, False
    return (high, high == at + ROW_BYTES) if newline < 0 else (newline, False)


def _later_state(window: bytes, stop: int) -> int | None:
    """Return where the last state of a line begins that overwrites what ends at `stop`; None if it is the last."""
    if window[stop : stop + 1] != b"\r":
        return None
    newline = window.find(b"\n", stop)
    line = window[stop : len(window) if newline < 0 else newline].rstrip(b"\r")
    return stop + line.rfind(b"\r") + 1 if line else None
