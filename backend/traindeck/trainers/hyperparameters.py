"""Hyperparameters for TensorBoard's HParams tab, in the event file of the run itself.

`SummaryWriter.add_hparams` writes them into a folder of their own, where TensorBoard shows them as another
run, without the run's curves. Here the table's row is the run, and its metrics are the last values of the run's
scalars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from torch.utils.tensorboard.summary import hparams

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Value = bool | str | int | float


def write_hyperparameters(writer: SummaryWriter, values: Mapping[str, Value], metric_tags: Iterable[str]) -> None:
    """Write what the run was started with and which scalars are its results; at the start of a run."""
    # The writer's own function would show true and false as 1 and 0.
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
    experiment, session_start, _ = hparams(shown, dict.fromkeys(metric_tags, 0.0))
    file_writer = writer._get_file_writer()
    file_writer.add_summary(experiment)
    file_writer.add_summary(session_start)


def write_completion(writer: SummaryWriter) -> None:
    """Write that the run is complete."""
    _, _, session_end = hparams({}, {})
    writer._get_file_writer().add_summary(session_end)
