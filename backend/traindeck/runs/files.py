"""The folders and files of a deck, as docs/files.md describes them: paths, creation, permissions, removal."""

import itertools
import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traindeck.runner.outside import read_bytes, read_object, size_of
from traindeck.runner.progress import Progress, read_progress

logger = logging.getLogger(__name__)

NAMES = ("server.lock", "server.json", "datasets", "code", "uploads", "cache", "logs", "runs", "backups")
"""What lies in a home besides the database."""
FOR_OTHERS = 0o077
ENTRIES_LOOKED_AT = 200
IMPORTED_LIMIT_BYTES = 64 << 10
SPEC = "spec.json"
DOOMED = ".deleted-"
"""The prefix of a folder that is being removed."""
LONG_PATH = 2000
"""The kernel accepts paths of 4,096 bytes; deeper folders are moved up first."""


def _imported_folder(path: Path) -> Path | None:
    """Return the folder that the file names: an absolute path, which may not be valid UTF-8."""
    try:
        folder = json.loads(read_bytes(path, IMPORTED_LIMIT_BYTES) or b"{}").get("folder")
        if not isinstance(folder, str) or not folder.startswith("/") or "\0" in folder:
            return None
        os.fsencode(folder)
    except (ValueError, AttributeError, RecursionError):
        return None
    return Path(folder)


@dataclass(frozen=True, slots=True)
class AttemptFiles:
    """The folder of one attempt."""

    folder: Path

    @property
    def work(self) -> Path:
        """Return the working folder of the process; for an imported run, the folder from which it is read."""
        # Looked at each time: it says where files are served from, so nothing remembers it.
        folder = None if self._is_launched else _imported_folder(self.imported)
        return self.folder / "work" if folder is None else folder

    @property
    def _is_launched(self) -> bool:
        """Return whether this deck launched the run, which could itself write a file that claims an import."""
        return os.path.lexists(self.folder.parent / SPEC)

    @property
    def imported(self) -> Path:
        """Return the file that names the folder of an imported run."""
        return self.folder / "imported.json"

    @property
    def log(self) -> Path:
        """Return the file with stdout and stderr, byte for byte."""
        return self.folder / "output.log"

    @property
    def order(self) -> Path:
        """Return the file with the order for the process."""
        return self.folder / "order.json"

    @property
    def process(self) -> Path:
        """Return the file with the identity of the process."""
        return self.folder / "process.json"

    @property
    def exit(self) -> Path:
        """Return the file that says how the process ended."""
        return self.folder / "exit.json"

    @property
    def progress(self) -> Path:
        """Return the file with the progress that the run reports."""
        return self.folder / "progress.json"

    @property
    def bars(self) -> Path:
        """Return the file with the progress of Rich bars, which do not appear in the log."""
        return self.folder / "bars.json"

    @property
    def environment(self) -> Path:
        """Return the record of what the attempt ran with: machine, interpreter, variables."""
        return self.folder / "environment.json"

    @property
    def packages(self) -> Path:
        """Return the list of packages of the interpreter."""
        return self.folder / "packages.json"

    @property
    def checkpoints(self) -> Path:
        """Return the list of checkpoints, which exists if walking the working folder takes long."""
        return self.folder / "checkpoints.json"

    @property
    def scalars(self) -> Path:
        """Return the folder of the series store, which holds what was read from the event files."""
        return self.folder / "scalars"

    def log_bytes(self) -> int:
        """Return how much the log holds; 0 where there is none."""
        return size_of(self.log)

    def read_progress(self) -> Progress | None:
        """Return how far the attempt said that it is; None where it said nothing that can be understood."""
        return read_progress(self.progress)

    def read_bars(self) -> Progress | None:
        """Return likewise how far its Rich bars are."""
        return read_progress(self.bars)


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of one run."""

    folder: Path

    @property
    def spec(self) -> Path:
        """Return the file with the resolved request."""
        return self.folder / SPEC

    @property
    def code(self) -> Path:
        """Return the folder with the code as it was at launch."""
        return self.folder / "code"

    def attempt(self, number: int) -> AttemptFiles:
        """Return the files of attempt `number`."""
        return AttemptFiles(self.folder / f"attempt-{number}")


@dataclass(frozen=True, slots=True)
class DeckFiles:
    """The home folder of a deck."""

    home: Path

    @property
    def database(self) -> Path:
        """Return the SQLite file."""
        return self.home / "deck.db"

    @property
    def datasets(self) -> Path:
        """Return the folder of data sets, which all runs share."""
        return self.home / "datasets"

    @property
    def logs(self) -> Path:
        """Return the folder with the logs of the deck's own processes."""
        return self.home / "logs"

    @property
    def unread(self) -> Path:
        """Return the folder with a file for each attempt that may have output which the database lacks."""
        return self.home / "unread"

    @property
    def runs(self) -> Path:
        """Return the folder that holds the folders of the runs."""
        return self.home / "runs"

    def run(self, run_id: int) -> RunFiles:
        """Return the files of run `run_id`."""
        return RunFiles(self.runs / str(run_id))

    def prepare(self) -> None:
        """Make the folders, readable by their owner alone."""
        for folder in (self.home, self.datasets, self.logs, self.unread, self.runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def tighten(self) -> list[Path]:
        """Take from other users what they may do with the home and what lies in it; return what was open to them.

        Within the home, only names of a deck are touched, and no links; what lies deeper is behind closed folders.
        """
        known = [*(self.home / name for name in NAMES), *self.home.glob("deck.db*")]
        for folder in (self.logs, self.home / "backups"):
            known += itertools.islice(folder.glob("*"), ENTRIES_LOOKED_AT)
        found = [self.home.resolve(), *(path for path in known if not path.is_symlink())]
        return [path for path in found if _tighten(path)]


def _tighten(path: Path) -> bool:
    """Take from other users what they may do with one file or folder of one's own; True where that was something."""
    try:
        state = path.stat()
        if not state.st_mode & FOR_OTHERS or state.st_uid != os.geteuid():
            return False
        path.chmod(state.st_mode & 0o7777 & ~FOR_OTHERS)
    except OSError:
        # A file system that knows no modes, or a file that has just gone.
        return False
    return True


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in the file, or None where there is none that can be read."""
    return read_object(path)


def remove_files(files: DeckFiles, run_id: int) -> None:
    """Remove the folder of a deleted run. It disappears at once, even if removing its contents takes long.

    The remains of earlier, interrupted removals are removed as well. This never raises, because the run is deleted
    already.
    """
    folder = files.run(run_id).folder
    try:
        folder.rename(folder.with_name(f"{DOOMED}{run_id}"))
    except FileNotFoundError:
        logger.info("run=%d had no folder to remove", run_id)
    except OSError as error:
        logger.warning("run=%d folder could not be removed: %s", run_id, error)
    for doomed in files.runs.glob(f"{DOOMED}*"):
        remove_tree(doomed)


def remove_tree(top: Path) -> None:
    """Remove a folder with its contents, as far as permissions allow; links are removed and not followed.

    Unlike shutil.rmtree, this removes folders that are a thousand levels deep or read-only.
    """
    waiting = [str(top)]
    emptied: list[str] = []
    while waiting:
        folder = waiting.pop()
        if len(folder) > LONG_PATH:
            folder = _moved_up(folder, top, len(emptied))
        emptied.append(folder)
        waiting.extend(_empty(folder))
    for folder in reversed(emptied):
        # What could not be emptied stays, and is tried again when the next run is deleted.
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 (strings: there may be very many)
    if os.path.lexists(top):
        logger.warning("%s could not be removed as a whole", top)


def _moved_up(folder: str, top: Path, number: int) -> str:
    target = f"{top}/.moved-{number}"
    try:
        os.rename(folder, target)  # noqa: PTH104
    except OSError:
        return folder
    return target


def _empty(folder: str) -> Iterator[str]:
    """Remove the files in a folder, and yield its folders."""
    # `remove_tree` finds that the folder is still there.
    with suppress(OSError):
        os.chmod(folder, 0o700)  # noqa: PTH101 (a run may have made it read-only)
        with os.scandir(folder) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    yield entry.path
                else:
                    os.unlink(entry.path)  # noqa: PTH108
