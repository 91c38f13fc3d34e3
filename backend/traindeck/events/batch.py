"""The points that a chart has of one stretch of an event file, by TensorBoard's rules for training that began again.

Files of version 2 say where it began again: all points from there on are void. In others a step back says so: it voids
what its own tags have from there on.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from traindeck.events.chunk import Chunk
from traindeck.events.event import Event, event_or_none
from traindeck.events.pointbatch import PointBatch, PointColumns
from traindeck.events.points import POINT
from traindeck.events.records import Indices

NO_STEP = -1

Numbered = list[tuple[int, Event]]
"""Events, each with the number of its record."""


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
