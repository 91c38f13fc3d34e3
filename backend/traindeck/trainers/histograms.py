"""Histograms of the weights and gradients of every layer that has any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

KERNELS_SHOWN = 16
"""Of a convolution with more kernels than this, the first are drawn one by one."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED_CONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


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
