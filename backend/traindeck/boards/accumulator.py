# mypy: disallow-untyped-calls=False
"""TensorBoard's store of a board's data, fed by our reader of event files."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import starmap
from typing import Any

from tensorboard.backend.event_processing import (
    data_ingester,
    plugin_event_accumulator,
    plugin_event_multiplexer,
)
from tensorboard.compat.proto import summary_pb2

from traindeck.boards.chain import FolderChain, GoesOn
from traindeck.boards.memorylimit import Halt
from traindeck.boards.samples import (
    ALL,
    KEY,
    Columns,
    ScalarEvent,
    ScalarSeries,
    Times,
    event_columns,
    event_times,
    held_bytes,
)
from traindeck.events.event import VERSION_WITH_RESTARTS
from traindeck.events.pointbatch import PointBatch


class BoardAccumulator(plugin_event_accumulator.EventAccumulator):
    """The data of one of TensorBoard's runs: a folder of event files, and those that go on from it.

    Loading ends where `halt` says so.
    """

    def __init__(self, *folders: str, halt: Halt | None = None) -> None:
        self._halt = halt or Halt()
        self._gone_on: set[str] = set()
        super().__init__(
            folders[0],
            size_guidance=data_ingester.DEFAULT_SIZE_GUIDANCE,
            tensor_size_guidance=data_ingester.DEFAULT_TENSOR_SIZE_GUIDANCE,
        )
        self.chain = self._generator = FolderChain(folders)

    def scalar_columns(self, tag: str, chosen: slice = ALL) -> Columns:
        """Return steps, wall times and values that are kept of a scalar, or those of them that are `chosen`.

        Raises:
            KeyError: there is no such tag.
            ValueError: one of the values is no single number: what begins as a scalar may go on as something else.
        """
        series = self.tensors_by_tag[tag]
        return series.columns(chosen) if isinstance(series, ScalarSeries) else event_columns(series.Items(KEY)[chosen])

    def scalar_times(self, tag: str) -> Times:
        """Return steps and wall times that are kept of a scalar, whatever its values are.

        Raises:
            KeyError: there is no such tag.
        """
        series = self.tensors_by_tag[tag]
        return series.times() if isinstance(series, ScalarSeries) else event_times(series.Items(KEY))

    def FirstEventTimestamp(self) -> float:  # noqa: N802 - TensorBoard's name for it
        """Return when the first event was written. TensorBoard's own takes in events for it, and waits for who reads.

        Raises:
            ValueError: there is no event yet.
        """
        if self._first_event_timestamp is None:
            return self.chain.first_wall_time()
        timestamp: float = self._first_event_timestamp
        return timestamp

    def held_bytes(self) -> int:
        """Return about how much memory the data takes."""
        held = sum(held_bytes(series) for series in list(self.tensors_by_tag.values()))
        return held + len(self._graph or b"")

    def _ProcessEvent(self, event: Any) -> None:  # noqa: N802 - TensorBoard's name for it
        """Take in one event, or many points of known scalars at once."""
        if type(event) is GoesOn:
            self._gone_on = set(self.tensors_by_tag)
        elif type(event) is not PointBatch:
            if self._gone_on:
                self._withdraw(event)
            super()._ProcessEvent(event)
        elif (self.file_version or 0) < VERSION_WITH_RESTARTS:
            self._take_singly(event)
        else:
            self._take(event)
        # Only now: a reader that continues later starts after this event.
        self._halt.check()

    def _take(self, points: PointBatch) -> None:
        self.most_recent_step, self.most_recent_wall_time = points.last()  # type: ignore[assignment]
        for tag, rows in points.by_tag():
            series = self.tensors_by_tag[tag]
            if isinstance(series, ScalarSeries):
                series.extend(rows)
                continue
            for row in rows.tolist():
                series.AddItem(KEY, ScalarEvent(tag, *row))

    def _withdraw(self, event: Any) -> None:
        """Withdraw what is void: an attempt that continues takes each tag up at a step, and replaces later ones."""
        # Each file tells of a tag by an event before it gives points in batches, so no first point is missed.
        for value in event.summary.value:
            if value.tag in self._gone_on:
                self._gone_on.discard(value.tag)
                self.tensors_by_tag[value.tag].FilterItems(partial(_is_before, event.step), KEY)

    def _take_singly(self, points: PointBatch) -> None:
        """Take in points of old files, in which a step back withdraws the points of its tag from there on."""
        for event in starmap(ScalarEvent, points.in_order()):
            series = self.tensors_by_tag[event.tag]
            if event.step < self.most_recent_step:
                series.FilterItems(partial(_is_before, event.step), KEY)
            self.most_recent_step = event.step
            self.most_recent_wall_time = event.wall_time  # type: ignore[assignment]
            series.AddItem(KEY, event)

    def _ProcessTensor(self, tag: str, wall_time: float, step: int, tensor: Any) -> None:  # noqa: N802 - TensorBoard's
        with self._tensors_by_tag_lock:
            if tag not in self.tensors_by_tag and self._is_scalar(tag):
                self.tensors_by_tag[tag] = ScalarSeries(tag, self._GetTensorReservoirSize(tag))
        super()._ProcessTensor(tag, wall_time, step, tensor)

    def _is_scalar(self, tag: str) -> bool:
        metadata = self.summary_metadata.get(tag)
        return metadata is not None and metadata.data_class == summary_pb2.DATA_CLASS_SCALAR  # type: ignore[attr-defined]


def _is_before(step: int, point: Any) -> bool:
    return bool(point.step < step)


class BoardMultiplexer(plugin_event_multiplexer.EventMultiplexer):
    """The accumulators of one board by the names of TensorBoard's runs."""

    def __init__(self, halt: Halt) -> None:
        super().__init__()
        self._halt = halt

    def add(self, name: str, folders: Sequence[str]) -> None:
        """Have the folders, which go on from each other, as the run `name`; `Reload` takes in their data."""
        with self._accumulators_mutex:
            known: BoardAccumulator | None = self._accumulators.get(name)
            if known is not None and known.chain.is_head_of(folders):
                known.chain.follow(folders)
                return
            self._accumulators[name] = BoardAccumulator(*folders, halt=self._halt)
            self._paths[name] = folders[-1]

    def rename(self, new_name: Callable[[str], str | None]) -> None:
        """Give each run the name that `new_name` has for its name; one for which it has None goes."""
        with self._accumulators_mutex:
            renamed, paths = {}, {}
            for name, accumulator in self._accumulators.items():
                to = new_name(name)
                if to is not None:
                    renamed[to], paths[to] = accumulator, self._paths[name]
            # In one step each: whoever reads meanwhile has the one or the other.
            self._accumulators, self._paths = renamed, paths

    def held_bytes(self) -> int:
        """Return about how much memory the data takes."""
        return sum(accumulator.held_bytes() for accumulator in self._all())

    def progress(self) -> tuple[int, int | None]:
        """Return bytes of event files that were taken in, and the highest of the runs' last steps."""
        accumulators = self._all()
        steps = [accumulator.most_recent_step for accumulator in accumulators]
        last_step = max((step for step in steps if step >= 0), default=None)
        return sum(accumulator.chain.read_bytes for accumulator in accumulators), last_step

    def _all(self) -> list[BoardAccumulator]:
        with self._accumulators_mutex:
            return list(self._accumulators.values())

    def scalar_columns(self, run: str, tag: str, chosen: slice = ALL) -> Columns:
        """Return steps, wall times and values that are kept of a scalar of the run, or those of them that are `chosen`.

        Raises:
            KeyError: there is no such run or tag.
            ValueError: one of the values is no single number.
        """
        accumulator: BoardAccumulator = self.GetAccumulator(run)
        return accumulator.scalar_columns(tag, chosen)

    def scalar_times(self, run: str, tag: str) -> Times:
        """Return steps and wall times that are kept of a scalar of the run, whatever its values are.

        Raises:
            KeyError: there is no such run or tag.
        """
        accumulator: BoardAccumulator = self.GetAccumulator(run)
        return accumulator.scalar_times(tag)
