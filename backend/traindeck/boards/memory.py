"""Keeps the boards process below its limit of memory."""

import ctypes
import gc
import logging
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MEGABYTE = 1_000_000
OVERFULL_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: a new process may do better."""

SPARE_BYTES = 500 * MEGABYTE
"""An allocation that would take the process so far over the limit fails."""

MAX_STACK_BYTES = 1 << 20
"""Of each thread; the default of 8 MB would count against the hard limit."""

logger = logging.getLogger(__name__)


class Closable(Protocol):
    """What gives memory back."""

    def close_oldest(self) -> bool:
        """Close what was not used for longest, but not the last; whether there was anything."""


@dataclass
class MemoryLimit:
    """Closes boards while the process is over `limit_bytes`; with one board left, `tick` ends the process.

    The server starts it again, and reading begins anew.
    """

    limit_bytes: int
    boards: Closable

    def tick(self) -> None:
        """Look once."""
        while (used := resident_bytes()) > self.limit_bytes:
            if not self.boards.close_oldest():
                logger.error("%d MB of memory for one board; ending", used // MEGABYTE)
                os._exit(OVERFULL_EXIT_CODE)
            logger.warning("%d MB of memory used; closed the least recently used board", used // MEGABYTE)
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """The memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def set_hard_limit(limit_bytes: int) -> None:
    """Have allocations fail that take the process far over the limit at once, before anybody can look."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit_bytes + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
