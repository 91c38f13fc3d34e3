"""Means of loss and accuracy over a window of steps and over an epoch, each image counting once, and their time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import torch

STEPS_KEPT = 100
"""What this many steps gave is summed on the device, however seldom a window is closed."""


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
    """Keeps what each step gave on the device, and fetches sums of it only when `fold` is called.

    Fetching makes the host wait for a GPU to finish all it was given; once in a window costs nothing, at each
    step it would halve the speed. Summing at each step would cost a CPU some percent of a small model's.
    """

    def __init__(self, device: torch.device) -> None:
        self.window = Sums()
        self.epoch = Sums()
        self._steps: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self._gathered = torch.zeros(2, dtype=torch.float64, device=device)
        self._images = 0

    def add(self, loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Count one batch: its mean loss, its logits [images, classes] and labels [images]."""
        if (self._steps and len(labels) != len(self._steps[0][2])) or len(self._steps) >= STEPS_KEPT:
            self._gather()
        self._steps.append((loss.detach(), logits.detach(), labels))

    def fold(self) -> None:
        """Bring what was counted on the device into `window` and `epoch`."""
        self._gather()
        loss, correct = self._gathered.tolist()
        self._gathered.zero_()
        self.window.add(loss, correct, self._images)
        self.epoch.add(loss, correct, self._images)
        self._images = 0

    def _gather(self) -> None:
        """Sum what the steps gave, on the device; their batches are all of one size."""
        if not self._steps:
            return
        losses, logits, labels = map(list, zip(*self._steps, strict=True))
        truth = torch.cat(labels)
        self._gathered[0] += torch.stack(losses).sum(dtype=torch.float64) * len(labels[0])
        self._gathered[1] += (torch.cat(logits).argmax(1) == truth).sum()
        self._images += len(truth)
        self._steps.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return all sums; folds first."""
        self.fold()
        return {"window": astuple(self.window), "epoch": astuple(self.epoch)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from saved sums."""
        self.window, self.epoch = Sums(*state["window"]), Sums(*state["epoch"])


class TrainingClock:
    """Runs from its making, and stands still while something else than training is done."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def lap_seconds(self) -> float:
        """Return seconds since the last lap, at least a nanosecond; begins another."""
        now = time.perf_counter()
        lap, self._began = now - self._began, now
        return max(lap, 1e-9)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what happens inside out of the lap."""
        paused_at = time.perf_counter()
        yield
        self._began += time.perf_counter() - paused_at
