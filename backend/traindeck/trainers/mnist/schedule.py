"""The learning rate over the steps of a run."""

import math
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from traindeck.trainers.mnist.params import MnistParams


def share_of_learning_rate(step: int, params: MnistParams, steps_per_epoch: int, total_steps: int) -> float:
    """Return what share of the learning rate step number `step`, from 0, is taken with.

    Only the cosine looks at `total_steps`: with the others, a run that is resumed for more epochs continues as
    if they had been asked for at once.
    """
    warmup = min(1.0, (step + 1) / params.warmup_steps) if params.warmup_steps else 1.0
    if params.scheduler == "exponential":
        return warmup * math.pow(params.decay, step / steps_per_epoch)
    if params.scheduler == "cosine":
        return warmup * 0.5 * (1 + math.cos(math.pi * min(1.0, step / total_steps)))
    return warmup


def make_scheduler(
    optimizer: torch.optim.Optimizer, params: MnistParams, steps_per_epoch: int, total_steps: int
) -> LambdaLR:
    """Return a scheduler to be stepped after each optimizer step."""

    def share(step: int) -> float:
        return share_of_learning_rate(step, params, steps_per_epoch, total_steps)

    return LambdaLR(optimizer, share)


def make_optimizer(params: MnistParams, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Return the chosen optimizer, in the implementation that updates all weights in one call."""
    common: dict[str, Any] = {"lr": params.lr, "weight_decay": params.weight_decay, "fused": True}
    if params.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True, **common)
    kind = torch.optim.Adam if params.optimizer == "adam" else torch.optim.AdamW
    return kind(model.parameters(), **common)
