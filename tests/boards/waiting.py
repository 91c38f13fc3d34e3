"""Waiting for a condition, never for a time."""

from collections.abc import Callable

import psutil

from support.waiting import wait_for

DEADLINE_SECONDS = 30.0


def wait_until(condition: Callable[[], object]) -> None:
    """Return once `condition()` is true; fail after the deadline."""
    wait_for(condition, "the condition came true", DEADLINE_SECONDS)


def boards_processes(parent: int | None = None) -> list[psutil.Process]:
    """The living boards processes below `parent`; if not given, those that this very process has started."""
    children = psutil.Process(parent).children(recursive=parent is not None)
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
