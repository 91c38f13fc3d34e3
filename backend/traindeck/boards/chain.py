# mypy: disallow-untyped-calls=False
"""Folders whose event files make one of TensorBoard's runs: those of an attempt, and of those that went on from it."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing import directory_watcher
from tensorboard.compat.tensorflow_stub import compat

from traindeck.boards.loader import EventFileLoader, first_event
from traindeck.events.folders import Sizes, is_event_file

NUMBERED = re.compile(r"[A-Z][a-z]{2}\d{2}_\d{2}-\d{2}-\d{2}|\d+")
"""What writers put into the name of a log folder to have a new one each time: a date, or a number."""

Found = dict[str, tuple[Path, Sizes]]
"""Folders with event files by their path within a working folder."""

Joined = dict[str, list[tuple[Path, Sizes]]]
"""As `Found`, with the folders of later attempts behind those that they go on from."""


class GoesOn:
    """Comes between the events of two folders: what follows takes the place of what was written of later steps."""


class FolderChain:
    """Loads one folder after the other; an attempt is over before the next begins."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)
        self._later = deque(self.folders[1:])
        self._watcher = self._watch(self.folders[0])
        self.read_bytes = 0
        """How much of their event files was taken in."""

    def is_head_of(self, folders: Sequence[str]) -> bool:
        """Return True where `folders` are these, and maybe more."""
        return list(folders[: len(self.folders)]) == self.folders

    def follow(self, folders: Sequence[str]) -> None:
        """Go on with those of `folders` that are new."""
        added = folders[len(self.folders) :]
        self.folders += added
        self._later += added

    def Load(self) -> Iterator[Any]:  # noqa: N802 - TensorBoard's name for it
        """Yield what came since the last load."""
        while True:
            try:
                yield from self._watcher.Load()
            except directory_watcher.DirectoryDeletedError:
                if not self._later:
                    raise
            if not self._later:
                return
            yield GoesOn()
            self._watcher = self._watch(self._later.popleft())

    def first_wall_time(self) -> float:
        """Return when the first event was written, by a look at no more than that.

        Raises:
            ValueError: there is none.
        """
        paths = filter(_has_summaries, map(str, Path(self.folders[0]).glob("*tfevents*")))
        first = first_event(min(paths, default=""))
        if first is None:
            raise ValueError("no event yet")
        return float(first.wall_time)

    def _watch(self, folder: str) -> Any:
        return directory_watcher.DirectoryWatcher(folder, partial(EventFileLoader, count=self._count), _has_summaries)

    def _count(self, size: int) -> None:
        self.read_bytes += size


def _has_summaries(path: str) -> bool:
    """Return whether a file has summaries, by its name as in TensorBoard: the file of a profile has none."""
    return is_event_file(Path(path).name) and not path.endswith(".profile-empty")


def take_any_folder_name() -> None:
    """Have TensorBoard, in this process, find files also below folders whose names are no UTF-8."""
    compat.as_bytes = _as_bytes


def _as_bytes(text: bytes | str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding, "surrogateescape") if isinstance(text, str) else text


def joined(attempts: Iterable[Found]) -> Joined:
    """Return the folders of attempts that go on from each other, under the names that they had first.

    A folder goes on with the one of its name; or, where just one is left over on either side, with one whose name
    differs by a date or numbers.
    """
    runs: Joined = {}
    for found in attempts:
        fresh = {name: one for name, one in found.items() if name not in runs}
        silent = [name for name in runs if name not in found]
        for name, one in found.items():
            former = name if name in runs else _only_like(name, silent, list(fresh))
            runs.setdefault(former or name, []).append(one)
    return runs


def _only_like(name: str, before: list[str], now: list[str]) -> str | None:
    shape = NUMBERED.sub("#", name)
    then = [other for other in before if NUMBERED.sub("#", other) == shape]
    alike = [other for other in now if NUMBERED.sub("#", other) == shape]
    return then[0] if len(then) == len(alike) == 1 else None
