"""Reads files of the user's, which may change, or be no files at all."""

import errno
import os

from traindeck.runner.copying import open_regular

READS = 5


class Unreadable(OSError):
    """There is no such file, or it may not be read, or it is larger than what is asked for."""


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
