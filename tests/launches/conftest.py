"""What launches need of a deck, without a server: a database, a store of code, and scripts to launch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.databases import fresh  # noqa: F401 (a fixture)
from traindeck.db.engine import Database
from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.executors.local.inspector import Inspector
from traindeck.executors.local.launcher import Launcher
from traindeck.launches import submission
from traindeck.launches.submission import Launchpad
from traindeck.runs.files import DeckFiles
from traindeck.runs.queue import Capacity
from traindeck.sources.codestore import CodeStore
from traindeck.trainers.registry import Registry

Project = Callable[..., Path]


@pytest.fixture
def pad(tmp_path: Path, fresh: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launchpad]:  # noqa: F811 (its value)
    """Two CPUs, no trainer, and scripts asked in fresh interpreters, however long these take."""
    for limit in ("UNCHECKED_SECONDS", "CHECK_SECONDS"):
        monkeypatch.setattr(submission, limit, 60.0)
    files = DeckFiles(tmp_path / "home")
    files.prepare()
    files.database.write_bytes(fresh)
    database, code = Database(files.database), CodeStore.at(files.home)
    code.prepare()
    launcher = Launcher(Forkserver(files.logs / "forkserver.log"), cold=True)
    inspector = Inspector(launcher, files.home / "cache" / "flags", cold_seconds=60.0)
    capacity = Capacity(cpus=2, gpus=0, free_cpus=2, free_gpus=0)
    yield Launchpad(
        files, database, Registry({}, ()), code, inspector, lambda: capacity, lambda: None, lambda run, number: None
    )
    launcher.close()
    database.close()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Makes a folder with these files; its path."""

    def make(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path / "project"

    return make
