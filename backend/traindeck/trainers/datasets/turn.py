"""Taking turns: of all the runs that miss a data set at the same moment, one fetches it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.unavailable import DatasetUnavailable, FetchStopped

FETCH_FOLDER = ".fetch"
"""Below the datasets folder: locks, and downloads that are not complete."""
POLL_SECONDS = 0.1
WAIT_SECONDS = 1800.0
"""Longer than any fetch is allowed to take."""


@contextmanager
def turn(ctx: RunContext, name: str) -> Iterator[None]:
    """Hold the lock of data set `name`, waiting for it where another run does.

    The lock is the kernel's (flock), so the death of its holder frees it; the file itself stays.

    Raises:
        FetchStopped: the run was asked to stop while it waited.
        DatasetUnavailable: the other run did not finish in time.
    """
    folder = ctx.datasets / FETCH_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        _wait_for(file, ctx, name)
        yield


def _wait_for(file: IO[str], ctx: RunContext, name: str) -> None:
    began = time.monotonic()
    while not _try_lock(file):
        waited = time.monotonic() - began
        if ctx.should_stop:
            raise FetchStopped(name)
        if waited > WAIT_SECONDS:
            raise DatasetUnavailable(f"another run has been fetching {name} for {waited:.0f} seconds")
        ctx.progress(int(waited), None, "second", f"Waiting for another run to fetch {name}")
        time.sleep(POLL_SECONDS)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
