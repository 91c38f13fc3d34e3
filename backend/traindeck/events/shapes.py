"""Records that are laid out alike, read as the columns of a matrix."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traindeck.events.points import POINT, Points
from traindeck.events.scalars import Event, event_or_none

Matrix = NDArray[np.uint8]
"""The bytes of records of one length; shape (records, length)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records like one record are laid out.

    Attributes:
        event: The record that was parsed.
        constant: Which bytes are the same in all of them; bool, shape (length,).
        pattern: The bytes of the parsed record; shape (length,).
    """

    event: Event
    constant: NDArray[np.bool_]
    pattern: Matrix

    def matches(self, rows: Matrix) -> NDArray[np.bool_]:
        """Which of `rows` (records, length) are laid out like this."""
        same: NDArray[np.bool_] = (rows[:, self.constant] == self.pattern[self.constant]).all(axis=1)
        if self.event.step_at is not None:
            step = slice(self.event.step_at, self.event.step_end)
            same &= ((rows[:, step] ^ self.pattern[step]) < 0x80).all(axis=1)
        return same

    def read(self, rows: Matrix) -> Points:
        """The points of records that match."""
        event, scalar = self.event, self.event.scalars[0]
        points = np.zeros(len(rows), POINT)
        points["value"] = _numbers(rows, scalar.value_at, str(scalar.format))
        if event.wall_time_at is not None:
            points["wall_time"] = _numbers(rows, event.wall_time_at, "<d")
        if event.step_at is not None:
            points["step"] = _varints(rows[:, event.step_at : event.step_end])
        return points


def shape_of(row: Matrix) -> Shape | None:
    """The shape of a record with one scalar at a fixed place; None for any other record."""
    event = event_or_none(row.tobytes())
    if event is None or event.restarts or len(event.scalars) != 1 or event.scalars[0].format is None:
        return None
    scalar = event.scalars[0]
    constant = np.ones(len(row), np.bool_)
    constant[scalar.tag_start : scalar.tag_end] = False
    constant[scalar.value_at : scalar.value_at + struct.calcsize(scalar.format or "")] = False
    if event.wall_time_at is not None:
        constant[event.wall_time_at : event.wall_time_at + 8] = False
    if event.step_at is not None:
        constant[event.step_at : event.step_end] = False
    return Shape(event, constant, row)


def _numbers(rows: Matrix, at: int, kind: str) -> NDArray[np.float64]:
    size = struct.calcsize(kind)
    column = np.ascontiguousarray(rows[:, at : at + size])
    return column.view(np.dtype(f"<f{size}")).reshape(-1).astype(np.float64)


def _varints(columns: Matrix) -> NDArray[np.int64]:
    """One number from each row; rows of one width, low bits first."""
    total = np.zeros(len(columns), np.uint64)
    for place in range(columns.shape[1]):
        total |= (columns[:, place] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * place)
    return total.view(np.int64)
