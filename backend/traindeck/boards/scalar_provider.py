# mypy: disallow-untyped-calls=False
"""What TensorBoard's plugins read of scalars, taken from columns and not from a message for each point."""

import random
from collections.abc import Sequence
from typing import Any

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.compat.proto import summary_pb2
from tensorboard.data import provider

from traindeck.boards.accumulator import BoardMultiplexer
from traindeck.boards.samples import LAST


class ScalarProvider(MultiplexerDataProvider):
    """TensorBoard's data provider over a board's multiplexer, with the same answers."""

    def __init__(self, multiplexer: BoardMultiplexer, logdir: str) -> None:
        super().__init__(multiplexer, logdir)
        self._scalars, self._times = multiplexer.scalar_columns, multiplexer.scalar_times

    def list_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """The scalars of the plugin by run and tag, with their last step and time."""
        index = self._scalar_index(ctx, experiment_id, plugin_name, run_tag_filter)
        return {
            run: {tag: self._series(run, tag, metadata) for tag, metadata in tags.items()}
            for run, tags in index.items()
        }

    def read_scalars(
        self,
        ctx: Any = None,
        *,
        experiment_id: str,
        plugin_name: str,
        downsample: int | None = None,
        run_tag_filter: Any = None,
    ) -> dict[str, dict[str, list[Any]]]:
        """At most `downsample` points of each scalar by run and tag."""
        self._validate_downsample(downsample)
        assert downsample is not None
        index = self._scalar_index(ctx, experiment_id, plugin_name, run_tag_filter)
        return {run: {tag: self._data(run, tag, downsample) for tag in tags} for run, tags in index.items()}

    def read_last_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """The last point of each scalar that has one, by run and tag."""
        index = self._scalar_index(ctx, experiment_id, plugin_name, run_tag_filter)
        found: dict[str, dict[str, Any]] = {}
        for run, tags in index.items():
            for tag in tags:
                steps, wall_times, values = self._scalars(run, tag, LAST)
                if steps:
                    found.setdefault(run, {})[tag] = _datum(steps[0], wall_times[0], values[0])
        return found

    def _scalar_index(self, ctx: Any, experiment_id: str, plugin_name: str, chosen: Any) -> dict[str, dict[str, Any]]:
        self._validate_context(ctx)
        self._validate_experiment_id(experiment_id)
        index: dict[str, dict[str, Any]] = self._index(plugin_name, chosen, summary_pb2.DATA_CLASS_SCALAR)  # type: ignore[attr-defined]
        return index

    def _series(self, run: str, tag: str, metadata: Any) -> Any:
        steps, wall_times = self._times(run, tag)
        return provider.ScalarTimeSeries(
            max_step=max(steps, default=None),
            max_wall_time=max(wall_times, default=None),
            plugin_content=metadata.plugin_data.content,
            description=metadata.summary_description,
            display_name=metadata.display_name,
        )

    def _data(self, run: str, tag: str, downsample: int) -> list[Any]:
        points = list(zip(*self._scalars(run, tag), strict=True))
        return [_datum(*points[place]) for place in _sample(points, downsample)]


def _datum(step: int, wall_time: float, value: Any) -> Any:
    return provider.ScalarDatum(step=step, wall_time=wall_time, value=value)


def _sample(points: Sequence[object], limit: int) -> Sequence[int]:
    """The places that TensorBoard chooses where an answer holds fewer points than are kept."""
    if limit >= len(points):
        return range(len(points))
    if limit == 0:
        return []
    last = len(points) - 1
    # The same numbers as TensorBoard's, so no safe ones.
    return [*sorted(random.Random(0).sample(range(last), limit - 1)), last]  # noqa: S311
