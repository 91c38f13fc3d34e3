"""One boards process, as its parent sees it: started, known to be ready, ended."""

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from traindeck.runner.variables import plain_environment

READY_SECONDS = 30.0
"""A cold disk may take long to give TensorBoard's modules."""

END_SECONDS = 3.0
SOCKET_NAME = "boards.sock"
LONGEST_SOCKET_PATH = 107
"""unix(7): sun_path has 108 bytes, the last of them zero."""


@dataclass(frozen=True, slots=True)
class Child:
    """A boards process that listens on `socket`."""

    process: asyncio.subprocess.Process
    socket: Path

    @property
    def is_alive(self) -> bool:
        """False once the process has ended, however it did."""
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
class NotStarted:
    """The process did not come up; `reason` is for people."""

    reason: str


async def start_child(
    log_path: Path, limit: int, idle_seconds: float, memory_mb: int, python: str = sys.executable
) -> Child | NotStarted:
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
        return NotStarted(f"the folder for temporary files has too long a path for a socket: {folder.parent}")
    options = ["--socket", str(socket), "--limit", str(limit), "--idle-seconds", str(idle_seconds)]
    options += ["--memory-mb", str(memory_mb)]
    # -P: a file named tensorboard.py in the current folder must not be taken for TensorBoard.
    command = [python, "-P", "-m", "traindeck.boards.process", *options]
    try:
        process = await _spawn(command, log_path)
    except OSError as error:
        shutil.rmtree(folder)
        return NotStarted(f"{python} could not be started: {error.strerror}")
    try:
        if await _is_ready(process):
            return Child(process, socket)
    except asyncio.CancelledError:
        # A server that ends does not wait for boards that are still starting.
        process.kill()
        await _end(process, folder)
        raise
    await _end(process, folder)
    return NotStarted(f"the process ended with exit code {process.returncode} before it listened; see {log_path}")


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
