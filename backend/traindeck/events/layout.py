"""Records that are laid out alike, read as columns of bytes.

Records of one training loop differ only in their wall time, step, value and tag. So one record of each layout is
parsed, and the others follow from it.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from traindeck.events.event import Event, event_or_none
from traindeck.events.pointbatch import PointColumns
from traindeck.events.points import POINT, Points
from traindeck.events.records import Bytes, Indices

WORD_BYTES = 8

Takes = Callable[[Event], bool]
"""Whether records like this event are wanted as columns: it has one scalar, and its number a fixed place."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records like one record are laid out; `event` says where its parts lie."""

    pattern: bytes
    event: Event

    @classmethod
    def of(cls, record: bytes, takes: Takes) -> Self | None:
        """Return the layout of a record whose event `takes` wants; None for any other."""
        event = event_or_none(record)
        return cls(record, event) if event is not None and takes(event) else None

    def matches(self, columns: Bytes) -> NDArray[np.bool_]:
        """Return which records are laid out so; `columns` have the shape (length, records)."""
        alike = np.ones(columns.shape[1], np.bool_)
        for place in np.flatnonzero(self._constant()).tolist():
            alike &= columns[place] == self.pattern[place]
        if self.event.step_at is not None:
            for place in range(self.event.step_at, self.event.step_end):
                # Each byte of a number says whether another follows.
                alike &= (columns[place] ^ np.uint8(self.pattern[place])) < 0x80
        return alike

    def add_to(self, gathered: PointColumns, columns: Bytes, records: Indices) -> None:
        """Add the points of records that match."""
        tags, which = self._tags(columns)
        texts = [tag.decode(errors="backslashreplace") for tag in tags]
        declared = self.event.scalars[0].is_declared
        gathered.add(texts, which, records, self._rows(columns), are_declared=declared)

    def _rows(self, columns: Bytes) -> Points:
        event, rows = self.event, np.zeros(columns.shape[1], POINT)
        rows["value"] = _floats(columns[self._value], f"<f{self._value.stop - self._value.start}")
        if event.wall_time_at is not None:
            rows["wall_time"] = _floats(columns[event.wall_time_at : event.wall_time_at + WORD_BYTES], "<f8")
        if event.step_at is not None:
            rows["step"] = _varints(columns[event.step_at : event.step_end])
        return rows

    def _tags(self, columns: Bytes) -> tuple[list[bytes], Indices]:
        """Return the tags of records that match, and which of them each has."""
        scalar = self.event.scalars[0]
        names = columns[scalar.tag_start : scalar.tag_end]
        varying = names[(names != names[:, :1]).any(axis=1)]
        if not len(varying):
            return [names[:, 0].tobytes()], np.zeros(names.shape[1], np.int64)
        firsts, which = _distinct(varying)
        return [names[:, first].tobytes() for first in firsts.tolist()], which

    @property
    def _value(self) -> slice:
        scalar = self.event.scalars[0]
        return slice(scalar.value_at, scalar.value_at + struct.calcsize(scalar.format or ""))

    def _constant(self) -> NDArray[np.bool_]:
        event, scalar = self.event, self.event.scalars[0]
        constant = np.ones(len(self.pattern), np.bool_)
        constant[scalar.tag_start : scalar.tag_end] = constant[self._value] = False
        if event.wall_time_at is not None:
            constant[event.wall_time_at : event.wall_time_at + WORD_BYTES] = False
        if event.step_at is not None:
            constant[event.step_at : event.step_end] = False
        return constant


def _floats(columns: Bytes, kind: str) -> NDArray[np.floating[Any]]:
    return np.ascontiguousarray(columns.T).view(kind).reshape(-1)


def _varints(columns: Bytes) -> Indices:
    """Return one number from each record, low bits first."""
    total = np.zeros(columns.shape[1], np.uint64)
    for place, column in enumerate(columns):
        total |= (column & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return total.view(np.int64)


def _distinct(columns: Bytes) -> tuple[Indices, Indices]:
    """Return where each distinct record stands first, and which of them each record is."""
    width = len(columns)
    if width <= WORD_BYTES:
        keys = np.zeros((columns.shape[1], WORD_BYTES), np.uint8)
        keys[:, :width] = columns.T
        packed = keys.view("<u8").reshape(-1)
    else:
        packed = np.ascontiguousarray(columns.T).view(f"V{width}").reshape(-1)
    _, firsts, which = np.unique(packed, return_index=True, return_inverse=True)
    return firsts, which
