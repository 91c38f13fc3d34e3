"""Which files of a folder are a project's code: programs and small settings, not data, results or environments."""

import os
import pwd
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from traindeck.runner.copying import is_of_kernel

MAX_FILES = 1000
MAX_BYTES = 20_000_000
MAX_PROGRAM_BYTES = 2_000_000
MAX_SETTING_BYTES = 256_000
MAX_DEPTH = 8
MAX_IN_FOLDER = 500
"""A folder with more entries than this holds data."""
MAX_ENTRIES = 20_000
CPU_SECONDS = 0.05
WALL_SECONDS = 0.5

PROGRAMS = (".py", ".pyi", ".pyx", ".pxd", ".sh", ".bash", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp")
SETTINGS = (
    ".toml", ".yaml", ".yml", ".json", ".json5", ".jsonc", ".jsonnet", ".cfg", ".ini", ".conf", ".txt", ".gin",
    ".jinja", ".jinja2", ".j2", ".sql",
)  # fmt: skip
NAMES = frozenset({"Makefile", "Dockerfile", "Pipfile"})
NOT_CODE = frozenset({
    "__pycache__", "node_modules", "site-packages", "dist-packages", "build", "dist",
    "runs", "lightning_logs", "tb_logs", "wandb", "mlruns", "outputs", "multirun", "checkpoints",
})  # fmt: skip
NOT_BESIDE = frozenset({"pyvenv.cfg", "conda-meta", "deck.db"})
"""What an environment, or a deck's home, has in it: neither is a project's code."""
EVENT_FILE = "events.out.tfevents"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a project: its path below the root, and what the system says of it."""

    path: str
    info: os.stat_result


@dataclass(slots=True)
class _WalkLimits:
    """How much of a folder is looked at."""

    files: int = MAX_FILES
    size: int = MAX_BYTES
    entries: int = MAX_ENTRIES
    # The processor's time, so that a busy machine changes nothing; the wall's for a file system that does not answer.
    cpu: float = field(default_factory=lambda: time.thread_time() + CPU_SECONDS)
    wall: float = field(default_factory=lambda: time.monotonic() + WALL_SECONDS)

    def broken(self) -> bool:
        """True once too much was found, or it took too long."""
        late = time.thread_time() > self.cpu or time.monotonic() > self.wall
        return self.files < 0 or self.size < 0 or self.entries < 0 or late


def project_files(root: str) -> list[Found] | None:
    """The code below a folder; None if the folder is too large for one project, or is none.

    Links are followed to files within the folder only. Hidden files, environments, results and data are left out.
    """
    if _is_no_project(root):
        return None
    bounds, found = _WalkLimits(), []
    waiting = [("", 0)]
    while waiting:
        prefix, depth = waiting.pop()
        entries = _entries(os.path.join(root, prefix))  # noqa: PTH118 (strings: there may be many)
        bounds.entries -= len(entries)
        if len(entries) > MAX_IN_FOLDER and not depth:
            return None
        if depth and _holds_no_code(entries):
            continue
        for entry in entries:
            if _is_folder(entry):
                if depth < MAX_DEPTH and _may_hold_code(entry.name):
                    waiting.append((f"{prefix}{entry.name}/", depth + 1))
            elif file := _code(entry, prefix, root):
                found.append(file)
                bounds.files -= 1
                bounds.size -= file.info.st_size
        if bounds.broken():
            return None
    return found


def _is_no_project(root: str) -> bool:
    """True for the root, a home, what is the kernel's, and folders like /tmp: a script may lie there alone."""
    if root in ("/", _home()) or is_of_kernel(root):
        return True
    try:
        return bool(os.stat(root).st_mode & stat.S_ISVTX)  # noqa: PTH116
    except OSError:
        return True


def _home() -> str:
    try:
        return os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return "/"


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, MAX_IN_FOLDER + 1), key=lambda entry: entry.name)
    except OSError:
        return []


def _holds_no_code(entries: list[os.DirEntry[str]]) -> bool:
    names = [entry.name for entry in entries]
    return (
        len(names) > MAX_IN_FOLDER
        or not NOT_BESIDE.isdisjoint(names)
        or any(name.startswith(EVENT_FILE) for name in names)
    )


def _may_hold_code(name: str) -> bool:
    return not (name.startswith(".") or name in NOT_CODE or name.endswith(".egg-info")) and _is_text(name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _code(entry: os.DirEntry[str], prefix: str, root: str) -> Found | None:
    limit = _limit(entry.name)
    if not limit or not _is_text(entry.name):
        return None
    try:
        if entry.is_symlink() and not os.path.realpath(entry.path).startswith(root.rstrip("/") + "/"):
            return None
        info = entry.stat()
    except OSError:
        return None
    if not stat.S_ISREG(info.st_mode) or info.st_size > limit:
        return None
    return Found(prefix + entry.name, info)


def _limit(name: str) -> int:
    """How large a file of this name may be, in bytes; 0 for what is no code."""
    suffix = os.path.splitext(name)[1]  # noqa: PTH122
    if name.startswith("."):
        return 0
    if suffix in PROGRAMS:
        return MAX_PROGRAM_BYTES
    return MAX_SETTING_BYTES if suffix in SETTINGS or name in NAMES else 0


def _is_text(name: str) -> bool:
    """False for a name that could not be written down in JSON."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def folders_of(paths: Iterator[str]) -> list[str]:
    """The folders that the files at these paths lie in, each after the one that it lies in itself."""
    found = set()
    for path in paths:
        while path := path.rpartition("/")[0]:
            found.add(path)
    return sorted(found)
