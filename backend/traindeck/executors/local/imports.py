"""Notices that what the forkserver has imported is not what an import would find now."""

import os
import time
from collections.abc import Iterable

from traindeck.runner.freshness import Stamp, stamp_of_file, stamp_of_folder

EVERY_FILE_SECONDS = 10.0
"""How often at most to look at every file of the installed packages: they are thousands, and take 20 ms."""


class Imports:
    """What one forkserver has imported, and the state that it was in then."""

    def __init__(self) -> None:
        self._folders: dict[str, Stamp] = {}
        self._files: dict[str, Stamp] = {}
        self._editable: list[str] | None = None
        self._next_full = 0.0

    def note(self, stamps: dict[str, Stamp], folders: list[str]) -> None:
        """Add what the forkserver says of its imports: the stamps of files, and of the `folders` among them."""
        for path, stamp in stamps.items():
            (self._folders if path in folders else self._files)[path] = stamp

    def changed(self) -> str | None:
        """A folder or an editable source that has changed, at the cost of a few dozen looks; None where none has."""
        if self._editable is None:
            installed = tuple(
                path + os.sep for path in self._folders if path.endswith(("site-packages", "dist-packages"))
            )
            self._editable = [path for path in self._files if path.endswith(".pth") or not path.startswith(installed)]
        folder = next((path for path in self._folders if self._folder_changed(path)), None)
        return folder or self._first_changed(self._editable)

    def changed_anywhere(self) -> str | None:
        """Likewise for every imported file, but not more often than each ten seconds."""
        if time.monotonic() < self._next_full:
            return None
        changed = self.changed() or self._first_changed(self._files)
        self._next_full = time.monotonic() + EVERY_FILE_SECONDS
        return changed

    def _first_changed(self, files: Iterable[str]) -> str | None:
        return next((file for file in files if stamp_of_file(file) != self._files[file]), None)

    def _folder_changed(self, folder: str) -> bool:
        known = self._folders[folder]
        if stamp_of_file(folder)[0] == known[0]:
            return False
        now = stamp_of_folder(folder)
        if now[1] != known[1]:
            return True
        # A file came or went, such as a folder of compiled ones, but no package.
        self._folders[folder] = now
        return False
