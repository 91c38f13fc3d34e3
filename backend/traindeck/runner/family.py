"""Finds and ends everything that an attempt has started, wherever it has tried to go.

The shim is a subreaper: a process that forks twice, or makes itself a session of its own, becomes the shim's
child. So its descendants, read from /proc, are all there is.
"""

import os
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

from traindeck.runner.identity import start_time

EXEC_SECONDS = 1.0
"""How long a process is awaited that is in the midst of execve(2): on a busy machine it may be held up there."""
EXEC_POLL_SECONDS = 0.002
ENV_END = 51 - 3
"""Field 51 of /proc/PID/stat, counted from the state, which is the third."""


def descendants(pid: int) -> list[int]:
    """Return every live process below `pid`; zombies are not alive."""
    if sys.platform != "linux":
        return _descendants_elsewhere(pid)
    children = _children_by_parent()
    found, open_ = [], [pid]
    while open_:
        for child in children.get(open_.pop(), ()):
            found.append(child)
            open_.append(child)
    return [child for child in found if start_time(child) is not None]


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Signal each process; one that has ended meanwhile is passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def marked(mark: str) -> list[int]:
    """Live processes of this user that carry `mark` in their environment: what is left when a shim was killed."""
    if sys.platform != "linux":
        return []
    needle = f"TRAINDECK_MARK={mark}".encode()
    return [pid for pid in _pids() if needle in _environment(pid).split(b"\0") and start_time(pid) is not None]


def _environment(pid: int) -> bytes:
    path, deadline = Path(f"/proc/{pid}/environ"), time.monotonic() + EXEC_SECONDS
    try:
        while not (content := path.read_bytes()) and _is_in_exec(pid) and time.monotonic() < deadline:
            time.sleep(EXEC_POLL_SECONDS)
    except OSError:
        return b""
    return content


def _is_in_exec(pid: int) -> bool:
    """Whether a process has its new program, and not yet its environment: execve(2) sets proc(5)'s env_end last."""
    Path(f"/proc/{pid}/exe").readlink()  # Raises OSError for a thread of the kernel and for a zombie.
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[ENV_END]) == 0


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for pid in _pids():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        children[int(stat.rpartition(")")[2].split()[1])].append(pid)
    return children


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _descendants_elsewhere(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True) if start_time(child.pid) is not None]
