# mypy: disallow-untyped-calls=False
"""What TensorBoard's plugins are given: the event files' data, and each run's parameters for the HParams tab.

The records that `add_hparams` would have written are made up when they are asked for. So the event files stay what
the script wrote, runs that ended long ago have them too, and a script that writes its own is left with those.
"""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.compat.proto import summary_pb2
from tensorboard.data import provider
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

from traindeck.boards.accumulator import BoardMultiplexer
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.palette import colours_of
from traindeck.boards.samples import LAST
from traindeck.boards.session import Session, Value
from traindeck.runner.claim import read_record
from traindeck.runner.ending import read_exit

HPARAMS = metadata.PLUGIN_NAME
SCALARS = "scalars"
HERE = "."
"""TensorBoard's name for a run whose event files lie in the log directory itself."""


class ScalarProvider(MultiplexerDataProvider):
    """TensorBoard's data provider over a board's multiplexer, with the same answers."""

    def __init__(self, multiplexer: BoardMultiplexer, logdir: str) -> None:
        super().__init__(multiplexer, logdir)
        self._scalars, self._times = multiplexer.scalar_columns, multiplexer.scalar_times

    def list_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the scalars of the plugin by run and tag, with their last step and time."""
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
        """Return at most `downsample` points of each scalar by run and tag."""
        self._validate_downsample(downsample)
        assert downsample is not None
        index = self._scalar_index(ctx, experiment_id, plugin_name, run_tag_filter)
        return {run: {tag: self._data(run, tag, downsample) for tag in tags} for run, tags in index.items()}

    def read_last_scalars(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the last point of each scalar that has one, by run and tag."""
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


class BoardDataProvider(ScalarProvider):
    """TensorBoard's own, with a session for each attempt whose program has said nothing of its parameters."""

    def __init__(self, multiplexer: BoardMultiplexer, logdir: str, board: BoardSpec) -> None:
        super().__init__(multiplexer, logdir)
        self._sessions = board.sessions
        self._wanted = board.colours

    def list_runs(self, ctx: Any = None, *, experiment_id: str) -> list[Any]:
        """Return TensorBoard's runs; on a board of several, in the order of the deck's runs.

        TensorBoard lists them by their start, which it shows nowhere, and gives colours out in that order. So the
        place in our order stands there.
        """
        runs: list[Any] = super().list_runs(ctx, experiment_id=experiment_id)
        if not self._wanted:
            return runs
        places = {run: float(place) for place, run in enumerate(self._in_order())}
        return [provider.Run(run.run_id, run.run_name, places.get(run.run_name)) for run in runs]

    def colours(self) -> list[int] | None:
        """Return the colours of TensorBoard's runs in their order; None on a board of one run, which keeps its own."""
        return colours_of(self._in_order(), self._wanted) if self._wanted else None

    def _in_order(self) -> list[str]:
        runs = sorted(self._multiplexer.Runs())
        return [run for prefix in self._wanted for run in _below(prefix, dict.fromkeys(runs))]

    def list_plugins(self, ctx: Any = None, *, experiment_id: str) -> list[str]:
        """Return the plugins that have data."""
        plugins = super().list_plugins(ctx, experiment_id=experiment_id)
        return list({*plugins, HPARAMS}) if any(self._named_sessions()) else plugins

    def list_tensors(
        self, ctx: Any = None, *, experiment_id: str, plugin_name: str, run_tag_filter: Any = None
    ) -> dict[str, dict[str, Any]]:
        """Return the tensor series of a plugin, by run and tag."""
        found: dict[str, dict[str, Any]] = super().list_tensors(
            ctx, experiment_id=experiment_id, plugin_name=plugin_name, run_tag_filter=run_tag_filter
        )
        if plugin_name != HPARAMS:
            return found
        wanted = run_tag_filter or provider.RunTagFilter()
        for run, session in self._named_sessions():
            if wanted.runs is None or run in wanted.runs:
                series = {tag: one for tag, one in _series(session) if wanted.tags is None or tag in wanted.tags}
                found[run] = {**found.get(run, {}), **series}
        return found

    def _named_sessions(self) -> Iterator[tuple[str, Session]]:
        """Yield the sessions, each by the name below which its scalars are: so the tab has them for its metrics."""
        if not self._sessions:
            return
        told = self._index(HPARAMS, None, summary_pb2.DATA_CLASS_TENSOR)  # type: ignore[attr-defined]
        scalars = self._index(SCALARS, None, summary_pb2.DATA_CLASS_SCALAR)  # type: ignore[attr-defined]
        runs = self._multiplexer.Runs()
        for prefix, session in self._sessions.items():
            own = _below(prefix, scalars) or _below(prefix, runs)
            if own and not _below(prefix, told):
                yield _common(own), session


def _below(prefix: str, runs: Mapping[str, Any]) -> list[str]:
    return [run for run in runs if not prefix or run == prefix or run.startswith(f"{prefix}/")]


def _common(runs: list[str]) -> str:
    """Return the folder that holds all of the runs; "" for the log directory, from which TensorBoard finds "." too."""
    return "" if HERE in runs else os.path.commonpath(runs)


def _series(session: Session) -> Iterator[tuple[str, Any]]:
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=_started_at(session))  # type: ignore[attr-defined]
    for name, value in session.params.items():
        _set(start.hparams[name], value)
    yield metadata.SESSION_START_INFO_TAG, _one(plugin_data_pb2.HParamsPluginData(session_start_info=start))  # type: ignore[attr-defined]
    ending = read_exit(session.folder)
    if ending:
        status = api_pb2.STATUS_SUCCESS if ending.exit_code == 0 else api_pb2.STATUS_FAILURE  # type: ignore[attr-defined]
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=ending.finished_at)  # type: ignore[attr-defined]
        yield metadata.SESSION_END_INFO_TAG, _one(plugin_data_pb2.HParamsPluginData(session_end_info=end))  # type: ignore[attr-defined]


def _started_at(session: Session) -> float | None:
    return (read_record(session.folder) or {}).get("started_at")


def _set(target: Any, value: Value) -> None:
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    else:
        target.number_value = value


def _one(content: Any) -> Any:
    """Return a series of the one point that a session's record is; only its metadata is ever read."""
    plugin_data = metadata.create_summary_metadata(content).plugin_data
    return provider.TensorTimeSeries(
        max_step=0, max_wall_time=0.0, plugin_content=plugin_data.content, description="", display_name=""
    )


def _datum(step: int, wall_time: float, value: Any) -> Any:
    return provider.ScalarDatum(step=step, wall_time=wall_time, value=value)


def _sample(points: Sequence[object], limit: int) -> Sequence[int]:
    """Return the places that TensorBoard chooses where an answer holds fewer points than are kept."""
    if limit >= len(points):
        return range(len(points))
    if limit == 0:
        return []
    last = len(points) - 1
    # The same numbers as TensorBoard's, so no safe ones.
    return [*sorted(random.Random(0).sample(range(last), limit - 1)), last]  # noqa: S311
