"""How well the model does on images that it has not been trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from traindeck.trainers.mnist.model import ConvNet

BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the model says about the validation images; all tensors are on the CPU.

    Attributes:
        loss: Mean cross-entropy of an image.
        accuracy: Share of images that it gets right, 0 to 1.
        probabilities: float32, [images, classes].
        labels: int64, [images].
    """

    loss: float
    accuracy: float
    probabilities: torch.Tensor
    labels: torch.Tensor

    @property
    def predictions(self) -> torch.Tensor:
        """The class that each image is taken for: int64, [images]."""
        return self.probabilities.argmax(1)

    def confusion(self) -> torch.Tensor:
        """Return how many of each class (row) are taken for each class (column): int64, [classes, classes]."""
        classes = self.probabilities.shape[1]
        pairs = self.labels * classes + self.predictions
        return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)

    def worst_mistakes(self, count: int) -> torch.Tensor:
        """Return indices of the images that it is most sure about and wrong, the worst first; at most `count`."""
        sureness = self.probabilities.max(1).values
        wrong = (self.predictions != self.labels).nonzero().squeeze(1)
        order = sureness[wrong].argsort(descending=True, stable=True)
        return wrong[order[:count]]


def evaluate(
    model: ConvNet,
    images: torch.Tensor,
    labels: torch.Tensor,
    device: torch.device,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation | None:
    """Evaluate in evaluation mode, and leave the model in training mode; None where it had to stop halfway.

    Args:
        model: On `device`.
        images: uint8, [images, channels, height, width], on the CPU; at least one.
        labels: int64, [images], on the CPU.
        device: Where to compute.
        should_stop: Asked before each batch.
    """
    model.eval()
    logits = []
    with torch.inference_mode():
        for batch in images.split(BATCH_SIZE):
            if should_stop():
                break
            logits.append(model(batch.to(device, non_blocking=True)).float())
    model.train()
    if sum(map(len, logits)) < len(images):
        return None
    return _evaluation(torch.cat(logits).cpu(), labels)


def _evaluation(logits: torch.Tensor, labels: torch.Tensor) -> Evaluation:
    # A run whose weights have become NaN still has a confusion matrix to show.
    probabilities = logits.softmax(1).nan_to_num(0)
    return Evaluation(
        loss=functional.cross_entropy(logits, labels).item(),
        accuracy=(probabilities.argmax(1) == labels).float().mean().item(),
        probabilities=probabilities,
        labels=labels,
    )
