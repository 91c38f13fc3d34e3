"""Read the event files of an attempt into its series store, a chunk at a time, by TensorBoard's rules for restarts.

The files of a folder are read one after the other, in the order in which they were opened, because one writer made
them. Folders take turns, so that a huge file does not delay the others. A file of version 2 says where training began
again, and all later points are void. In other files a step back says so, and voids the points of its own tags.
"""

import os
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from traindeck.events.chunk import Chunk
from traindeck.events.elsewhere import original
from traindeck.events.event import Event, event_or_none
from traindeck.events.eventfile import EventFile
from traindeck.events.pointbatch import PointBatch, PointColumns
from traindeck.events.points import POINT
from traindeck.events.records import Indices
from traindeck.events.series import SeriesSummary
from traindeck.events.seriesnames import is_of_hparams, natural, opening_order, readable, series_name, shown
from traindeck.events.store import SeriesStore
from traindeck.events.table import SeriesKey, StoredSeries

NO_STEP = -1

Numbered = list[tuple[int, Event]]
"""Events, each with the number of its record."""
HELD_LIMIT_BYTES = 64 << 20
"""With so much in memory that the disk has no room for, reading waits."""
WITHDRAWN = SeriesSummary(None, None, None, 0, 0, 0.0)
SERIES_LIMIT = 20_000
TAG_LIMIT_BYTES = 16 << 10
FILES_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """How the files of a folder say that training began again, as far as they were read.

    Attributes:
        says_restarts: Whether they are of a version that says so; else a step back does.
        last_step: The step of the last event with a summary; -1 before the first.
    """

    says_restarts: bool = False
    last_step: int = NO_STEP


@dataclass(slots=True)
class Batch:
    """What one stretch brings, and what it withdraws.

    Attributes:
        points: The points, less those that were withdrawn further down in the same stretch.
        rule: How the folder's next stretch is read.
        withdrawn_from: From which step on all points before this stretch are void; None where they are not.
        tags_withdrawn_from: The same for single tags.
        malformed: How many records are no events.
    """

    points: PointBatch
    rule: Rule
    withdrawn_from: int | None = None
    tags_withdrawn_from: dict[str, int] = field(default_factory=dict)
    malformed: int = 0

    def withdraw(self, record: int, step: int) -> None:
        """Drop all points before a record from a step on."""
        self.withdrawn_from = step if self.withdrawn_from is None else min(step, self.withdrawn_from)
        points = self.points
        self.points = points.where((points.records >= record) | (points.rows["step"] < step))

    def withdraw_tags(self, record: int, step: int) -> None:
        """Drop the points before a record from a step on that have one of its tags."""
        points = self.points
        numbers = np.unique(points.numbers[points.records == record])
        for tag in (points.tags[number] for number in numbers.tolist()):
            self.tags_withdrawn_from[tag] = min(step, self.tags_withdrawn_from.get(tag, step))
        others = ~np.isin(points.numbers, numbers)
        self.points = points.where(others | (points.records >= record) | (points.rows["step"] < step))


def read_batch(chunk: Chunk, rule: Rule) -> Batch:
    """Return the scalars of a chunk, of which nothing else can be read then; records that are no events add nothing."""
    events = [(number, event) for number, record in chunk.others if (event := event_or_none(record)) is not None]
    _add_single(chunk.columns, events)
    points = chunk.columns.batch()
    versions = [(number, says) for number, event in events if (says := event.says_restarts) is not None]
    says_restarts = versions[-1][1] if versions else rule.says_restarts
    next_rule = Rule(says_restarts, _last_step(points, events, rule.last_step))
    batch = Batch(points, next_rule, malformed=len(chunk.others) - len(events))
    for number, event in events:
        if event.is_restart and _says_restarts(rule, versions, number):
            batch.withdraw(number, event.step)
    if versions or not rule.says_restarts:
        records, steps = _summaries(points, events)
        is_back = steps < np.append(rule.last_step, steps[:-1])
        for record, step in zip(records[is_back].tolist(), steps[is_back].tolist(), strict=True):
            if not _says_restarts(rule, versions, record):
                batch.withdraw_tags(record, step)
    return batch


def _says_restarts(rule: Rule, versions: list[tuple[int, bool]], record: int) -> bool:
    """Return whether the version that holds at a record is one that says where training began again."""
    place = bisect_right(versions, (record, True))
    return versions[place - 1][1] if place else rule.says_restarts


def _add_single(columns: PointColumns, events: Numbered) -> None:
    """Add the scalars of events that are read one by one."""
    found = [(number, event, scalar) for number, event in events for scalar in event.scalars]
    for are_declared in (True, False):
        chosen = [one for one in found if one[2].is_declared == are_declared]
        if chosen:
            rows = np.array([(event.step, event.wall_time, scalar.value) for _, event, scalar in chosen], POINT)
            records = np.array([number for number, _, _ in chosen])
            tags = [scalar.tag for _, _, scalar in chosen]
            columns.add(tags, np.arange(len(chosen)), records, rows, are_declared=are_declared)


def _summaries(points: PointBatch, events: Numbered) -> tuple[Indices, Indices]:
    """Return which records have a summary, and their steps; in the order of the records."""
    more = [(number, event.step) for number, event in events if event.has_summary and not event.scalars]
    records = np.append(points.records, np.array([number for number, _ in more], np.int64))
    steps = np.append(points.rows["step"], np.array([step for _, step in more], np.int64))
    distinct, firsts = np.unique(records, return_index=True)
    return distinct, steps[firsts]


def _last_step(points: PointBatch, events: Numbered, before: int) -> int:
    """Return the step of the last record with a summary; `before` where there is none."""
    steps = [(number, event.step) for number, event in events if event.has_summary]
    if len(points):
        place = int(points.records.argmax())
        steps.append((int(points.records[place]), int(points.rows["step"][place])))
    return max(steps, default=(0, before))[1]


class AttemptReader:
    """The event files below one working folder, and the store that they are read into."""

    def __init__(self, work: Path, store: SeriesStore) -> None:
        self.work = work
        self.store = store
        self._changed: set[SeriesKey] = set()
        self._new_points = 0
        self._turns: dict[str, int] = {}
        self._turn_numbers = count(1)
        self._resume()

    def _resume(self) -> None:
        position = self.store.position
        self._main: str | None = position.get("main")
        self._files = {
            path: EventFile(path, offset, stopped, unit=unit, head=head, passed_over=passed_over, first_restart=restart)
            for path, offset, stopped, unit, head, passed_over, restart in map(_complete, position.get("files", []))
        }
        self._gone: set[str] = set(position.get("gone", []))
        self._left_out: set[str] = set(position.get("left_out", []))
        self._last_steps: dict[str, int] = position.get("last_steps", {})
        self._telling: set[str] = set(position.get("telling", self._telling_of_old_stores()))
        self._order()
        self._changed = set(self.store.table.by_key)

    def _telling_of_old_stores(self) -> list[str]:
        return [file.folder for file in self._files.values() if file.offset]

    @property
    def position(self) -> dict[str, Any]:
        """Return where to go on from; JSON."""
        files = [
            [file.path, file.offset, file.stopped, file.unit, file.head, file.passed_over, file.first_restart]
            for file in self._files.values()
        ]
        sets = {"telling": self._telling, "gone": self._gone, "left_out": self._left_out}
        more = {"last_steps": self._last_steps, **{name: sorted(one) for name, one in sets.items()}}
        return {"main": self._main, "files": files, **more} if files else {}

    @property
    def problems(self) -> list[str]:
        """Return what keeps points from being read, or was corrected, as it stands now."""
        files = self._files.values()
        unread = [
            f"{shown(original(file.path))}: {reason}" for file in files if (reason := file.stopped or file.trouble)
        ]
        odd = [f"{shown(original(file.path))}: {remark}" for file in files for remark in file.remarks]
        return [*filter(None, ["; ".join(sorted(self._left_out))]), *unread, *odd]

    @property
    def is_caught_up(self) -> bool:
        """Return True where reading on at once would bring nothing."""
        return self._is_full or not any(file.is_pending for file in self._files.values())

    @property
    def _is_full(self) -> bool:
        return self.store.table.held_bytes > HELD_LIMIT_BYTES

    def discover(self, paths: list[str]) -> None:
        """Take up event files that were found; those known already stay where they are."""
        self._forget_what_is_gone(paths)
        self._take_up(paths)

    def _take_up(self, paths: list[str]) -> None:
        new = [path for path in paths if path not in self._files]
        if not new:
            return
        self._files |= {path: EventFile(path) for path in new[: FILES_LIMIT - len(self._files)]}
        if len(self._files) >= FILES_LIMIT:
            self._left_out.add(f"only {FILES_LIMIT} event files are read")
        if self._main is None:
            self._main = min(self._files.values(), key=lambda file: opening_order(file.path)).folder
        self._order()

    def _forget_what_is_gone(self, paths: list[str]) -> None:
        """Begin again where event files were replaced, or were deleted and others are there.

        So charts show what is on disk. Where all are deleted, what was read of them stays.
        """
        found = set(paths)
        gone = [path for path in self._files if path not in found and not os.path.lexists(self.work / path)]
        replaced = any(file.is_replaced for file in self._files.values())
        if not replaced and not (gone and found):
            return
        self._files = {path: file for path, file in self._files.items() if path in found}
        self.begin_again()

    def take_changes(self) -> tuple[dict[str, SeriesSummary], int]:
        """Return the series that got or lost points since the last call, and how many points were read."""
        table, changed, points = self.store.table, self._changed, self._new_points
        self._changed, self._new_points = set(), 0
        summaries = table.summary_of(table.by_key[key] for key in changed if key in table.by_key)
        if self._gone and self.is_caught_up:
            # Not before: most of them come again.
            summaries |= {name: WITHDRAWN for name in self._gone if name not in table.by_name}
            self._gone = set()
        return summaries, points

    def begin_again(self) -> None:
        """Read everything once more, into an empty store."""
        paths = list(self._files)
        gone = self._gone | set(self.store.table.by_name)
        self.store.reset()
        self._resume()
        self._gone = gone
        self._take_up(paths)

    def look(self) -> None:
        """See how large the files are now."""
        for file in self._files.values():
            file.look(self.work)

    def read(self, seconds: float) -> None:
        """Read what is new, for about so many seconds at most."""
        deadline = time.monotonic() + seconds
        self.look()
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
        """Return the next file of each folder that has anything new, the folder first that has waited longest."""
        turn: dict[str, EventFile] = {}
        for file in self._files.values():
            if file.is_pending and not file.is_replaced:
                turn.setdefault(file.folder, file)
        return sorted(turn.values(), key=lambda file: self._turns.get(file.folder, 0))

    def _read_some(self, file: EventFile) -> None:
        self._turns[file.folder] = next(self._turn_numbers)
        chunk = file.read(self.work)
        if chunk is None:
            return
        batch = read_batch(chunk, self._rule(file.folder))
        if batch.malformed:
            file.count_malformed(chunk)
        try:
            self._store(file, batch)
        except (OSError, EOFError):
            # The store lost what it must have to withdraw points of it.
            self.begin_again()

    def _rule(self, folder: str) -> Rule:
        return Rule(folder in self._telling, self._last_steps.get(folder, NO_STEP))

    def _store(self, file: EventFile, batch: Batch) -> None:
        folder = file.folder
        self._last_steps[folder] = batch.rule.last_step
        (self._telling.add if batch.rule.says_restarts else self._telling.discard)(folder)
        self._withdraw(file, batch)
        points = batch.points
        series = [
            self._series(folder, tag, known_only=number in points.undeclared) for number, tag in enumerate(points.tags)
        ]
        self._changed |= {one.key for one in series if one is not None}
        numbers = np.array([-1 if one is None else one.number for one in series], np.int64)[points.numbers]
        rows = file.in_seconds(self.work, points.rows)
        if None in series:
            numbers, rows = numbers[numbers >= 0], rows[numbers >= 0]
        self.store.table.add(numbers, rows)
        self._new_points += len(rows)

    def _withdraw(self, file: EventFile, batch: Batch) -> None:
        """Drop from the store what is void by what the batch says."""
        folder = file.folder
        if batch.withdrawn_from is not None:
            withdrawn = self.store.withdraw(folder, batch.withdrawn_from)
            self._changed |= {one.key for one in withdrawn}
            if not any(one.first_restart for one in self._files.values() if one.folder == folder):
                file.first_restart = [batch.withdrawn_from, bool(withdrawn)]
        for tag, step in batch.tags_withdrawn_from.items():
            self._changed |= {one.key for one in self.store.withdraw(folder, step, tag)}

    def _series(self, folder: str, tag: str, *, known_only: bool) -> StoredSeries | None:
        """Return the series of a tag, made where it is new; None where there are too many, or it is too long.

        With `known_only` also where it is new: nothing says that it is a scalar.
        """
        if len(tag.encode()) > TAG_LIMIT_BYTES:
            self._left_out.add(f"tags of more than {TAG_LIMIT_BYTES} bytes are left out")
            return None
        table = self.store.table
        key = SeriesKey(folder, tag)
        if key in table.by_key:
            return table.by_key[key]
        if known_only:
            return None
        if len(table.by_key) >= SERIES_LIMIT:
            self._left_out.add(f"only {SERIES_LIMIT} series are kept")
            return None
        return table.create(key, self._free_name(key))

    def _free_name(self, key: SeriesKey) -> str:
        """Return the name of a new series, with an addition where a series of another folder has the same name."""
        main, taken = self._main or "", self.store.table.by_name
        name = readable(series_name(main, key.folder, key.tag))
        holder = taken.get(name)
        if holder is None:
            return name
        if is_of_hparams(main, key.folder):
            return self._hparams_name(name)
        if is_of_hparams(main, holder.key.folder):
            # What the training itself measures has the name for itself.
            self.store.rename(holder, self._hparams_name(name))
            self._changed.add(holder.key)
            return name
        return f"{name} ({readable(key.folder) or '.'}: {key.tag})"

    def _hparams_name(self, name: str) -> str:
        numbered = (f"{name} (hparams{f' {number}' if number > 1 else ''})" for number in count(1))
        return next(one for one in numbered if one not in self.store.table.by_name)


def _complete(file: list[Any]) -> list[Any]:
    """Return a file as a store has it; older ones say less."""
    return [*file, *[None, [], 0, []][len(file) - 3 :]]
