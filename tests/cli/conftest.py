"""The command line, as its own process, beside a deck that is served by another."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from cli.terminal import Terminal
from support.forking import forking_process
from support.served import ServedDeck

COMMAND = [sys.executable, "-m", "traindeck.cli"]
DEADLINE_SECONDS = 60


class CommandLine:
    """Calls `traindeck` for one deck."""

    def __init__(self, deck: ServedDeck, folder: Path) -> None:
        self.deck = deck
        self.folder = folder

    def __call__(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """What a call from a pipe gave."""
        done = self.bytes_of(*arguments, **variables)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def bytes_of(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[bytes]:
        """As the call, byte for byte: of a Python of its own where variables say how that starts, else of a fork."""
        if not variables:
            return self.fork(*arguments)
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def fork(self, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        """As `bytes_of`, without the start of a Python."""
        words = list(map(str, arguments))
        with Path(os.devnull).open("rb") as nothing, TemporaryFile() as out, TemporaryFile() as err:
            files = (nothing.fileno(), out.fileno(), err.fileno())
            call = forking_process().start(words, self.environment(), self.folder, files)
            code = call.wait(DEADLINE_SECONDS)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, code, out.read(), err.read())

    def beside(self, *arguments: object) -> subprocess.Popen[bytes]:
        """A call that goes on while the test does."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def on_terminal(self, *arguments: object, columns: int = 100, **variables: str) -> Terminal:
        """A call on a terminal."""
        return Terminal([*COMMAND, *map(str, arguments)], self.environment(**variables), columns)

    def environment(self, **variables: str) -> dict[str, str]:
        """The caller's variables: whatever the tests were started with, but nothing that colours or widens output."""
        left_out = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TRAINDECK_URL", "TTY_COMPATIBLE")
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        return {**kept, "TERM": "xterm-256color", "TRAINDECK_HOME": str(self.deck.home), **variables}


@pytest.fixture(scope="session")
def cold_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """One deck without torch for all tests here that do not mind each other's runs."""
    deck = ServedDeck(tmp_path_factory.mktemp("cli") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


@pytest.fixture
def traindeck(cold_deck: ServedDeck, tmp_path: Path) -> CommandLine:
    """The command line, in a folder of its own."""
    return CommandLine(cold_deck, tmp_path)


@pytest.fixture
def programs() -> Path:
    """The scripts that tests of the command line launch."""
    return Path(__file__).parent / "stubs"
