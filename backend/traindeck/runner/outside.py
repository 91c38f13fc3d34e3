"""Reads the small JSON files of a run's folder as input from outside: the run itself may have written anything there.

What comes out can be stored, counted with and sent on: files are ordinary and of bounded size, nesting is bounded, text
can be encoded, numbers are finite and fit into 64 bits. The fields are then read by `whole`, `number` and `text`.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

LIMIT_BYTES = 64 << 20
DEEPEST = 32
"""Deeper lists and objects read as null."""
LARGEST_INTEGER = 2**63 - 1
EXACT = 2**53
"""Up to here a whole number is the same number in JSON, in JavaScript and as a float."""
NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENODEV)
"""What opening says where there is nothing, a link, or a socket or device without anything behind it."""


def read_object(path: Path, limit_bytes: int = LIMIT_BYTES) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none that can be read."""
    content = read_bytes(path, limit_bytes)
    if content is None:
        return None
    try:
        value = tidied(json.loads(content))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_bytes(path: Path, limit_bytes: int) -> bytes | None:
    """Return what an ordinary file of at most `limit_bytes` holds; None for anything else, a pipe or a link too."""
    try:
        file = open_file(path)
        if file is None:
            return None
        with file:
            if os.fstat(file.fileno()).st_size > limit_bytes:
                return None
            content = file.read(limit_bytes + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= limit_bytes else None


def open_file(path: Path) -> BinaryIO | None:
    """Open an ordinary file for reading, without waiting; None where a link, a pipe, a folder or nothing is there.

    Raises:
        OSError: there is one, which cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno in NO_FILE:
            return None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    return None


def size_of(path: Path) -> int:
    """Return how many bytes an ordinary file has; 0 where there is none."""
    try:
        state = os.lstat(path)
    except OSError:
        return 0
    return state.st_size if stat.S_ISREG(state.st_mode) else 0


def tidied(value: Any, depth: int = 0) -> Any:
    """Return a JSON value without what cannot be stored or sent: NaN, infinities, lone surrogates, deep nesting."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return None
    if isinstance(value, (list, tuple, dict)) and depth >= DEEPEST:
        return None
    if isinstance(value, (list, tuple)):
        return [tidied(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {encodable(str(name)): tidied(one, depth + 1) for name, one in value.items()}
    return value


def encodable(text: str) -> str:
    """Return the text with lone surrogates as escapes."""
    return text.encode(errors="backslashreplace").decode()


def whole(value: Any, least: int = -EXACT, greatest: int = EXACT) -> int | None:
    """Return a whole number within limits; None for anything else, booleans too. A fraction is cut off."""
    found = number(value, least, greatest)
    return None if found is None else int(found)


def number(value: Any, least: float, greatest: float) -> int | float | None:
    """Return a finite number within limits; None for anything else, booleans too."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= greatest:
        return None
    return value


def text(value: Any, limit_characters: int) -> str | None:
    """Return text, cut to a length; None for anything else."""
    return encodable(value[:limit_characters]) if isinstance(value, str) else None
