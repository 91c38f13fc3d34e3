"""Reads the event files of one attempt into its series store, a little at a time.

The files of one folder are read one after the other, in the order in which they were opened: they are of
one writer that was closed and opened again. Folders take turns, a chunk each, so that a huge file does not
hold up the rest.
"""

import time
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from traindeck.events.batch import Batch, read_batch
from traindeck.events.eventfile import EventFile
from traindeck.events.names import natural, opening_order, readable, series_name
from traindeck.events.series import SeriesSummary
from traindeck.events.store import SeriesStore
from traindeck.events.table import SeriesKey, StoredSeries

HELD_LIMIT_BYTES = 64 << 20
"""With so much in memory that the disk has no room for, reading waits."""

SERIES_LIMIT = 20_000
TAG_LIMIT_BYTES = 16 << 10
FILES_LIMIT = 10_000


class AttemptReader:
    """The event files below one working folder, and the store that they are read into."""

    def __init__(self, work: Path, store: SeriesStore) -> None:
        self.work = work
        self.store = store
        self._changed: set[SeriesKey] = set()
        self._new_points = 0
        self._left_out: str | None = None
        self._turns: dict[str, int] = {}
        self._turn_numbers = count(1)
        self._resume()

    def _resume(self) -> None:
        position = self.store.position
        self._main: str | None = position.get("main")
        self._files = {path: EventFile(path, offset, stopped) for path, offset, stopped in position.get("files", [])}
        self._order()
        self._changed = set(self.store.table.by_key)

    @property
    def position(self) -> dict[str, Any]:
        """Where to go on from; JSON."""
        files = [[file.path, file.offset, file.stopped] for file in self._files.values()]
        return {"main": self._main, "files": files} if files else {}

    @property
    def problems(self) -> list[str]:
        """What keeps points from being read, as it stands now."""
        reasons = ((file.path, file.stopped or file.trouble) for file in self._files.values())
        unread = [f"{readable(path)}: {reason}" for path, reason in reasons if reason is not None]
        return [*unread, *([self._left_out] if self._left_out else [])]

    @property
    def is_caught_up(self) -> bool:
        """True where reading on at once would bring nothing."""
        return self._is_full or not any(file.is_pending for file in self._files.values())

    @property
    def _is_full(self) -> bool:
        return self.store.table.held_bytes > HELD_LIMIT_BYTES

    def discover(self, paths: list[str]) -> None:
        """Take up event files that were found; those known already stay where they are."""
        new = [path for path in paths if path not in self._files]
        if not new:
            return
        self._files |= {path: EventFile(path) for path in new[: FILES_LIMIT - len(self._files)]}
        if len(self._files) >= FILES_LIMIT:
            self._left_out = f"only {FILES_LIMIT} event files are read"
        if self._main is None:
            self._main = min(self._files.values(), key=lambda file: opening_order(file.path)).folder
        self._order()

    def take_changes(self) -> tuple[dict[str, SeriesSummary], int]:
        """The series that got or lost points since the last call, and how many points were read."""
        table, changed, points = self.store.table, self._changed, self._new_points
        self._changed, self._new_points = set(), 0
        return table.summary_of(table.by_key[key] for key in changed), points

    def begin_again(self) -> None:
        """Read everything once more, into an empty store."""
        paths = list(self._files)
        self.store.reset()
        self._resume()
        self.discover(paths)

    def read(self, seconds: float) -> None:
        """Read what is new, for about so many seconds at most."""
        deadline = time.monotonic() + seconds
        for file in self._files.values():
            file.look(self.work)
        while not self._is_full and (turn := self._turn()):
            for file in turn:
                self._read_some(file)
                if time.monotonic() > deadline:
                    return

    def _order(self) -> None:
        """Sort the files: the main folder's first, then by folder; within one as they were opened."""
        ordered = sorted(self._files.values(), key=lambda file: opening_order(file.path))
        ordered.sort(key=lambda file: (file.folder != self._main, natural(file.folder)))
        self._files = {file.path: file for file in ordered}

    def _turn(self) -> list[EventFile]:
        """The next file of each folder that has anything new, the folder first that has waited longest."""
        turn: dict[str, EventFile] = {}
        for file in self._files.values():
            if file.is_pending:
                turn.setdefault(file.folder, file)
        return sorted(turn.values(), key=lambda file: self._turns.get(file.folder, 0))

    def _read_some(self, file: EventFile) -> None:
        self._turns[file.folder] = next(self._turn_numbers)
        chunk = file.read(self.work)
        if chunk is None:
            return
        try:
            self._store(file.folder, read_batch(chunk))
        except (OSError, EOFError):
            # The store lost what it must have to withdraw points of it.
            self.begin_again()

    def _store(self, folder: str, batch: Batch) -> None:
        if batch.withdrawn_from is not None:
            self._changed |= {one.key for one in self.store.withdraw(folder, batch.withdrawn_from)}
        series = [self._series(folder, tag) for tag in batch.tags]
        numbers = np.array([-1 if one is None else one.number for one in series], np.int64)[batch.tag_numbers]
        points = batch.points
        if None in series:
            numbers, points = numbers[numbers >= 0], points[numbers >= 0]
        self.store.table.add(numbers, points)
        self._changed |= {one.key for one in series if one is not None}
        self._new_points += len(points)

    def _series(self, folder: str, raw_tag: bytes) -> StoredSeries | None:
        """The series of a tag, made where it is new; None where there are too many, or it is too long."""
        if len(raw_tag) > TAG_LIMIT_BYTES:
            self._left_out = f"tags of more than {TAG_LIMIT_BYTES} bytes are left out"
            return None
        table = self.store.table
        key = SeriesKey(folder, raw_tag.decode(errors="backslashreplace"))
        if key in table.by_key:
            return table.by_key[key]
        if len(table.by_key) >= SERIES_LIMIT:
            self._left_out = f"only {SERIES_LIMIT} series are kept"
            return None
        return table.create(key, self._free_name(key))

    def _free_name(self, key: SeriesKey) -> str:
        """The name of a new series; with its folder, where a series of another folder has the same name."""
        name = readable(series_name(self._main or "", key.folder, key.tag))
        taken = self.store.table.by_name
        if name not in taken:
            return name
        return f"{name} ({readable(key.folder) or '.'}: {key.tag})"
