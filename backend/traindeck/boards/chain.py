# mypy: disallow-untyped-calls=False
"""Read the event files of one of TensorBoard's runs: those of an attempt, and of the attempts that continued it.

Without TensorFlow, TensorBoard's own reader computes checksums byte by byte in Python and makes three messages of every
scalar. This one gives the same data: plain scalars as columns of a chunk, all else as TensorBoard does.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard import data_compat, dataclass_compat
from tensorboard.backend.event_processing import directory_watcher
from tensorboard.backend.event_processing.event_util import ParseFileVersion
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import compat
from tensorboard.plugins.scalar import metadata as scalar_metadata

from traindeck.boards.samples import ScalarEvent
from traindeck.events.chunk import Chunk, next_chunk
from traindeck.events.event import VERSION_WITH_RESTARTS, with_text_tags
from traindeck.events.folders import Sizes, is_event_file, opened
from traindeck.events.pointbatch import PointBatch
from traindeck.events.protobuf import MalformedMessageError

SMALL_BYTES = 4096
"""More than the record that tells the version, which most files begin with."""

LIMIT_RECORD_BYTES = 256 << 20
"""A record larger than this is stepped over."""

PLAIN = attrgetter("is_plain")
"""What TensorBoard would make a scalar of without looking at metadata."""

logger = logging.getLogger(__name__)
NUMBERED = re.compile(r"[A-Z][a-z]{2}\d{2}_\d{2}-\d{2}-\d{2}|\d+")
"""What writers put into the name of a log folder to have a new one each time: a date, or a number."""
Found = dict[str, tuple[Path, Sizes]]
"""Folders with event files by their path within a working folder."""
Joined = dict[str, list[tuple[Path, Sizes]]]
"""As `Found`, with the folders of later attempts behind those that they go on from."""


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


class GoesOn:
    """Comes between the events of two folders: what follows takes the place of what was written of later steps."""


class FolderChain:
    """Loads one folder after the other; an attempt is over before the next begins."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)
        self._later = deque(self.folders[1:])
        self._watcher = self._watch(self.folders[0])
        self.read_bytes = 0
        """How much of their event files was taken in."""

    def is_head_of(self, folders: Sequence[str]) -> bool:
        """Return True where `folders` are these, and maybe more."""
        return list(folders[: len(self.folders)]) == self.folders

    def follow(self, folders: Sequence[str]) -> None:
        """Go on with those of `folders` that are new."""
        added = folders[len(self.folders) :]
        self.folders += added
        self._later += added

    def Load(self) -> Iterator[Any]:  # noqa: N802 - TensorBoard's name for it
        """Yield what came since the last load."""
        while True:
            try:
                yield from self._watcher.Load()
            except directory_watcher.DirectoryDeletedError:
                if not self._later:
                    raise
            if not self._later:
                return
            yield GoesOn()
            self._watcher = self._watch(self._later.popleft())

    def first_wall_time(self) -> float:
        """Return when the first event was written, by a look at no more than that.

        Raises:
            ValueError: there is none.
        """
        paths = filter(_has_summaries, map(str, Path(self.folders[0]).glob("*tfevents*")))
        first = first_event(min(paths, default=""))
        if first is None:
            raise ValueError("no event yet")
        return float(first.wall_time)

    def _watch(self, folder: str) -> Any:
        return directory_watcher.DirectoryWatcher(folder, partial(EventFileLoader, count=self._count), _has_summaries)

    def _count(self, size: int) -> None:
        self.read_bytes += size


def _has_summaries(path: str) -> bool:
    """Return whether a file has summaries, by its name as in TensorBoard: the file of a profile has none."""
    return is_event_file(Path(path).name) and not path.endswith(".profile-empty")


def take_any_folder_name() -> None:
    """Have TensorBoard, in this process, find files also below folders whose names are no UTF-8."""
    compat.as_bytes = _as_bytes


def _as_bytes(text: bytes | str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding, "surrogateescape") if isinstance(text, str) else text


def joined(attempts: Iterable[Found]) -> Joined:
    """Return the folders of attempts that go on from each other, under the names that they had first.

    A folder goes on with the one of its name; or, where just one is left over on either side, with one whose name
    differs by a date or numbers.
    """
    runs: Joined = {}
    for found in attempts:
        fresh = {name: one for name, one in found.items() if name not in runs}
        silent = [name for name in runs if name not in found]
        for name, one in found.items():
            former = name if name in runs else _only_like(name, silent, list(fresh))
            runs.setdefault(former or name, []).append(one)
    return runs


def _only_like(name: str, before: list[str], now: list[str]) -> str | None:
    shape = NUMBERED.sub("#", name)
    then = [other for other in before if NUMBERED.sub("#", other) == shape]
    alike = [other for other in now if NUMBERED.sub("#", other) == shape]
    return then[0] if len(then) == len(alike) == 1 else None
