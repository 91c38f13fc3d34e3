"""The series of one attempt, kept in columns on disk: written by one tail, read by anyone at any time.

What is added is held in memory until `commit`, which writes rows first and the state last. Whatever a crash
leaves behind what the state counts is overwritten by the next commit. A full disk loses nothing: what could
not be written stays in memory, and is written when there is room.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np

from traindeck.events.extents import read_rows, write_at, write_rows
from traindeck.events.points import POINT, Points
from traindeck.events.storestate import EXTENT, STATE, Header, file_of, open_part, read_snapshot, write_state
from traindeck.events.table import SeriesKey, SeriesTable, StoredSeries

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LOCK = "lock"
PARTS = ("names", "extents", "points")


class SeriesStore:
    """All series of one attempt. For one thread at a time.

    Attributes:
        table: The series, with what is not yet committed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: BinaryIO | None = None
        self.reset()

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Return the store in `folder`, empty where none there can be trusted; None while another writes it."""
        store = cls(folder)
        try:
            store._claim()
        except BlockingIOError:
            return None
        except OSError:
            # No folder, or no room for one: points are held in memory until a commit succeeds.
            return store
        snapshot = read_snapshot(folder)
        if snapshot is not None and snapshot.header.boot == _boot_id():
            store.table, store._header, store._fresh = SeriesTable.load(snapshot), snapshot.header, False
        return store

    @property
    def position(self) -> dict[str, Any]:
        """Return what the writer left with the last commit, to go on from there; {} in a fresh store."""
        return self._header.position

    @property
    def is_intact(self) -> bool:
        """Return False once somebody deleted the store's state."""
        return self._fresh or (self.folder / STATE).exists()

    def reset(self) -> None:
        """Begin again with an empty store; the files of the old one go with the next commit."""
        self._header = Header(generation=uuid.uuid4().hex[:12], boot=_boot_id())
        self._fresh = True
        self.table = SeriesTable()
        self._release()

    def withdraw(self, folder: str, from_step: int, tag: str | None = None) -> list[StoredSeries]:
        """Drop all points from a step on of the series of one folder, or of one of them; returns those that had any.

        The rest of such a series is copied into a new one, because somebody may be reading the old one.

        Raises:
            OSError: the points cannot be read.
            EOFError: the points file was cut short.
        """
        table, changed = self.table, []
        table.settle()
        if tag is None:
            withdrawn = [one for one in table.by_key.values() if one.key.folder == folder]
        else:
            withdrawn = list(filter(None, [table.by_key.get(SeriesKey(folder, tag))]))
        for one in withdrawn:
            rows = self._rows(one)
            kept = rows[rows["step"] < from_step]
            if len(kept) < len(rows):
                new = table.create(one.key, one.name)
                table.summaries["withdrawals"][new.number] = table.summaries["withdrawals"][one.number] + 1
                table.add(np.full(len(kept), new.number), kept)
                changed.append(new)
        return changed

    def rename(self, one: StoredSeries, name: str) -> None:
        """Give a series another name; as with `withdraw`, by a new one, as somebody may be reading the old one.

        Raises:
            OSError: the points cannot be read.
            EOFError: the points file was cut short.
        """
        self.table.settle()
        rows = self._rows(one)
        new = self.table.create(one.key, name)
        self.table.summaries["withdrawals"][new.number] = self.table.summaries["withdrawals"][one.number] + 1
        self.table.add(np.full(len(rows), new.number), rows)

    def commit(self, position: dict[str, Any], problems: Sequence[str] = ()) -> str | None:
        """Write what was added, `position` and `problems` with it; returns why that failed, None where it did not."""
        told = list(problems)
        if not self.table.held_bytes and (position, told) == (self.position, self._header.problems):
            return None
        self.table.settle()
        try:
            self._claim()
            header = self._write_parts(position, told)
            write_state(self.folder, header, self.table.summaries[: header.series])
        except OSError as error:
            return f"the chart data cannot be written: {error.strerror or error}"
        self.table.all_written()
        self._header = header
        if self._fresh:
            self._fresh = False
            _delete_others(self.folder, header.generation)
        return None

    def close(self) -> None:
        """Let another write the store, and see the files onto the disk, so that they outlive a power cut."""
        try:
            for path in [] if self._fresh else self._files():
                descriptor = open_part(path)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError:
            # What is lost is rebuilt from the event files.
            pass
        finally:
            self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> None:
        if self._lock is not None:
            return
        self.folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.fdopen(open_part(self.folder / LOCK, os.O_WRONLY | os.O_CREAT), "wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
        self._lock = lock

    def _file(self, kind: str) -> Path:
        return file_of(self.folder, kind, self._header.generation)

    def _files(self) -> list[Path]:
        return [self.folder / STATE, *map(self._file, PARTS)]

    def _rows(self, one: StoredSeries) -> Points:
        if not one.written:
            return np.concatenate([np.empty(0, POINT), *one.unwritten])
        with os.fdopen(open_part(self._file("points")), "rb") as file:
            return np.concatenate([read_rows(file.fileno(), one.extents, 0, one.written), *one.unwritten])

    def _write_parts(self, position: dict[str, Any], problems: list[str]) -> Header:
        """Write all but the state, behind what it counts; returns the header that makes it count."""
        old, table = self._header, self.table
        new_series = table.numbered[old.series :]
        names = b"".join(json.dumps([*one.key, one.name]).encode() + b"\n" for one in new_series)
        extents = np.array(table.new_extents, EXTENT)
        self._write_part("names", names, old.names_bytes)
        self._write_part("extents", extents.tobytes(), old.extents * EXTENT.itemsize)
        end = self._write_points()
        return Header(
            generation=old.generation,
            boot=old.boot,
            series=len(table.numbered),
            names_bytes=old.names_bytes + len(names),
            extents=old.extents + len(extents),
            points_bytes=max(old.points_bytes, end),
            position=position,
            problems=problems,
        )

    def _write_part(self, kind: str, data: bytes, offset: int) -> None:
        descriptor = self._open(kind)
        try:
            write_at(descriptor, data, offset)
        finally:
            os.close(descriptor)

    def _write_points(self) -> int:
        descriptor, end = self._open("points"), 0
        try:
            for one in self.table.unwritten.values():
                start = one.written
                for part in one.unwritten:
                    end = max(end, write_rows(descriptor, one.extents, start, part))
                    start += len(part)
        finally:
            os.close(descriptor)
        return end

    def _open(self, kind: str) -> int:
        # Where files that the state speaks of were deleted, empty ones in their place would read as zeros.
        create = os.O_CREAT if self._fresh else 0
        return open_part(self._file(kind), os.O_WRONLY | create)


def _delete_others(folder: Path, generation: str) -> None:
    for kind in PARTS:
        for path in folder.glob(f"{kind}-*"):
            if path.name != f"{kind}-{generation}":
                path.unlink(missing_ok=True)


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
