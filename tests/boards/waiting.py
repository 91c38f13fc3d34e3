"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable

import psutil

DEADLINE_SECONDS = 30.0


def wait_until(condition: Callable[[], object]) -> None:
    """Return once `condition()` is true; fail after the deadline."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.01)


def boards_processes(parent: int | None = None) -> list[psutil.Process]:
    """The living boards processes below `parent`, this process if not given."""
    children = psutil.Process(parent).children(recursive=True)
    return [process for process in children if "traindeck.boards.process" in _command(process)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def is_alive(process: psutil.Process) -> bool:
    """False for what has ended, waited for or not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
