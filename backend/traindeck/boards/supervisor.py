"""Keeps one boards process: started at first use, and again after each death, more slowly if many follow."""

import asyncio
import logging
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from traindeck.boards.child import Child, NotStarted, start_child

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 10.0
"""A process that lived this long is not failing at start; its death leads to no pause."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """There is no boards process now; `reason` is for people, trying again is of use after the seconds."""

    reason: str
    retry_after_seconds: float


class Supervisor:
    """Holds the boards process of a server; all calls come from one event loop."""

    def __init__(
        self, log_path: Path, limit: int, idle_seconds: float, memory_mb: int, python: str = sys.executable
    ) -> None:
        self._start = partial(start_child, log_path, limit, idle_seconds, memory_mb, python)
        self._lock = asyncio.Lock()
        self._child: Child | None = None
        self._started_at = float("-inf")
        self._failures = 0
        self._last_reason = ""
        self._not_before = float("-inf")

    async def ensure(self) -> Child | Unavailable:
        """The living process, started if there is none; one caller starts it and the others wait for that."""
        async with self._lock:
            if self._child is not None:
                if self._child.is_alive:
                    return self._child
                await self._bury(self._child)
            pause = self._not_before - time.monotonic()
            if pause > 0:
                return Unavailable(self._last_reason, pause)
            return await self._try_to_start()

    def now(self) -> Child | Unavailable:
        """The living process, or why there is none; starts none."""
        if self._child is not None and self._child.is_alive:
            return self._child
        pause = self._not_before - time.monotonic()
        return Unavailable(self._last_reason if pause > 0 else "", max(0.0, pause))

    async def kill(self, child: Child) -> None:
        """Have done with a process that does not answer; the next `ensure` starts another."""
        if child.is_alive:
            logger.error("boards: killing process %d, which does not answer", child.process.pid)
            child.process.kill()
            await child.process.wait()

    async def stop(self) -> None:
        """End the process, if there is one."""
        async with self._lock:
            if self._child is not None:
                await self._child.end()
                self._child = None

    async def _try_to_start(self) -> Child | Unavailable:
        self._started_at = time.monotonic()
        outcome = await self._start()
        if isinstance(outcome, NotStarted):
            logger.error("boards: TensorBoard did not start: %s", outcome.reason)
            self._note_failure(outcome.reason)
            return Unavailable(outcome.reason, self._not_before - time.monotonic())
        logger.info("boards: process %d listens", outcome.process.pid)
        self._child = outcome
        return outcome

    async def _bury(self, child: Child) -> None:
        code = child.process.returncode
        logger.warning("boards: process %d ended with exit code %s", child.process.pid, code)
        await child.end()
        self._child = None
        if time.monotonic() - self._started_at < STEADY_SECONDS:
            self._note_failure(f"TensorBoard ended with exit code {code} soon after its start")
        else:
            self._failures = 0

    def _note_failure(self, reason: str) -> None:
        """The first death of a young process costs no pause: somebody may just have killed it."""
        pause = FIRST_PAUSE_SECONDS * 2**self._failures if self._failures else 0.0
        self._failures += 1
        self._last_reason = reason
        self._not_before = time.monotonic() + min(pause, LONGEST_PAUSE_SECONDS)
