"""Keeps one boards process: started at first use, and again after each death, more slowly if many follow."""

import asyncio
import logging
import sys
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from traindeck.boards.child import Child, NotStarted, start_child

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
DEATHS_SECONDS = 30.0
DEATHS_WITHOUT_PAUSE = 10
"""A process that listened was healthy: so many of its kind may die within those seconds, and are replaced at once."""

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
        self._deaths: deque[float] = deque()
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
        if self._dies_often():
            self._note_failure(
                f"TensorBoard ended with exit code {code}, and did so {len(self._deaths)} times in a row"
            )
        else:
            self._failures = 0

    def _dies_often(self) -> bool:
        """Count a death; tell whether there were more in a short time than chance, or a person, brings about."""
        now = time.monotonic()
        self._deaths.append(now)
        while self._deaths[0] < now - DEATHS_SECONDS:
            self._deaths.popleft()
        return len(self._deaths) > DEATHS_WITHOUT_PAUSE

    def _note_failure(self, reason: str) -> None:
        """Count a failure; the first costs no pause."""
        pause = FIRST_PAUSE_SECONDS * 2**self._failures if self._failures else 0.0
        self._failures += 1
        self._last_reason = reason
        self._not_before = time.monotonic() + min(pause, LONGEST_PAUSE_SECONDS)
