# mypy: disallow-untyped-calls=False
"""Records of scalars that are laid out alike, read as columns of bytes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tensorboard.compat.proto import event_pb2

from traindeck.boards.checksums import Bytes
from traindeck.boards.points import POINT, Indices, Points
from traindeck.events.scalars import Event, event_or_none

FLOAT_BYTES, DOUBLE_BYTES = 4, 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records like one record are laid out; `event` says where its parts lie."""

    pattern: bytes
    event: Event

    def matches(self, columns: Bytes) -> NDArray[np.bool_]:
        """Which records are laid out so; `columns` have the shape (length, records)."""
        alike = np.ones(columns.shape[1], np.bool_)
        for place in np.flatnonzero(self._constant()).tolist():
            alike &= columns[place] == self.pattern[place]
        if self.event.step_at is not None:
            for place in range(self.event.step_at, self.event.step_end):
                # Each byte of a number says whether another follows.
                alike &= (columns[place] ^ np.uint8(self.pattern[place])) < 0x80
        return alike

    def rows(self, columns: Bytes) -> Points:
        """The points of records that match."""
        event, scalar = self.event, self.event.scalars[0]
        rows = np.zeros(columns.shape[1], POINT)
        rows["value"] = _floats(columns[scalar.value_at : scalar.value_at + FLOAT_BYTES], "<f4")
        if event.wall_time_at is not None:
            rows["wall_time"] = _floats(columns[event.wall_time_at : event.wall_time_at + DOUBLE_BYTES], "<f8")
        if event.step_at is not None:
            rows["step"] = _varints(columns[event.step_at : event.step_end])
        return rows

    def tags(self, columns: Bytes) -> tuple[list[bytes], Indices]:
        """The tags of records that match, and which of them each has."""
        scalar = self.event.scalars[0]
        names = columns[scalar.tag_start : scalar.tag_end]
        varying = names[(names != names[:, :1]).any(axis=1)]
        if not len(varying):
            return [names[:, 0].tobytes()], np.zeros(names.shape[1], np.int64)
        firsts, which = _distinct(varying)
        return [names[:, first].tobytes() for first in firsts.tolist()], which

    def _constant(self) -> NDArray[np.bool_]:
        event, scalar = self.event, self.event.scalars[0]
        constant = np.ones(len(self.pattern), np.bool_)
        constant[scalar.tag_start : scalar.tag_end] = False
        constant[scalar.value_at : scalar.value_at + FLOAT_BYTES] = False
        if event.wall_time_at is not None:
            constant[event.wall_time_at : event.wall_time_at + DOUBLE_BYTES] = False
        if event.step_at is not None:
            constant[event.step_at : event.step_end] = False
        return constant


def layout_of(record: bytes) -> Layout | None:
    """The layout of a record that is one point of a scalar and nothing else; None for any other."""
    event = event_or_none(record)
    if event is None or event.restarts or len(event.scalars) != 1 or event.scalars[0].format != "<f":
        return None
    try:
        message = event_pb2.Event.FromString(record)  # type: ignore[attr-defined]
    except DecodeError:
        return None
    return Layout(record, event) if is_point(message) else None


def is_point(event: Any) -> bool:
    """True for an event that is one plain number under a tag."""
    values = event.summary.value
    if len(values) != 1:
        return False
    value = values[0]
    return bool(value.tag) and value.WhichOneof("value") == "simple_value" and not value.HasField("metadata")


def _floats(columns: Bytes, kind: str) -> NDArray[np.floating[Any]]:
    return np.ascontiguousarray(columns.T).view(kind).reshape(-1)


def _varints(columns: Bytes) -> Indices:
    """One number from each record, low bits first."""
    total = np.zeros(columns.shape[1], np.uint64)
    for place, column in enumerate(columns):
        total |= (column & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return total.view(np.int64)


def _distinct(columns: Bytes) -> tuple[Indices, Indices]:
    """Where each distinct record stands first, and which of them each record is."""
    width = len(columns)
    if width <= DOUBLE_BYTES:
        keys = np.zeros((columns.shape[1], DOUBLE_BYTES), np.uint8)
        keys[:, :width] = columns.T
        packed = keys.view("<u8").reshape(-1)
    else:
        packed = np.ascontiguousarray(columns.T).view(f"V{width}").reshape(-1)
    _, firsts, which = np.unique(packed, return_index=True, return_inverse=True)
    return firsts, which
