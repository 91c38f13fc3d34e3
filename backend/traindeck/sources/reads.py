"""Reads files of the user's, which may change, or be no files at all; each once for a launch."""

import ast
import errno
import hashlib
import os
import time
from functools import cached_property

from traindeck.runner.copying import open_regular

READS = 5


class Unreadable(OSError):
    """There is no such file, or it may not be read, or it is larger than what is asked for."""


class Source:
    """What is in a file, hashed and parsed when it is first asked for, and then no more."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def sha256(self) -> str:
        """Its digest."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree; raises SyntaxError, ValueError, RecursionError or MemoryError where it is no Python."""
        return ast.parse(self.content)

    def drop_tree(self) -> None:
        """Let go of the syntax tree, which takes a hundred times the memory of the text."""
        self.__dict__.pop("tree", None)


class Reads:
    """The files that one launch looks at: what is kept of each, checked of it and found in it is of one moment."""

    def __init__(self) -> None:
        self.began_ns = time.time_ns()
        self._read: dict[str, tuple[Source, os.stat_result]] = {}

    def read(self, path: str, limit: int) -> tuple[Source, os.stat_result]:
        """Return what is in a file, and what the system says of it; raises Unreadable, see `read_regular`."""
        real = os.path.realpath(path)
        if real not in self._read:
            content, info = read_regular(path, limit)
            self._read[real] = Source(content), info
        source, info = self._read[real]
        if len(source.content) > limit:
            raise Unreadable(errno.EFBIG, f"has more than {limit} bytes", path)
        return source, info


def read_regular(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """What is in a regular file, and what the system says of it, from one moment.

    A file that changes while it is read is read again; one that never stops is taken as it was read last. At most what
    it is said to have is read: there is no end to some files, and others are told to have nothing.

    Raises:
        Unreadable: there is none that may be read, or it has more than `limit` bytes. A pipe or a device is never
            waited for.
    """
    try:
        for _ in range(READS):
            content, before, after = _read(path, limit)
            if _moment(before) == _moment(after) and len(content) == after.st_size:
                break
    except OSError as error:
        raise Unreadable(error.errno, error.strerror or str(error), path) from error
    return content, after


def _read(path: str, limit: int) -> tuple[bytes, os.stat_result, os.stat_result]:
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if before.st_size > limit:
            raise OSError(errno.EFBIG, f"has more than {limit} bytes", path)
        return file.read(before.st_size), before, os.fstat(descriptor)


def _moment(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns
