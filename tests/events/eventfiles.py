"""Writes event files as trainers do, and reads them as TensorBoard does."""

import struct
from pathlib import Path

from crc32c import crc32c
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from traindeck.events.chart import StoredColumns
from traindeck.events.series import list_series
from traindeck.events.tail import AttemptTail, TailUpdate

Point = tuple[int, float, float]
NAME = "events.out.tfevents.1700000000.host.1.0"


def frame(content: bytes) -> bytes:
    """One record as it stands in a file."""
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked(length)) + content + struct.pack("<I", masked(content))


def masked(content: bytes) -> int:
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def scalar(tag: str, step: int, value: float, wall_time: float = 1.7e9) -> bytes:
    """A record with one scalar."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    return frame(Event(wall_time=wall_time, step=step, summary=summary).SerializeToString())


def version() -> bytes:
    """The first record of an event file."""
    return frame(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())


def write(path: Path, *records: bytes) -> Path:
    """Append records to an event file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(records))
    return path


def read_all(tail: AttemptTail) -> TailUpdate:
    """Poll until there is nothing more, and return all that came."""
    update = tail.poll(rescan=True)
    changed, points = dict(update.changed), update.new_points
    while not update.caught_up:
        update = tail.poll()
        changed |= update.changed
        points += update.new_points
    return TailUpdate(changed, points, update.problems, update.caught_up)


def stored(store: Path) -> dict[str, list[Point]]:
    """All points of all series in a store, in the order of writing."""
    found = {}
    for name in list_series(store):
        columns = StoredColumns.open(store, name)
        assert columns is not None
        found[name] = [tuple(row) for row in columns._gathered(0, columns.count).tolist()]
    return found


def accumulated(folder: Path) -> dict[str, list[Point]]:
    """What TensorBoard's own reader makes of the scalars in a folder."""
    # It takes half a second to import, and most tests only write files.
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    return {
        tag: [(event.step, event.wall_time, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
