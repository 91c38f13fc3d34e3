"""Where the training images live: on the device itself, where it has room for them."""

from __future__ import annotations

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
        """The images and labels at `indices` (where the images are), on the device; never waits for a GPU."""
        images, labels = self.images.index_select(0, indices), self.labels.index_select(0, indices)
        if self.resident:
            return images, labels
        return _sent(images, self.device), _sent(labels, self.device)


def _has_room(device: torch.device, size_bytes: int) -> bool:
    return device.type != "cuda" or size_bytes < FREE_SHARE * torch.cuda.mem_get_info(device)[0]


def _sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    # Only from pinned memory does a copy run beside the computation.
    return tensor.pin_memory().to(device, non_blocking=True)
