"""Keeps a script from changing files while it is asked for its options.

What it would do to files is refused, so that asking leaves no traces; reading is not. That holds for what Python itself
does: a program that the script starts, or a library that opens files by itself, is not seen here.
"""

from __future__ import annotations

import os
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    # Of each, the places of the paths that it changes, and of the open folders that they are relative to.
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "shutil.rmtree": ((0, None),),
}
NO_FILES = ("/dev", "/proc")
VARIABLES = ("TMPDIR", "TEMP", "TMP")
TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108


class Protection:
    """Which files may be changed: those in the folder of the inspection, temporary ones, and hidden ones.

    Caches of libraries lie in folders with a dot. In the script's own folders temporary files are not told from others.
    """

    def __init__(self, work: str, own: list[str]) -> None:
        self.work = _ending(work)
        self.own = [_ending(folder) for folder in own]
        self.free = [_ending(folder) for folder in (*NO_FILES, *_temporary())]

    def start(self) -> None:
        """Refuse from now on, and to the end of the process."""
        sys.addaudithook(self._watch)

    def _watch(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITING:
                self._check(args[0], None)
        elif event in CHANGES:
            for path, folder in CHANGES[event]:
                # Older Pythons tell of no folder.
                self._check(args[path], args[folder] if folder is not None and folder < len(args) else None)

    def _check(self, path: Any, folder: Any) -> None:
        if isinstance(path, int) or path is None:
            # It is open already, and was looked at then.
            return
        text = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0:
            text = os.path.join("/proc/self/fd", str(folder), text)  # noqa: PTH118
        if not self.allows(text):
            raise PermissionError(13, "Not written while the options are read", os.fsdecode(path))

    def allows(self, path: str) -> bool:
        """Whether a file may be made, changed or removed."""
        # Of a link, the last step is not followed where it is removed; what it leads to is as good a reason to refuse.
        where = os.path.realpath(path)
        if where.startswith(self.work):
            return True
        for own in self.own:
            if where.startswith(own):
                inside = [free for free in self.free if free.startswith(own) and free != own]
                return os.sep + "." in where[len(own) - 1 :] or where.startswith(tuple(inside))
        return os.sep + "." in where or where.startswith(tuple(self.free))


def _temporary() -> list[str]:
    """The folder of temporary files, as `tempfile` finds it; it tries by writing there."""
    folders = [*filter(None, map(os.environ.get, VARIABLES)), *TEMPORARY]
    return [folder for folder in folders if os.path.isdir(folder) and os.access(folder, os.W_OK)][:1]  # noqa: PTH112


def _ending(folder: str) -> str:
    return os.path.realpath(folder).rstrip(os.sep) + os.sep
