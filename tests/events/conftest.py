"""An attempt's working folder, the folder of its series store, and a tail over both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from traindeck.events.tail import AttemptTail


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "scalars"


@pytest.fixture
def tail(work: Path, store: Path) -> Iterator[AttemptTail]:
    with AttemptTail(work, store) as tail:
        yield tail
