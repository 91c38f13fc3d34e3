"""A package that is installed, replaced or edited is seen by the next launch; what runs goes on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.served import ServedDeck
from traindeck.executors.local.forkserver_client import Imports
from traindeck.runner.freshness import stamp_of_file, stamp_of_folder

SOURCE = "import tiny, edited\nprint(tiny.VALUE, edited.VALUE)"


def install(packages: Path, name: str, version: int) -> None:
    """Put a package where pip would, in the order in which pip does."""
    for old in packages.glob(f"{name}-*.dist-info"):
        old.rename(packages / f"~{old.name}")
    (packages / f"{name}.py").write_text(f"VALUE = {version}\n")
    (packages / f"{name}-{version}.dist-info").mkdir()
    for old in packages.glob("~*"):
        old.rmdir()


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "lib/site-packages"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def warm_deck(tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedDeck]:
    """A deck whose forkserver has imported a package of two: one installed, one edited where it lies."""
    install(packages, "tiny", 1)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/edited.py").write_text("VALUE = 'a'\n")
    (packages / "sitecustomize.py").write_text("import tiny, edited\n")
    monkeypatch.setenv("PYTHONPATH", f"{packages}:{tmp_path / 'src'}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    deck = ServedDeck(tmp_path / "home", cpus=3, grace_seconds=1)
    deck.start()
    deck.wait_until_warm()
    yield deck
    deck.end()


def printed(deck: ServedDeck, source: str = SOURCE) -> tuple[str, str]:
    """What a run printed, and how it was started."""
    run = deck.launch(source)
    deck.wait_for_status(run["id"], "completed", seconds=60)
    return deck.log_of(run["id"]).strip(), deck.process_record(run["id"])["start"]


def test_the_next_launch_sees_what_has_changed_and_what_runs_goes_on(
    warm_deck: ServedDeck, packages: Path, tmp_path: Path
) -> None:
    waiting = warm_deck.launch("import signal\nprint('ready', flush=True)\nsignal.pause()")["id"]
    warm_deck.wait_for_line(waiting, "ready")
    assert printed(warm_deck) == ("1 a", "warm")
    install(packages, "tiny", 2)
    assert printed(warm_deck) == ("2 a", "cold")
    warm_deck.wait_until_warm()
    assert printed(warm_deck) == ("2 a", "warm")
    (tmp_path / "src/edited.py").write_text("VALUE = 'longer'\n")
    assert printed(warm_deck) == ("2 longer", "cold")
    warm_deck.wait_until_warm()
    install(packages, "new", 1)
    assert printed(warm_deck, "import new\nprint(new.VALUE)") == ("1", "cold")
    assert warm_deck.run(waiting)["status"] == "running"
    warm_deck.client.post(f"/runs/{waiting}/cancel")
    warm_deck.wait_for_status(waiting, "cancelled")


def imports_of(packages: Path, *files: Path) -> Imports:
    imports = Imports()
    stamps = {str(packages): stamp_of_folder(str(packages)), **{str(file): stamp_of_file(str(file)) for file in files}}
    imports.note(stamps, [str(packages)])
    return imports


def test_a_folder_of_compiled_files_is_no_change(packages: Path) -> None:
    install(packages, "tiny", 1)
    imports = imports_of(packages, packages / "tiny.py")
    (packages / "__pycache__").mkdir()
    assert imports.changed() is None
    assert imports.changed_anywhere() is None


def test_the_same_version_installed_again_is_a_change(packages: Path) -> None:
    install(packages, "tiny", 1)
    imports = imports_of(packages)
    install(packages, "tiny", 1)
    assert imports.changed() == str(packages)


def test_a_file_edited_where_it_is_installed_is_found_by_the_look_at_every_file(packages: Path) -> None:
    install(packages, "tiny", 1)
    imports = imports_of(packages, packages / "tiny.py")
    (packages / "tiny.py").write_text("VALUE = 1000\n")
    assert imports.changed() is None
    assert imports.changed_anywhere() == str(packages / "tiny.py")


def test_a_file_that_is_gone_is_a_change(packages: Path, tmp_path: Path) -> None:
    source = tmp_path / "edited.py"
    source.write_text("")
    imports = imports_of(packages, source)
    os.remove(source)
    assert imports.changed() == str(source)


def test_a_folder_for_packages_that_appears_is_a_change(tmp_path: Path) -> None:
    imports = imports_of(tmp_path / "later/site-packages")
    assert imports.changed() is None
    install_into = tmp_path / "later/site-packages"
    install_into.mkdir(parents=True)
    install(install_into, "tiny", 1)
    assert imports.changed() == str(install_into)
