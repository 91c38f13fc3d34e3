"""Batches in random order, from a generator of their own: a resumed run continues with the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

FREE_SHARE = 0.5
"""Images take at most this share of a GPU's free memory."""


class PlacedImages:
    """Images and labels of which batches are taken by index."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, device: torch.device) -> None:
        self.device = device
        self.resident = _has_room(device, images.nbytes)
        self.images = images.to(device) if self.resident else images
        self.labels = labels.to(device) if self.resident else labels

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the images and labels at `indices` (where the images are), on the device; never waits for a GPU."""
        images, labels = self.images.index_select(0, indices), self.labels.index_select(0, indices)
        if self.resident:
            return images, labels
        return _sent(images, self.device), _sent(labels, self.device)


def _has_room(device: torch.device, size_bytes: int) -> bool:
    return device.type != "cuda" or size_bytes < FREE_SHARE * torch.cuda.mem_get_info(device)[0]


def _sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    # Only from pinned memory does a copy run beside the computation.
    return tensor.pin_memory().to(device, non_blocking=True)


class Batches:
    """One shuffled pass after another over the images.

    Iterating gives what is left of the current pass; `next_pass` begins another. The order of a pass follows
    from the generator's state at its begin, so that state and the number of images taken are all there is to
    save.
    """

    def __init__(self, placed: PlacedImages, batch_size: int, seed: int) -> None:
        self.placed = placed
        self.batch_size = batch_size
        self.images_taken = 0
        self._generator = torch.Generator().manual_seed(seed)
        self._pass_state = self._generator.get_state()

    def __len__(self) -> int:
        """Batches in one whole pass; the last one may be smaller."""
        return -(-len(self.placed) // self.batch_size)

    @property
    def exhausted(self) -> bool:
        """Whether the current pass has nothing left."""
        return self.images_taken >= len(self.placed)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self._generator.set_state(self._pass_state)
        order = torch.randperm(len(self.placed), generator=self._generator)
        if self.placed.resident:
            order = order.to(self.placed.device)
        while not self.exhausted:
            indices = order[self.images_taken : self.images_taken + self.batch_size]
            self.images_taken += len(indices)
            yield self.placed.take(indices)

    def next_pass(self) -> None:
        """Begin another pass; the current one has been iterated."""
        self._pass_state = self._generator.get_state()
        self.images_taken = 0

    def state_dict(self) -> dict[str, Any]:
        """Return which pass this is, and how far it has come."""
        return {"pass_state": self._pass_state, "images_taken": self.images_taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was saved, with any batch size."""
        self._pass_state = state["pass_state"]
        self.images_taken = state["images_taken"]
