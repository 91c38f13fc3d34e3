"""Keeps the boards process below its limit of memory, and ends the reading of a board that has no room or no reader."""

import ctypes
import gc
import logging
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

MEGABYTE = 1_000_000
OVERFULL_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: a new process may do better."""

FULL_SHARE = 0.8
"""Of what the boards may have: from here on the board that takes most takes in no more."""

ROOM_SHARE = 0.6
"""Of the same: below it, a board that was full goes on."""

PATIENT_TICKS = 5
"""What was closed is given back once the answers under way are given."""

SPARE_BYTES = 500 * MEGABYTE
"""An allocation that would take the process so far over the limit fails."""

MAX_STACK_BYTES = 1 << 20
"""Of each thread; the default of 8 MB would count against the hard limit."""

LOOK_SECONDS = 0.05
"""A look at the memory costs more than taking in a small event."""

logger = logging.getLogger(__name__)


class Closable(Protocol):
    """What gives memory back."""

    def make_room(self) -> bool:
        """Close one board; whether there was any."""


class MemoryLimit:
    """How much of `limit_bytes` is taken, and what is done about more: `tick` closes a board.

    With no board left to close, it ends the process, and the server starts it again.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._empty_bytes = resident_bytes()
        self._ticks_over = 0

    def share(self) -> float:
        """Return how much is taken of what the process has for boards."""
        return (resident_bytes() - self._empty_bytes) / max(1, self._limit_bytes - self._empty_bytes)

    def tick(self, boards: Closable) -> None:
        """Look once."""
        used = resident_bytes()
        if used <= self._limit_bytes:
            self._ticks_over = 0
        elif boards.make_room():
            logger.warning("%d MB of memory used; closed a board", used // MEGABYTE)
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
        else:
            self._ticks_over += 1
            if self._ticks_over > PATIENT_TICKS:
                logger.error("%d MB of memory used without a board; ending", used // MEGABYTE)
                os._exit(OVERFULL_EXIT_CODE)


def resident_bytes() -> int:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def set_hard_limit(limit_bytes: int) -> None:
    """Have allocations fail that take the process far over the limit at once, before anybody can look."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit_bytes + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


class BoardClosedError(Exception):
    """Nobody wants the data any more."""


class BoardFullError(Exception):
    """There is no room for more; what was taken in is whole."""


class Halt:
    """Asked after each event that a board takes in."""

    def __init__(self, has_room: Callable[[], bool] = lambda: True) -> None:
        self._has_room = has_room
        self._is_closed = False
        self._look_at = 0.0

    def close(self) -> None:
        """Have reading end where it is."""
        self._is_closed = True

    def check(self) -> None:
        """Go on, or not.

        Raises:
            BoardClosedError: the board was closed.
            BoardFullError: it has taken in as much as it may.
        """
        if self._is_closed:
            raise BoardClosedError
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            if not self._has_room():
                raise BoardFullError
