"""A warm deck with a small data set in place of MNIST."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support.served import ServedDeck

SIDE = 28
IDX_BYTES = 0x08


@pytest.fixture(scope="session")
def scripts() -> Path:
    """Training programs as people write them."""
    return Path(__file__).parent / "scripts"


@pytest.fixture(scope="session")
def program_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck whose `datasets/` holds a few hundred images where MNIST belongs, so that nothing is downloaded."""
    deck = ServedDeck(tmp_path_factory.mktemp("programs") / "home", cpus=2, grace_seconds=5)
    write_digits(deck.home / "datasets" / "MNIST" / "raw")
    deck.start()
    deck.wait_until_warm()
    yield deck
    deck.end()


def write_digits(folder: Path) -> None:
    """Four IDX files: a bar across the image whose place says the digit, 400 to train on and 100 to test."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, count in (("train", 400), ("t10k", 100)):
        labels = random.integers(0, 10, count, dtype=np.uint8)
        images = random.integers(0, 40, (count, SIDE, SIDE), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 + 2 * label : 6 + 2 * label] = 255
        write_idx(folder / f"{split}-images-idx3-ubyte", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels)


def write_idx(path: Path, values: np.ndarray) -> None:
    """The format of MNIST's own files: a magic number with the type and dimensions, the shape, the bytes."""
    header = struct.pack(f">HBB{values.ndim}I", 0, IDX_BYTES, values.ndim, *values.shape)
    path.write_bytes(header + values.tobytes())
