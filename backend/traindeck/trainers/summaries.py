"""Summaries that `SummaryWriter` does not write in this form: hyperparameters, and histograms of every layer.

`SummaryWriter.add_hparams` writes hyperparameters into a folder of their own, where TensorBoard shows them as another
run, without the curves of the run. Here the row of the table is the run, and its metrics are the last values of the
scalars of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.tensorboard.summary import hparams

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Value = bool | str | int | float
KERNELS_SHOWN = 16
"""Of a convolution with more kernels than this, the first are drawn one by one."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED_CONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


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


def write_histograms(writer: SummaryWriter, model: nn.Module, step: int) -> None:
    """Draw every parameter of `model` under "Weights/…", and its gradient, if any, under "Gradients/…"."""
    for layer_name, layer in model.named_modules():
        for parameter_name, parameter in layer.named_parameters(recurse=False):
            tag = f"{layer_name or 'model'} {type(layer).__name__}/{parameter_name}"
            _write(writer, f"Weights/{tag}", layer, parameter_name, parameter, step)
            if parameter.grad is not None:
                _write(writer, f"Gradients/{tag}", layer, parameter_name, parameter.grad, step)


def _write(
    writer: SummaryWriter, tag: str, layer: nn.Module, parameter_name: str, values: torch.Tensor, step: int
) -> None:
    # One transfer from the device, however many kernels there are.
    host_values = values.detach().float().cpu()
    _write_one(writer, tag, host_values, step)
    if parameter_name == "weight":
        for index, kernel in enumerate(kernels(layer, host_values)):
            _write_one(writer, f"{tag}/kernel {index}", kernel, step)


def kernels(layer: nn.Module, weight: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield a convolution's kernels, one for each output channel (of a group, if transposed); of others, none."""
    if isinstance(layer, CONVOLUTIONS):
        yield from weight[:KERNELS_SHOWN]
    elif isinstance(layer, TRANSPOSED_CONVOLUTIONS):
        yield from weight.transpose(0, 1)[:KERNELS_SHOWN]


def _write_one(writer: SummaryWriter, tag: str, values: torch.Tensor, step: int) -> None:
    # A histogram of NaN and infinity cannot be drawn; without them it shows at least what is left.
    finite = values[values.isfinite()]
    if finite.numel():
        writer.add_histogram(tag, finite, step)
