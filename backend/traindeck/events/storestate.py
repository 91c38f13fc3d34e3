"""The state of a series store: one small file, replaced whole, that says how much of the others counts.

A store is a folder of four files. `state` is the truth; the others carry its generation in their names, and
only ever gain bytes behind what `state` counts, so a reader beside the writer sees one moment of the store.

    state           checksum, header (JSON), and a summary of each series
    names-GEN       for each series, in order: [folder, tag, name] as a line of JSON
    extents-GEN     for each extent, in order: the number of its series, and its first row
    points-GEN      rows of points
"""

import errno
import json
import os
import stat
import struct
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from traindeck.events.points import SUMMARY, Summaries

FORMAT = 1
STATE = "state"
READ_ATTEMPTS = 3
OPENED_LIMIT = 8
"""Stores that are kept parsed; one of 10,000 series takes 4 MB."""
HEAD: Final = struct.Struct("<II")
EXTENT: Final = np.dtype([("series", "<i8"), ("row", "<i8")])


@dataclass(frozen=True, slots=True)
class Header:
    """How much of a store counts.

    Attributes:
        generation: What the other files have in their names.
        boot: The start of the machine that wrote it: only a crash of the machine can lose unsynced bytes.
        series: How many series there are.
        names_bytes: How much of the names counts.
        extents: How many extents count.
        points_bytes: How large the file of the points is at least.
        position: Whatever the writer needs to go on from here; JSON.
        format: The version of this layout.
        problems: What of the event files was left out or corrected, for people.
    """

    generation: str
    boot: str = ""
    series: int = 0
    names_bytes: int = 0
    extents: int = 0
    points_bytes: int = 0
    position: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a store.

    Attributes:
        header: How much of the store's files counts.
        summaries: One for each series; shape (series,).
        names: [folder, tag, name] of each series. Of several with one name the last one counts.
        extents: Rows of `EXTENT`; shape (extents,).
    """

    header: Header
    summaries: Summaries
    names: list[tuple[str, str, str]]
    extents: NDArray[np.void]


def file_of(folder: Path, kind: str, generation: str) -> Path:
    """Return the path of a store's names, extents or points."""
    return folder / f"{kind}-{generation}"


def open_part(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file of a store, and return its descriptor.

    Raises:
        OSError: it cannot be opened, or is no ordinary file: the store lies where the run itself may write.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no ordinary file", str(path))
    return descriptor


def write_state(folder: Path, header: Header, summaries: Summaries) -> None:
    """Replace the state of a store.

    Raises:
        OSError: it cannot be written; the old state stands.
    """
    text = json.dumps(asdict(header)).encode()
    body = text + summaries.tobytes()
    partial = folder / f"{STATE}.partial"
    with os.fdopen(open_part(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
        file.write(HEAD.pack(crc32c(body), len(text)) + body)
    partial.replace(folder / STATE)


def read_snapshot(folder: Path) -> Snapshot | None:
    """Return what a store holds; None where there is none, or none that can be trusted."""
    for _ in range(READ_ATTEMPTS):
        try:
            return _read(folder)
        except FileNotFoundError:
            # The writer may have begun a new generation between our reading of its state and of its files.
            continue
        except (OSError, ValueError, TypeError, KeyError, struct.error):
            return None
    return None


def read_header(folder: Path) -> Header | None:
    """Return the header of a store alone; None where there is none, or none that can be trusted."""
    try:
        return _read_state(folder / STATE)[0]
    except (OSError, ValueError, TypeError, KeyError, struct.error):
        return None


@dataclass(frozen=True, slots=True)
class Opened:
    """A snapshot that is shared by those who only read: `numbers` has the series that counts under each name."""

    snapshot: Snapshot
    numbers: dict[str, int]


def open_snapshot(folder: Path) -> Opened | None:
    """Return what `read_snapshot` does, parsed once for as long as the store does not change; not to be written to."""
    try:
        state = (folder / STATE).stat()
        return _opened(folder, state.st_ino, state.st_mtime_ns, state.st_size)
    except (OSError, LookupError):
        return None


@lru_cache(OPENED_LIMIT)
def _opened(folder: Path, *_: int) -> Opened:
    snapshot = read_snapshot(folder)
    if snapshot is None:
        # An exception, as None would be remembered.
        raise LookupError(folder)
    return Opened(snapshot, {name: number for number, (_, _, name) in enumerate(snapshot.names)})


def _read(folder: Path) -> Snapshot:
    header, summaries = _read_state(folder / STATE)
    with os.fdopen(open_part(file_of(folder, "names", header.generation)), "rb") as file:
        lines = file.read(header.names_bytes).splitlines()
    names = [tuple(name) for name in json.loads(b"[" + b",".join(lines) + b"]")]
    with os.fdopen(open_part(file_of(folder, "extents", header.generation)), "rb") as file:
        extents = np.fromfile(file, EXTENT, header.extents)
    size = file_of(folder, "points", header.generation).stat().st_size
    counts = (len(names), len(summaries), len(extents))
    if counts != (header.series, header.series, header.extents) or size < header.points_bytes:
        raise ValueError("the store holds less than its state says")
    return Snapshot(header, summaries, names, extents)


def _read_state(path: Path) -> tuple[Header, Summaries]:
    with os.fdopen(open_part(path), "rb") as file:
        content = file.read()
    checksum, size = HEAD.unpack_from(content)
    body = memoryview(content)[HEAD.size :]
    if checksum != crc32c(body):
        raise ValueError("the state does not match its checksum")
    header = Header(**json.loads(bytes(body[:size])))
    if header.format != FORMAT:
        raise ValueError(f"the store has the format {header.format}")
    return header, np.frombuffer(body[size:], SUMMARY).copy()
