"""A data set that a run downloaded stays for the next, if it is what was published."""

import gzip
import hashlib
from pathlib import Path

import pytest

from traindeck.runs.downloaded_sets import has_downloads, share_downloads

FILES = {"raw/images": b"pixels" * 1000, "raw/labels": b"0123"}
SUMS = {name: hashlib.md5(content).hexdigest() for name, content in FILES.items()}
PACKED = {name + ".gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}
PACKED_SUMS = {name: hashlib.md5(content).hexdigest() for name, content in PACKED.items()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in ("work", "datasets"):
        (tmp_path / folder).mkdir()
    return tmp_path


def put(home: Path, files: dict[str, bytes], where: str = "work/MNIST") -> None:
    for name, content in files.items():
        (home / where / name).parent.mkdir(parents=True, exist_ok=True)
        (home / where / name).write_bytes(content)


def adopted(home: Path, sums: dict[str, str] = SUMS) -> list[str]:
    return share_downloads(home / "work", home / "datasets", {"MNIST": sums})


def test_a_complete_set_becomes_the_decks_and_is_still_found_in_its_place(home):
    put(home, FILES | {"raw/images.gz": b"as it came"})
    assert has_downloads(home / "work")
    assert adopted(home) == ["MNIST"]
    assert (home / "datasets/MNIST/raw/labels").read_bytes() == b"0123"
    assert (home / "work/MNIST").readlink() == home / "datasets/MNIST"
    assert not has_downloads(home / "work")
    assert adopted(home) == []


def test_a_set_that_is_published_packed_is_unpacked_to_be_compared(home):
    put(home, FILES | PACKED)
    assert adopted(home, PACKED_SUMS) == ["MNIST"]


@pytest.mark.parametrize(
    "change",
    [{"raw/labels": b"9999"}, {"raw/more": b""}, {"processed/training.pt": b"pickle"}, {"readme.txt": b""}],
)
def test_a_set_that_was_changed_or_added_to_stays_the_runs_own(home, change):
    put(home, FILES | change)
    assert adopted(home) == []
    assert not (home / "work/MNIST").is_symlink()


def test_an_unpacked_file_that_differs_from_its_archive_is_not_taken(home):
    put(home, FILES | PACKED | {"raw/images": b"other"})
    assert adopted(home, PACKED_SUMS) == []


def test_a_set_that_is_not_complete_is_not_taken(home):
    put(home, {"raw/images": FILES["raw/images"]})
    assert adopted(home) == []


def test_the_decks_own_set_is_never_replaced(home):
    put(home, FILES)
    put(home, {"raw/images": b"the deck's"}, "datasets/MNIST")
    assert adopted(home) == []
    assert (home / "datasets/MNIST/raw/images").read_bytes() == b"the deck's"


def test_links_are_neither_followed_nor_taken(home):
    put(home, FILES, "elsewhere")
    (home / "work/MNIST").symlink_to(home / "elsewhere")
    assert adopted(home) == []
    (home / "work/MNIST").unlink()
    put(home, {"raw/images": FILES["raw/images"]})
    (home / "work/MNIST/raw/labels").symlink_to(home / "elsewhere/raw/labels")
    assert adopted(home) == []
