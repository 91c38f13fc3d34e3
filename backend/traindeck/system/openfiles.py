"""How many files the server may have open, each connection being one. What it starts for the user keeps their limit."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WANTED = 65_536
"""The usual soft limit of 1,024 is from the time of select(2)."""

OWN_FILES = 256
"""What the server has open besides connections: its database, files of runs, pipes."""

_lock = threading.Lock()


def raise_limit() -> int:
    """Raise the soft limit on open files as far as is of use; return how many connections there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        _Limit.of_user = soft
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    open_files = WANTED if soft == resource.RLIM_INFINITY else soft
    return max(open_files - OWN_FILES, open_files // 2)


@contextmanager
def limit_of_user() -> Iterator[None]:
    """Start a process inside this that is to have the limit with which the server was started.

    The limit is the whole server's for the moment of the start: a hook between fork and exec would not be safe beside
    threads, and setting it afterwards would come too late for what the process itself starts.
    """
    with _lock:
        raised = resource.getrlimit(resource.RLIMIT_NOFILE)
        if _Limit.of_user is None:
            yield
            return
        resource.setrlimit(resource.RLIMIT_NOFILE, (_Limit.of_user, raised[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, raised)


class _Limit:
    of_user: int | None = None
