"""Raise the limit of open files, as each connection is one. Runs get the limit of their user (runner/variables.py)."""

from __future__ import annotations

import resource

WANTED = 65_536
"""The usual soft limit of 1,024 exists for select(2), which the server does not use."""

OWN_FILES = 256
"""Reserved for files other than connections: the database, files of runs, pipes."""


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


def limit_of_user() -> int | None:
    """Return the limit with which the server was started; None if it is still in force."""
    return _Limit.of_user


class _Limit:
    of_user: int | None = None
