"""Identify processes by pid, start time, and boot, because pids are reused, and find all processes of an attempt.

The shim is a child subreaper (prctl(2)): a process that forks twice or starts a session becomes a child of the shim. So
the descendants of the shim, read from /proc, are all that an attempt has started.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

START_TIME_FIELD = 19
"""Of /proc/PID/stat, counted from the state, which follows the parenthesised name; see proc(5), field 22."""
EXEC_SECONDS = 1.0
"""How long a process is awaited that is in the midst of execve(2): on a busy machine it may be held up there."""
EXEC_POLL_SECONDS = 0.002
ENV_END = 51 - 3
"""Field 51 of /proc/PID/stat, counted from the state, which is the third."""


@dataclass(frozen=True)
class Identity:
    """A process of a boot of a host. `start` is in clock ticks since boot on Linux: no clock change moves it."""

    pid: int
    start: float
    boot_id: str
    host: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in process.json."""
        return asdict(self)


def identify(pid: int | None = None) -> Identity:
    """Return the identity of a live process, by default of this one.

    Raises:
        ProcessLookupError: there is no such process.
    """
    pid = pid or os.getpid()
    start = start_time(pid)
    if start is None:
        raise ProcessLookupError(pid)
    return Identity(pid, start, boot_id(), socket.gethostname())


def is_alive(identity: Identity) -> bool:
    """Return True where this very process still runs, and has not merely left its pid, or a zombie, behind."""
    return identity.boot_id == boot_id() and start_time(identity.pid) == identity.start


def start_time(pid: int) -> float | None:
    """Return when the process started, or None where there is none, or only a zombie."""
    if sys.platform != "linux":
        return _start_time_elsewhere(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else float(fields[START_TIME_FIELD])


def boot_id() -> str:
    """Return which boot of this host it is."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


def _start_time_elsewhere(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


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
