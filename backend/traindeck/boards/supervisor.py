"""Keeps one boards process: started at first use, and again after each death, more slowly if many follow."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from traindeck.runner.variables import plain_environment

READY_SECONDS = 30.0
"""A cold disk may take long to give TensorBoard's modules."""

END_SECONDS = 3.0
SOCKET_NAME = "boards.sock"
LONGEST_SOCKET_PATH = 107
"""unix(7): sun_path has 108 bytes, the last of them zero."""

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 30.0
DEATHS_SECONDS = 30.0
DEATHS_WITHOUT_PAUSE = 10
"""A process that listened was healthy: so many of its kind may die within those seconds, and are replaced at once."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """A boards process that listens on `socket`."""

    process: asyncio.subprocess.Process
    socket: Path

    @property
    def is_alive(self) -> bool:
        """Return False once the process has ended, however it did."""
        return self.process.returncode is None

    async def has_ended(self, seconds: float) -> bool:
        """Wait for the end of the process for so long; whether it came."""
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def end(self) -> None:
        """Close its lifeline and wait until it is gone; killed if it takes longer than `END_SECONDS`."""
        await _end(self.process, self.socket.parent)


@dataclass(frozen=True, slots=True)
class StartFailure:
    """The process did not come up; `reason` is for people."""

    reason: str


async def start_child(
    log_path: Path, limit: int, idle_seconds: float, memory_mb: int, python: str = sys.executable
) -> Child | StartFailure:
    """Start a boards process in a private folder of its own and wait until it listens.

    Args:
        log_path: Where its warnings and errors go, appended.
        limit: Boards that it keeps open at most.
        idle_seconds: How long it keeps one open that nobody uses.
        memory_mb: With more memory it closes boards, and ends where that is not enough.
        python: The interpreter that runs it.
    """
    folder = Path(tempfile.mkdtemp(prefix="traindeck-boards-"))
    socket = folder / SOCKET_NAME
    if len(bytes(socket)) > LONGEST_SOCKET_PATH:
        shutil.rmtree(folder)
        return StartFailure(f"the folder for temporary files has too long a path for a socket: {folder.parent}")
    options = ["--socket", str(socket), "--limit", str(limit), "--idle-seconds", str(idle_seconds)]
    options += ["--memory-mb", str(memory_mb)]
    # -P: a file named tensorboard.py in the current folder must not be taken for TensorBoard.
    command = [python, "-P", "-m", "traindeck.boards.process", *options]
    try:
        process = await _spawn(command, log_path)
    except OSError as error:
        shutil.rmtree(folder)
        return StartFailure(f"{python} could not be started: {error.strerror}")
    try:
        if await _is_ready(process):
            return Child(process, socket)
    except asyncio.CancelledError:
        # A server that ends does not wait for boards that are still starting.
        process.kill()
        await _end(process, folder)
        raise
    await _end(process, folder)
    return StartFailure(f"the process ended with exit code {process.returncode} before it listened; see {log_path}")


async def _spawn(command: list[str], log_path: Path) -> asyncio.subprocess.Process:
    log_path.parent.mkdir(exist_ok=True)
    with log_path.open("ab") as log:
        pipe = asyncio.subprocess.PIPE
        env = plain_environment()
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=log, env=env)


async def _is_ready(process: asyncio.subprocess.Process) -> bool:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
    except TimeoutError:
        return False
    return line == b"ready\n"


async def _end(process: asyncio.subprocess.Process, folder: Path) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


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
        """Return the living process, started if there is none; one caller starts it and the others wait for that."""
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
        """Return the living process, or why there is none; starts none."""
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
        if isinstance(outcome, StartFailure):
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
