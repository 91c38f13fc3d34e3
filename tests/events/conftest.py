"""An attempt's working folder, the folder of its series store, and a tail over both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboard.summary.writer import event_file_writer

from traindeck.events.tail import AttemptTail


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Event files of one process and second are read in the order of a number in their names, and 10 sorts before 9.
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "scalars"


@pytest.fixture
def tail(work: Path, store: Path) -> Iterator[AttemptTail]:
    with AttemptTail(work, store) as tail:
        yield tail
