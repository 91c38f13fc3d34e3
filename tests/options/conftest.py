"""An inspector without a deck, and scripts for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.executors.local.inspector import Inspector
from traindeck.executors.local.launcher import Launcher
from traindeck.options.inspection import Inspection, Target
from traindeck.runner.program import Program

Inspect = Callable[..., Inspection]


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """One that starts every inspection in a fresh Python, at once."""
    launcher = Launcher(Forkserver(tmp_path_factory.mktemp("forkserver") / "log"), cold=True)
    yield launcher
    launcher.close()


@pytest.fixture
def inspector(launcher: Launcher, tmp_path: Path) -> Inspector:
    """A new one, which knows of nothing yet."""
    return Inspector(launcher, tmp_path / "cache", cold_seconds=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the script lies."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is neither the script's own nor one for temporary files."""
    for name in ("temporary", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "elsewhere"


@pytest.fixture
def script(folder: Path) -> Callable[[str], Target]:
    """Writes a script, and gives what to ask for its options."""

    def write(source: str) -> Target:
        path = folder / "train.py"
        path.write_text(source)
        return Target(Program(cwd=str(folder)), path0=folder, source=path, file=str(path))

    return write
