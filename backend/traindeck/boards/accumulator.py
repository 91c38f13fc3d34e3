# mypy: disallow-untyped-calls=False
"""TensorBoard's store of a board's data, fed by our reader of event files."""

from typing import Any, Self

from tensorboard.backend.event_processing import (
    data_ingester,
    directory_watcher,
    plugin_event_accumulator,
    plugin_event_multiplexer,
)

from traindeck.boards.records import EventFile, is_event_file
from traindeck.boards.scalars import ScalarEvent

_RESERVOIR_KEY = "."

VERSION_WITH_RESTARTS = 2
"""Files of this version say where training started again; in older ones a step back does."""


class BoardAccumulator(plugin_event_accumulator.EventAccumulator):
    """The data of one of TensorBoard's runs: one folder of event files."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            folder,
            size_guidance=data_ingester.DEFAULT_SIZE_GUIDANCE,
            tensor_size_guidance=data_ingester.DEFAULT_TENSOR_SIZE_GUIDANCE,
        )
        self._generator = directory_watcher.DirectoryWatcher(folder, EventFile, is_event_file)

    def _ProcessEvent(self, event: Any) -> None:  # noqa: N802 - TensorBoard's name for it
        """Take in one event; the many points of known scalars go the short way."""
        if type(event) is not ScalarEvent:
            super()._ProcessEvent(event)
            return
        points = self.tensors_by_tag[event.tag]
        if (self.file_version or 0) < VERSION_WITH_RESTARTS and event.step < self.most_recent_step:
            points.FilterItems(lambda point: point.step < event.step, _RESERVOIR_KEY)
        self.most_recent_step = event.step
        self.most_recent_wall_time = event.wall_time  # type: ignore[assignment]
        points.AddItem(_RESERVOIR_KEY, event)


class BoardMultiplexer(plugin_event_multiplexer.EventMultiplexer):
    """The accumulators of one board by the names of TensorBoard's runs."""

    def AddRun(self, path: str, name: str | None = None) -> Self:  # noqa: N802 - TensorBoard's name for it
        """Have the folder `path` as the run `name`; `Reload` takes in its data."""
        name = name or path
        with self._accumulators_mutex:
            if name not in self._accumulators:
                self._accumulators[name] = BoardAccumulator(path)
                self._paths[name] = path
        return self
