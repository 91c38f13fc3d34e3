# mypy: disallow-untyped-calls=False
"""Event files read fast enough to open a board with them.

Without TensorFlow, TensorBoard's own reader checks checksums byte by byte in Python and makes three messages
of every scalar. This one gives the same data: plain scalars as columns of a chunk, the rest as TensorBoard does.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard import data_compat, dataclass_compat
from tensorboard.backend.event_processing.event_util import ParseFileVersion
from tensorboard.compat.proto import event_pb2
from tensorboard.plugins.scalar import metadata as scalar_metadata

from traindeck.boards.samples import ScalarEvent
from traindeck.events.chunk import Chunk, next_chunk
from traindeck.events.event import VERSION_WITH_RESTARTS, with_text_tags
from traindeck.events.folders import opened
from traindeck.events.pointbatch import PointBatch
from traindeck.events.protobuf import MalformedMessageError

SMALL_BYTES = 4096
"""More than the record that tells the version, which most files begin with."""

LIMIT_RECORD_BYTES = 256 << 20
"""A record larger than this is stepped over."""

PLAIN = attrgetter("is_plain")
"""What TensorBoard would make a scalar of without looking at metadata."""

logger = logging.getLogger(__name__)


class EventFileLoader:
    """One event file, read on from where the last load ended; what is no regular file reads as empty.

    `count` is told how many bytes each read has done with.
    """

    def __init__(self, path: str, count: Callable[[int], None] | None = None) -> None:
        self._path = path
        self._count = count
        self._offset = 0
        self._is_sound = True
        self._waiting: deque[Any] = deque()
        self._metadata: dict[str, Any] = {}
        self._scalars: set[str] = set()
        self._tells_restarts = False

    def Load(self) -> Iterator[Any]:  # noqa: N802 - TensorBoard calls it by this name
        """Yield what came since the last load, up to the first torn or corrupt record.

        Yields:
            An `Event` in today's form, or a `PointBatch` of scalars that this file has had before.
        """
        while True:
            # A caller may stop after one: what is left is given to the next.
            while self._waiting:
                yield self._waiting.popleft()
            chunk = self._next_chunk() if self._is_sound else None
            if chunk is None:
                return
            self._waiting.extend(self._in_order(chunk))

    def _next_chunk(self) -> Chunk | None:
        """Return the next whole records, stepped over at once; None where there are none for now."""
        try:
            with opened(self._path) as descriptor:
                chunk = next_chunk(descriptor, self._offset, PLAIN, LIMIT_RECORD_BYTES)
        except OSError:
            return None
        self._offset += chunk.used_bytes
        self._is_sound = chunk.corrupt is None
        if chunk.is_too_large:
            logger.warning("%s: a record of %d bytes is left out", self._path, chunk.used_bytes)
        if self._count is not None:
            self._count(chunk.used_bytes)
        return chunk if chunk.used_bytes else None

    def _in_order(self, chunk: Chunk) -> Iterator[Any]:
        """Yield the chunk's content in an order that comes to the same as that in which it was written.

        A tag's first point goes as an event, in its place among the events, which tells of the tag. Its other
        points may come after all other events but those that bear on it: one with the same tag, one that says
        that training began again, or one of the file's version. In old files a step back says so, from whichever
        event to whichever other: every point stays in its place.
        """
        points, events = self._with_firsts(chunk)
        tags = set(points.tags)
        for number, event in events:
            if len(points) and (not self._tells_restarts or _bears_on(event, tags)):
                before = points.records < number
                yield from _unless_empty(points.where(before))
                points = points.where(~before)
            yield from self._migrated(event)
        self._scalars |= tags
        yield from _unless_empty(points)

    def _with_firsts(self, chunk: Chunk) -> tuple[PointBatch, list[tuple[int, Any]]]:
        """Return points without those that tell of their tag, and all events in order, with those."""
        events = [(number, event) for number, record in chunk.others if (event := _event(record)) is not None]
        points = chunk.columns.batch()
        firsts = [place for place in points.firsts().tolist() if points.tag(place) not in self._scalars]
        if not firsts:
            return points, events
        rest = np.ones(len(points), np.bool_)
        rest[firsts] = False
        events += ((int(points.records[place]), _first_event(points, place)) for place in firsts)
        return points.where(rest), sorted(events, key=lambda numbered: numbered[0])

    def _migrated(self, event: Any) -> Any:
        if event.HasField("file_version"):
            self._tells_restarts = ParseFileVersion(event.file_version) >= VERSION_WITH_RESTARTS
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                self._scalars.add(value.tag)
        return dataclass_compat.migrate_event(data_compat.migrate_event(event), self._metadata)


def _event(record: bytes) -> Any:
    """Return the event, or None: a record may be whole, but of another program. Others of its file may be events."""
    for content in (lambda: record, lambda: with_text_tags(record)):
        try:
            return event_pb2.Event.FromString(content())  # type: ignore[attr-defined]
        except (DecodeError, MalformedMessageError):
            continue
    return None


def _first_event(points: PointBatch, place: int) -> Any:
    """Return the event of a point as TensorBoard would migrate it, metadata included."""
    tag = points.tag(place)
    step, wall_time, value = points.rows[place].item()
    event = event_pb2.Event(wall_time=wall_time, step=step)  # type: ignore[attr-defined]
    metadata = scalar_metadata.create_summary_metadata(display_name=tag, description="")
    event.summary.value.add(tag=tag, metadata=metadata, tensor=ScalarEvent(tag, step, wall_time, value).tensor_proto)
    return event


def _bears_on(event: Any, tags: set[str]) -> bool:
    what = event.WhichOneof("what")
    if what == "summary":
        return any(value.tag in tags for value in event.summary.value)
    return what in {"session_log", "file_version"}


def _unless_empty(points: PointBatch) -> Iterator[PointBatch]:
    if len(points):
        yield points


def first_event(path: str) -> Any:
    """Return the first event of a file; None where there is none, or a large one."""
    try:
        with opened(path) as descriptor:
            chunk = next_chunk(descriptor, 0, lambda _: False, SMALL_BYTES, SMALL_BYTES)
    except OSError:
        return None
    return _event(chunk.others[0][1]) if chunk.others else None
