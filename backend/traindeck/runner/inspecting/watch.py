"""The small parent of an inspection: gives the script its time, and ends everything that it has started.

    python -m traindeck.runner.inspecting.watch REQUEST

What it comes to is a file, named by the request's `answer`. That this process is through is told by its end, which
closes the pipe (a FIFO) that the request names.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from traindeck.runner import prctl
from traindeck.runner.identity import descendants, signal_all
from traindeck.runner.inspecting.script import inspect
from traindeck.runner.variables import restore_open_files
from traindeck.runner.wakeups import Wakeups, restore_default_signals

SAID_BYTES = 4096
LARGEST_FILE_BYTES = 100_000_000
MEMORY_BYTES = 8_000_000_000
"""What a script may take until it comes to its parser, together with all that it starts."""
RESERVED_BYTES = 128_000_000_000
"""Addresses beyond that: CUDA reserves many, and uses few."""
CPU_SECONDS = 120
"""Of each process. The time of the request is up sooner; this ends what has got away from this process."""
MAX_PROCESSES = 200
LOOK_SECONDS = 0.05
FAMILY_SECONDS = 1.0
LEFT_SECONDS = 10.0


def watch(path: Path, *, warm: bool) -> None:
    """Carry out the request in a file: in a fork of this process where it is `warm`, else in a fresh Python."""
    request = json.loads(path.read_bytes())
    # The objects of a warm parent are shared memory until the collector writes to them.
    gc.disable()
    os.setsid()
    prctl.adopt_orphans()
    # Without a reader nobody wants to know: then this fails.
    pipe = os.open(request["pipe"], os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    # That the request is taken up.
    os.write(pipe, b".")
    wakeups = Wakeups()
    reading, writing = os.pipe()
    pid = _start(request, path, writing, pipe if warm else None)
    os.close(writing)
    said, ending = _listen(wakeups, reading, pid, request["seconds"])
    _end_all(wakeups)
    _complete(Path(request["answer"]), ending, said)
    os.close(pipe)


def _start(request: dict[str, Any], path: Path, stderr: int, pipe: int | None) -> int:
    if pipe is None:
        start = str(Path(__file__).with_name("start.py"))
        command = [request["python"] or sys.executable, start, str(path)]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            preexec_fn=_leave,
        ).pid
    pid = os.fork()
    if pid == 0:
        try:
            _become_script(stderr)
            inspect(request)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def _leave() -> None:
    """Bound what the process may take, and everything that it starts."""
    prctl.signal_with_parent(signal.SIGKILL)
    for limit, most in (
        (resource.RLIMIT_FSIZE, LARGEST_FILE_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        *_memory_limits(),
    ):
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))


def _memory_limits() -> list[tuple[int, int]]:
    """Limits of memory beyond what this process has: a warm one has torch, the libraries of CUDA reserve much."""
    if sys.platform != "linux":
        return []
    sizes = Path("/proc/self/statm").read_text().split()
    mapped, data = (int(sizes[field]) * resource.getpagesize() for field in (0, 5))
    return [
        (resource.RLIMIT_DATA, data + MEMORY_BYTES),
        (resource.RLIMIT_AS, mapped + RESERVED_BYTES + MEMORY_BYTES),
    ]


def _become_script(stderr: int) -> None:
    restore_default_signals()
    prctl.set_name("python")
    _leave()
    # The folder in which the warm process was started; the script's takes its place.
    sys.path.pop(0)
    empty = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, empty), (1, empty), (2, stderr)):
        os.dup2(source, target, inheritable=True)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115


def _listen(wakeups: Wakeups, reading: int, pid: int, seconds: float) -> tuple[bytes, int | str]:
    """The end of what the script says on stderr, and its wait status; or why it had to be ended."""
    deadline = time.monotonic() + seconds
    said, open_, bounds = b"", [reading], _Bounds(pid)
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([*open_, wakeups.fileno()], [], [], min(left, LOOK_SECONDS))
        wakeups.wait(0)
        if reading in ready:
            more = os.read(reading, 65_536)
            said = (said + more)[-SAID_BYTES:]
            open_ = open_ if more else []
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return said, status
        if excess := bounds.exceeded():
            return said, excess
    return said, f"it did not come to a parser within {seconds:g} s"


class _Bounds:
    """What a script and all that it has started may take together, looked at while it is asked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.tasks = _tasks()
        self.next_look = 0.0
        self.resident = _resident(pid)

    def exceeded(self) -> str:
        """Why the script has to be ended; "" where it does not have to be."""
        # To look at every process takes milliseconds: only now and then, or where the machine has many new ones.
        now, many = time.monotonic(), _tasks() > self.tasks + MAX_PROCESSES
        if _resident(self.pid) <= self.resident + MEMORY_BYTES and now < self.next_look and not many:
            return ""
        self.next_look = now + FAMILY_SECONDS
        family = descendants(os.getpid())
        if len(family) > MAX_PROCESSES:
            return f"it has started more than {MAX_PROCESSES} processes"
        # What is shared with the warm process that it was forked from is none of its own.
        if sum(max(_resident(pid) - self.resident, 0) for pid in family) > MEMORY_BYTES:
            return f"it has taken more than {MEMORY_BYTES // 1_000_000_000} GB of memory"
        return ""


def _tasks() -> int:
    """The number of threads on the machine, from /proc/loadavg; see proc(5)."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return 0


def _resident(pid: int) -> int:
    """The bytes of memory that a process has; 0 for one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _end_all(wakeups: Wakeups) -> None:
    """Kill whatever is left of the script, and wait until it is gone."""
    deadline = time.monotonic() + LEFT_SECONDS
    while time.monotonic() < deadline:
        left = descendants(os.getpid())
        if len(left) > MAX_PROCESSES // 10:
            # Those that fork faster than they are killed are stopped first.
            signal_all(left, signal.SIGSTOP)
            left = descendants(os.getpid())
        signal_all(left, signal.SIGKILL)
        if not left:
            return
        wakeups.wait(0.02)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue


def _complete(answer: Path, ending: int | str, said: bytes) -> None:
    """Say why there is no answer, where the script has left none."""
    if os.path.lexists(answer):
        return
    if isinstance(ending, str):
        found = {"reason": ending, "late": True}
    else:
        code = os.waitstatus_to_exitcode(ending)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        reason = ": ".join([f"its process ended with {how} before it came to a parser", *last])
        found = {"reason": reason, "passed": code == 0}
    partial = answer.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        # The script may have put something there, and be gone by now.
        partial.unlink()
    # Not what the script has made there: a pipe would never be through.
    writing = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(writing, "w") as file:
        file.write(json.dumps(found))
    os.replace(partial, answer)


if __name__ == "__main__":
    restore_open_files()
    watch(Path(sys.argv[1]), warm=False)
