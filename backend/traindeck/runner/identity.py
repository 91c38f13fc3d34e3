"""Who a process is. A pid is used again; pid, start time and boot together are not."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

START_TIME_FIELD = 19
"""Of /proc/PID/stat, counted from the state, which follows the parenthesised name; see proc(5), field 22."""


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
