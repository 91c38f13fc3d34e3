"""The run's configuration and the model's layers as Markdown tables."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from traindeck.trainers.mnist.params import MnistParams


def configuration_table(params: MnistParams, facts: Iterable[tuple[str, object]]) -> str:
    """Return all parameters by their titles, and `facts` that follow from the data and the machine."""
    fields = type(params).model_fields
    rows = [(fields[name].title or name, value) for name, value in params.model_dump().items()]
    return table(("Parameter", "Value"), [*rows, *facts])


def model_table(model: nn.Module, example: torch.Tensor) -> str:
    """Return each layer with the shape of what it gives for `example`, and its number of parameters."""
    rows: list[tuple[object, ...]] = []
    layers = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]

    def record(name: str) -> Any:
        def hook(layer: nn.Module, _: object, output: torch.Tensor) -> None:
            count = sum(parameter.numel() for parameter in layer.parameters())
            rows.append((name, type(layer).__name__, " × ".join(map(str, output.shape[1:])), f"{count:,}"))

        return hook

    handles = [layer.register_forward_hook(record(name)) for name, layer in layers]
    with torch.inference_mode():
        model(example)
    for handle in handles:
        handle.remove()
    total = sum(parameter.numel() for parameter in model.parameters())
    return table(("Layer", "Kind", "Output", "Parameters"), [*rows, ("", "", "Total", f"{total:,}")])


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
