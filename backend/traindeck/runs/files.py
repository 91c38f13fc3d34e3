"""Where everything of a deck lies on disk: the layout in docs/files.md."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class AttemptFiles:
    """The folder of one attempt."""

    folder: Path

    @property
    def work(self) -> Path:
        """The working folder of the process; for an imported run, the folder that it is read from."""
        # Looked at each time: it says where files are served from, so nothing remembers it.
        folder = (read_json(self.imported) or {}).get("folder")
        return Path(folder) if isinstance(folder, str) and folder.startswith("/") else self.folder / "work"

    @property
    def imported(self) -> Path:
        """Where the files of an imported run lie."""
        return self.folder / "imported.json"

    @property
    def log(self) -> Path:
        """Stdout and stderr, byte for byte."""
        return self.folder / "output.log"

    @property
    def order(self) -> Path:
        """What the process is to do."""
        return self.folder / "order.json"

    @property
    def process(self) -> Path:
        """Who the process is."""
        return self.folder / "process.json"

    @property
    def exit(self) -> Path:
        """How the process ended."""
        return self.folder / "exit.json"

    @property
    def progress(self) -> Path:
        """How far it said that it is."""
        return self.folder / "progress.json"

    @property
    def bars(self) -> Path:
        """How far its Rich bars are, which it draws into no file."""
        return self.folder / "bars.json"

    @property
    def environment(self) -> Path:
        """What it ran with: machine, interpreter, variables."""
        return self.folder / "environment.json"

    @property
    def packages(self) -> Path:
        """The packages that were installed for its interpreter."""
        return self.folder / "packages.json"

    @property
    def scalars(self) -> Path:
        """What was read from its event files, in a form that is fast to read again."""
        return self.folder / "scalars"


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of one run."""

    folder: Path

    @property
    def spec(self) -> Path:
        """What was asked, resolved."""
        return self.folder / "spec.json"

    @property
    def code(self) -> Path:
        """The script as it was when it was launched."""
        return self.folder / "code"

    def attempt(self, number: int) -> AttemptFiles:
        """The folder of attempt `number`."""
        return AttemptFiles(self.folder / f"attempt-{number}")


@dataclass(frozen=True, slots=True)
class DeckFiles:
    """The home folder of a deck."""

    home: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "deck.db"

    @property
    def datasets(self) -> Path:
        """Data that all runs share."""
        return self.home / "datasets"

    @property
    def logs(self) -> Path:
        """What the deck's own processes print."""
        return self.home / "logs"

    @property
    def runs(self) -> Path:
        """The folders of the runs."""
        return self.home / "runs"

    def run(self, run_id: int) -> RunFiles:
        """The folder of run `run_id`."""
        return RunFiles(self.runs / str(run_id))

    def prepare(self) -> None:
        """Make the folders, readable by their owner alone."""
        for folder in (self.home, self.datasets, self.logs, self.runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a file so that it is there whole, or not at all; with `sync`, after a power cut too."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    os.replace(partial, path)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk: else a power cut may forget a file, however well it was written."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as JSON, whole or not at all."""
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1).encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in the file, or None where there is none that can be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
