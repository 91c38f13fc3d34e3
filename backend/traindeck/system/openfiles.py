"""Raise the server's limit of open files, but not that of the programs it starts. Each connection is an open file."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WANTED = 65_536
"""The usual soft limit of 1,024 exists for select(2), which the server does not use."""

OWN_FILES = 256
"""Reserved for files other than connections: the database, files of runs, pipes."""

_lock = threading.Lock()


def raise_limit() -> int:
    """Raise the soft limit of open files, and return how many connections it allows."""
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
    """Restore the limit with which the server was started, for a process that is started inside this block.

    This changes the limit of the whole server for a moment. A hook between fork and exec is not safe with threads, and
    setting the limit afterwards would be too late for children of the process.
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
