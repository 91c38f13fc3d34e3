"""Share a data set that a run downloaded into its own folder with all later runs.

`MNIST(os.getcwd(), download=True)` makes a folder MNIST beside the script. If the deck has no such set, that folder
becomes the deck's. Only complete sets with published checksums and no other files are shared: no run may choose what
another run trains on or executes.
"""

import gzip
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

CHUNK_BYTES = 1 << 20
ENTRIES_LIMIT = 100
PACKED = ".gz"

Sums = Mapping[str, str]
"""The MD5 checksum of each file by its path in the set's folder."""

PUBLISHED: Mapping[str, Sums] = {
    "MNIST": {
        "raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "FashionMNIST": {
        "raw/train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "raw/train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "raw/t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "raw/t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    "cifar-10-batches-py": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
}
HARMLESS = frozenset({"readme.html"})


def has_downloads(work: Path) -> bool:
    """Return whether a folder has the name of a known data set and is not a link. This is cheap."""
    return any(_is_real_folder(work / name) for name in PUBLISHED)


def share_downloads(work: Path, datasets: Path, published: Mapping[str, Sums] = PUBLISHED) -> list[str]:
    """Move complete known sets out of a working folder that is no longer in use, leave links, and return their names.

    A set that the deck already has is not replaced. A set that cannot be moved stays where it is.
    """
    return [name for name, sums in published.items() if _share_one(work / name, datasets / name, sums)]


def _share_one(source: Path, target: Path, sums: Sums) -> bool:
    if not _is_real_folder(source) or os.path.lexists(target):
        return False
    try:
        if not _is_as_published(source, sums):
            return False
        # Fails if another run was first, because a folder with content is not replaced.
        source.rename(target)
        source.symlink_to(target)
    except OSError:
        return False
    return True


def _is_as_published(folder: Path, sums: Sums) -> bool:
    """Return whether the folder has every published file with its checksum, packed or not, and no other file."""
    paths = list(_paths(folder))
    return (
        sums.keys() <= set(paths)
        and len(paths) <= ENTRIES_LIMIT
        and all(_is_known(folder, path, sums) for path in paths)
    )


def _is_known(folder: Path, path: str, sums: Sums) -> bool:
    if path in sums:
        return _md5(folder / path) == sums[path]
    if path + PACKED in sums:
        return _md5(folder / path) == _md5(folder / (path + PACKED), unpack=True)
    return path.removesuffix(PACKED) in sums or path in HARMLESS


def _paths(folder: Path) -> Iterator[str]:
    """Yield the files below, up to just above the limit; "" for a link or device, which is never a known file."""
    for count, path in enumerate(folder.rglob("*")):
        regular = path.is_file() and not path.is_symlink()
        if not _is_real_folder(path):
            yield path.relative_to(folder).as_posix() if regular else ""
        if count > ENTRIES_LIMIT:
            return


def _md5(path: Path, *, unpack: bool = False) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with gzip.open(path) if unpack else path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
