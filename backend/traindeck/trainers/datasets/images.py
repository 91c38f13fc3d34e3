"""Labelled images in memory, and how to read them from a folder with one folder for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from PIL import Image, UnidentifiedImageError

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import DatasetUnavailable, FetchStopped

SUFFIXES = tuple(torchvision.datasets.folder.IMG_EXTENSIONS)
TRAIN = ("train", "training")
VALIDATION = ("validation", "valid", "val", "test")
VALIDATION_SHARE = 5
"""Where the folder has no validation images of its own, each fifth image is one."""

Sample = tuple[Path, int]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images to train on and images to validate on.

    Attributes:
        train_images: uint8, [images, channels, height, width].
        train_labels: int64, [images], each below `len(classes)`.
        validation_images: uint8, as `train_images`.
        validation_labels: int64, as `train_labels`.
        classes: The name of each class.
    """

    train_images: torch.Tensor
    train_labels: torch.Tensor
    validation_images: torch.Tensor
    validation_labels: torch.Tensor
    classes: tuple[str, ...]

    def channel_means(self) -> torch.Tensor:
        """Return the mean of each channel of the training images, 0 to 255: float32, [channels, 1, 1]."""
        return self._by_channel().mean(1)[:, None, None]

    def channel_deviations(self) -> torch.Tensor:
        """Return the standard deviation of each channel, at least 1 so that a blank channel can be divided by it."""
        return self._by_channel().std(1).clamp_(min=1)[:, None, None]

    def _by_channel(self) -> torch.Tensor:
        # A few thousand images, spread over all, give the same result in a hundredth of the time.
        stride = max(1, len(self.train_images) // 4096)
        return self.train_images[::stride].float().transpose(0, 1).flatten(1)


def image_folder(ctx: RunContext, folder: str, size: int) -> ImageSet:
    """Return all images of `folder` as RGB, scaled to `size` x `size` pixels, decoded once.

    `folder` is absolute or below the datasets folder. It holds one folder for each class, or `train/` and
    `validation/` (also `val/` or `test/`) that do.

    Raises:
        DatasetUnavailable: it is not there, or not laid out like this, or an image cannot be read.
        FetchStopped: the run was asked to stop.
    """
    root = ctx.datasets / Path(folder).expanduser()
    classes, train, validation = list_samples(root)
    total = len(train) + len(validation)
    train_images = _decode(ctx, train, size, 0, total)
    validation_images = _decode(ctx, validation, size, len(train), total)
    return ImageSet(train_images, _labels(train), validation_images, _labels(validation), classes)


def list_samples(root: Path) -> tuple[tuple[str, ...], list[Sample], list[Sample]]:
    """Return the names of the classes, the training images and the validation images, in order of name."""
    if not root.is_dir():
        raise DatasetUnavailable(f"{root} is not a folder: name one with a folder of images for each class")
    train_root = next((root / name for name in TRAIN if (root / name).is_dir()), root)
    folders = (path for path in train_root.iterdir() if path.is_dir() and not path.name.startswith("."))
    classes = tuple(sorted(path.name for path in folders))
    train = _samples(train_root, classes)
    if len(classes) < 2 or len(train) < 2:
        raise DatasetUnavailable(f"{train_root} must have folders of images for two classes or more")
    validation_root = next((root / name for name in VALIDATION if (root / name).is_dir()), None)
    if train_root != root and validation_root is not None:
        validation = _samples(validation_root, classes)
        if not validation:
            raise DatasetUnavailable(f"{validation_root} has no images of the classes in {train_root}")
        return classes, train, validation
    return classes, [s for i, s in enumerate(train) if i % VALIDATION_SHARE], train[::VALIDATION_SHARE]


def _samples(root: Path, classes: tuple[str, ...]) -> list[Sample]:
    return [
        (path, label)
        for label, name in enumerate(classes)
        for path in sorted((root / name).rglob("*"))
        if path.suffix.lower() in SUFFIXES
    ]


def _labels(samples: list[Sample]) -> torch.Tensor:
    return torch.tensor([label for _, label in samples], dtype=torch.int64)


def _decode(ctx: RunContext, samples: list[Sample], size: int, done: int, total: int) -> torch.Tensor:
    images = torch.empty(len(samples), 3, size, size, dtype=torch.uint8)
    for index, (path, _) in enumerate(samples):
        if ctx.should_stop:
            raise FetchStopped("reading images")
        images[index] = _read(path, size)
        ctx.progress(done + index + 1, total, "image", "Reading images")
    return images


def _read(path: Path, size: int) -> torch.Tensor:
    try:
        with Image.open(path) as image:
            scaled = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    except (OSError, UnidentifiedImageError) as error:
        raise DatasetUnavailable(f"{path} cannot be read as an image: {error}") from error
    pixels = torch.frombuffer(bytearray(scaled.tobytes()), dtype=torch.uint8)
    return pixels.reshape(size, size, 3).permute(2, 0, 1)
