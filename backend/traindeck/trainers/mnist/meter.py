"""Means of loss and accuracy over a window of steps and over an epoch, each image counting once."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import torch


@dataclass(slots=True)
class Sums:
    """Sums over images, and their means."""

    loss: float = 0.0
    correct: float = 0.0
    images: int = 0

    def add(self, loss: float, correct: float, images: int) -> None:
        """Count `images` more, with the sum of their losses and how many of them were right."""
        self.loss += loss
        self.correct += correct
        self.images += images

    @property
    def mean_loss(self) -> float:
        """Mean loss of an image; NaN before the first."""
        return self.loss / self.images if self.images else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of images that were right, 0 to 1; NaN before the first."""
        return self.correct / self.images if self.images else float("nan")


class Meter:
    """Sums on the device, step by step, and fetches them from there only when `fold` is called.

    Fetching makes the host wait for a GPU to finish all it was given; once in a window costs nothing, at each
    step it would halve the speed.
    """

    def __init__(self, device: torch.device) -> None:
        self.window = Sums()
        self.epoch = Sums()
        self._pending = torch.zeros(2, dtype=torch.float64, device=device)
        self._pending_images = 0

    def add(self, loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Count one batch: its mean loss, its logits [images, classes] and labels [images]."""
        self._pending[0].add_(loss.detach(), alpha=len(labels))
        self._pending[1].add_((logits.detach().argmax(1) == labels).sum())
        self._pending_images += len(labels)

    def fold(self) -> None:
        """Bring what was counted on the device into `window` and `epoch`."""
        loss, correct = self._pending.tolist()
        self._pending.zero_()
        self.window.add(loss, correct, self._pending_images)
        self.epoch.add(loss, correct, self._pending_images)
        self._pending_images = 0

    def state_dict(self) -> dict[str, Any]:
        """All sums; folds first."""
        self.fold()
        return {"window": astuple(self.window), "epoch": astuple(self.epoch)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from saved sums."""
        self.window, self.epoch = Sums(*state["window"]), Sums(*state["epoch"])
