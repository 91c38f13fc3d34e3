"""CIFAR10: 60,000 colour photographs of 32 x 32 pixels in ten classes."""

import tarfile
from pathlib import Path

import torch
import torchvision

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.download import download
from traindeck.trainers.datasets.fetched import FetchedSet, SourceFailed, ensure, has_md5
from traindeck.trainers.datasets.images import ImageSet

CIFAR10 = torchvision.datasets.CIFAR10


def cifar10(ctx: RunContext) -> ImageSet:
    """Return CIFAR10, from the datasets folder, its archive there, or its publisher."""
    ensure(ctx, cifar_files())
    train, validation = CIFAR10(str(ctx.datasets), train=True), CIFAR10(str(ctx.datasets), train=False)
    return ImageSet(
        train_images=_channels_first(train),
        train_labels=torch.tensor(train.targets),
        validation_images=_channels_first(validation),
        validation_labels=torch.tensor(validation.targets),
        classes=tuple(train.classes),
    )


def cifar_files() -> FetchedSet:
    """Return the batches of the Python version, as torchvision names and checks them."""
    sums = dict([*CIFAR10.train_list, *CIFAR10.test_list])
    sums[CIFAR10.meta["filename"]] = CIFAR10.meta["md5"]
    by_hand = (Path(), (CIFAR10.filename,))
    return FetchedSet("CIFAR10", Path(CIFAR10.base_folder), sums, (_from_archive, _from_publisher), by_hand)


def _channels_first(published: torchvision.datasets.CIFAR10) -> torch.Tensor:
    return torch.from_numpy(published.data).permute(0, 3, 1, 2).contiguous()


def _from_archive(ctx: RunContext, into: Path) -> Path:
    """Unpack the archive, if a user has put it into the datasets folder."""
    archive = ctx.datasets / CIFAR10.filename
    if not archive.exists():
        raise SourceFailed(f"{archive} is not there")
    if not has_md5(archive, CIFAR10.tgz_md5):
        raise SourceFailed(f"{archive} has a wrong MD5 sum")
    return _unpack(archive, into)


def _from_publisher(ctx: RunContext, into: Path) -> Path:
    archive = into / CIFAR10.filename
    download(ctx, CIFAR10.url, archive, CIFAR10.tgz_md5, "Downloading CIFAR10")
    return _unpack(archive, into)


def _unpack(archive: Path, into: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / CIFAR10.base_folder
