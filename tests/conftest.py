"""Fixtures that every folder of tests may use: real decks, each in a home of its own."""

import compileall
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import traindeck
from support.served import ServedDeck

FIRST = ("browser", "differential", "faults", "hostile", "programs")


def pytest_configure(config: pytest.Config) -> None:
    """Make what hundreds of decks need: the bytecode of the package, and a process that hears Ctrl-C."""
    # pytest rewrites each file of tests, in each worker, unless it may keep the result.
    sys.dont_write_bytecode = False
    # A shell's background jobs ignore SIGINT, and so would what the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        # Where the machine's setting is not to keep bytecode, each deck would compile itself.
        compileall.compile_dir(Path(traindeck.__file__).parent, quiet=1)
        _build_pages()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest: so two processes end together, each with one browser for its files."""
    items.sort(key=lambda item: FIRST.index(name) if (name := _folder(item)) in FIRST else len(FIRST))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _build_pages() -> None:
    """Bring what pages load in line with the checkout; costs some milliseconds where it is."""
    command = [sys.executable, str(Path(__file__).parents[1] / "frontend" / "build.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.exit(f"the pages cannot be built by {' '.join(command)}\n{done.stdout}{done.stderr}", 1)


@pytest.fixture(scope="session")
def shared_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """One warm deck for all tests that do not mind each other's runs."""
    deck = ServedDeck(tmp_path_factory.mktemp("shared") / "home", cpus=2, grace_seconds=3)
    deck.start()
    deck.wait_until_warm()
    yield deck
    deck.end()


@pytest.fixture(scope="module")
def cold_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A cold deck for those tests of a file that leave no run behind which takes a slot."""
    deck = ServedDeck(tmp_path_factory.mktemp("cold") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[ServedDeck]:
    """A deck of one's own, cold: it is up at once, and a run without torch starts in a tenth of a second."""
    deck = ServedDeck(tmp_path / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


@pytest.fixture
def stubs() -> Path:
    """The small programs that tests launch."""
    return Path(__file__).parent / "stubs"
