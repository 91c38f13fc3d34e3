"""Batches in random order, from a generator of their own: a resumed run goes on with the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from traindeck.trainers.mnist.placement import PlacedImages


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
        """Which pass this is, and how far it has come."""
        return {"pass_state": self._pass_state, "images_taken": self.images_taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was saved, with any batch size."""
        self._pass_state = state["pass_state"]
        self.images_taken = state["images_taken"]
