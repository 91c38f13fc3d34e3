"""Finds and ends everything that an attempt has started, wherever it has tried to go.

The shim is a subreaper: a process that forks twice, or makes itself a session of its own, becomes the shim's
child. So its descendants, read from /proc, are all there is.
"""

import os
import signal
import sys
from collections import defaultdict
from pathlib import Path

from traindeck.runner.identity import start_time


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
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


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
