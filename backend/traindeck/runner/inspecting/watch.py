"""The small parent of an inspection: gives the script its time, and ends everything that it has started.

    python -m traindeck.runner.inspecting.watch REQUEST

What it comes to is a file, named by the request's `answer`. That this process is through is told by its end, which
closes the pipe (a FIFO) that the request names.
"""

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
from traindeck.runner.family import descendants, signal_all
from traindeck.runner.inspecting.script import inspect
from traindeck.runner.wakeups import Wakeups, restore_default_signals

SAID_BYTES = 4096
LARGEST_FILE_BYTES = 100_000_000
LEFT_SECONDS = 2.0


def watch(path: Path, *, warm: bool) -> None:
    """Carry out the request in a file: in a fork of this process where it is `warm`, else in a fresh Python."""
    request = json.loads(path.read_bytes())
    # The objects of a warm parent are shared memory until the collector writes to them.
    gc.disable()
    os.setsid()
    prctl.adopt_orphans()
    # Without a reader nobody wants to know: then this fails.
    pipe = os.open(request["pipe"], os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    wakeups = Wakeups()
    reading, writing = os.pipe()
    pid = _start(request, path, writing, pipe if warm else None)
    os.close(writing)
    said, ending = _listen(wakeups, reading, pid, request["seconds"])
    _end_all(wakeups)
    _complete(Path(request["answer"]), ending, said, request["seconds"])
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
    prctl.die_with_parent(signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))


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


def _listen(wakeups: Wakeups, reading: int, pid: int, seconds: float) -> tuple[bytes, int | None]:
    """The end of what the script says on stderr, and its wait status; None where its time was up."""
    deadline = time.monotonic() + seconds
    said, open_ = b"", [reading]
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([*open_, wakeups.fileno()], [], [], left)
        wakeups.wait(0)
        if reading in ready:
            more = os.read(reading, 65_536)
            said = (said + more)[-SAID_BYTES:]
            open_ = open_ if more else []
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return said, status
    return said, None


def _end_all(wakeups: Wakeups) -> None:
    """Kill whatever is left of the script, and wait until it is gone."""
    deadline = time.monotonic() + LEFT_SECONDS
    while time.monotonic() < deadline:
        left = descendants(os.getpid())
        signal_all(left, signal.SIGKILL)
        if not left:
            return
        wakeups.wait(0.02)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue


def _complete(answer: Path, ending: int | None, said: bytes, seconds: float) -> None:
    """Say why there is no answer, where the script has left none."""
    if answer.exists():
        return
    if ending is None:
        reason, late = f"it did not come to a parser within {seconds:g} s", True
    else:
        code = os.waitstatus_to_exitcode(ending)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        reason, late = ": ".join([f"its process ended with {how} before it came to a parser", *last]), False
    found = {"reason": reason, "late": late}
    partial = answer.with_suffix(".partial")
    partial.write_text(json.dumps(found))
    os.replace(partial, answer)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), warm=False)
