"""Import folders of event files as completed runs. The files are read in place, or copied within bounds."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from traindeck.db.tables import Attempt, IdempotencyKey, Parameter, Run, RunEvent, RunTag
from traindeck.runner.claim import make_attempt_folder
from traindeck.runner.copying import copy_data, is_on_kernel_device, open_regular
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.runs.rows import Observation, insert_parameters, write_observation
from traindeck.runs.status import Status
from traindeck.sources.blobs import Reserve
from traindeck.system.wholefiles import write_whole

MAX_FILES = 100_000
MAX_DEPTH = 40
COPIED = ".copied"
"""The suffix of a file while it is copied. The file is hidden as well, so that nothing reads it."""
NAME_CHARACTERS = 200
LATEST_SECONDS = 250_000_000_000
"""The latest time that a date can have; an event may claim any year."""


class CopyRefused(ValueError):
    """A folder cannot be copied; the message says why, and what to do."""


class CopyUnfinished(Exception):
    """The time is up. Copied files stay, and the next copy of the same folder continues there."""


@dataclass(frozen=True, slots=True)
class CopyBounds:
    """The bounds of a copy: bytes of one folder, `deadline` on the monotonic clock, and the disk space to keep free."""

    limit_bytes: int
    deadline: float
    reserve: Reserve


def copy_folder(source: Path, target: Path, bounds: CopyBounds) -> None:
    """Copy the files in a folder and below it, except those that exist in the target with the same size and time.

    Links, hidden files, pipes, devices and virtual files of the kernel are skipped. A growing file is copied up to its
    size at the start; holes stay holes.

    Raises:
        CopyRefused: the folder is too large, or one of its files takes too long.
        CopyUnfinished: the time is up.
        OSError: the disk is full, or the folder cannot be read.
    """
    is_new = not target.exists()
    try:
        _Copying(source, target, bounds).all()
    except (CopyRefused, OSError):
        if is_new:
            shutil.rmtree(target, ignore_errors=True)
        raise


class _Copying:
    def __init__(self, source: Path, target: Path, bounds: CopyBounds) -> None:
        self.source, self.target, self.bounds = source, target, bounds
        self.bytes_left = bounds.limit_bytes
        self.files_left = MAX_FILES
        self.began_late = time.monotonic() > bounds.deadline
        self.progressed = False

    def all(self) -> None:
        """Copy every file, folder by folder."""
        waiting = [(".", 0)]
        while waiting:
            below, depth = waiting.pop()
            folders = self._folder(below)
            waiting += [(path, depth + 1) for path in folders if depth < MAX_DEPTH]

    def _folder(self, below: str) -> list[str]:
        """Copy the files of one folder, and return the paths of the folders in it."""
        target, folders = self.target / below, []
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.source / below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    self._check_time(entry.name)
                    if entry.name.startswith(".") or entry.is_symlink():
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{below}/{entry.name}")
                    elif entry.is_file(follow_symlinks=False):
                        self._file(descriptor, entry.name, self.source / below, target)
        finally:
            os.close(descriptor)
        return folders

    def _file(self, folder: int, name: str, source: Path, target: Path) -> None:
        try:
            reading = open_regular(name, dir_fd=folder, follow=False)
        except FileNotFoundError:
            return
        try:
            info = os.fstat(reading)
            own = target / name
            if _is_same(own, info) or is_on_kernel_device(info.st_dev, str(source / name)):
                return
            self.files_left -= 1
            if self.files_left < 0:
                raise CopyRefused(f"it has more than {MAX_FILES} files: import it without copy")
            self._copy(reading, info, own)
        finally:
            os.close(reading)
        self.progressed = True

    def _copy(self, reading: int, info: os.stat_result, own: Path) -> None:
        partial = own.with_name(f".{own.name[:200]}{COPIED}")
        writing = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            copy_data(reading, writing, info.st_size, lambda size: self._spend(size, own.name))
            os.utime(writing, ns=(info.st_mtime_ns, info.st_mtime_ns))
            os.replace(partial, own)
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        finally:
            os.close(writing)

    def _spend(self, size: int, name: str) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            limit = f"{self.bounds.limit_bytes // 1_000_000} MB (TRAINDECK_IMPORT_LIMIT_MB)"
            raise CopyRefused(f"it has more than {limit}: import it without copy")
        self.bounds.reserve.require(size)
        self._check_time(name)

    def _check_time(self, name: str) -> None:
        if time.monotonic() <= self.bounds.deadline:
            return
        if self.progressed or self.began_late:
            raise CopyUnfinished
        raise CopyRefused(f"{name} takes too long to copy: import the folder without copy")


def _is_same(own: Path, info: os.stat_result) -> bool:
    try:
        kept = own.lstat()
    except OSError:
        return False
    return (kept.st_size, kept.st_mtime_ns) == (info.st_size, info.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Imported:
    """The facts of a folder of event files. Times are seconds since the epoch.

    Attributes:
        folder: Its path, absolute and with links resolved.
        fingerprint: Changes with the event files.
        scalars: Columns of ScalarSummary by tag.
        is_whole: False if some of its event files are not read yet.
    """

    folder: Path
    name: str
    fingerprint: str
    started: float
    finished: float
    params: Mapping[str, Any] = field(default_factory=dict)
    scalars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    is_whole: bool = True


def known_import(session: Session, folder: Path) -> tuple[int, str] | None:
    """Return the run that was imported from a folder before, and the folder's fingerprint at that time."""
    known = session.get(IdempotencyKey, _key(folder))
    return (known.run_id, known.fingerprint) if known else None


def reserve(session: Session, found: Imported) -> int:
    """Return the number of the folder's run, and create the run if there is none. `complete` fills it in."""
    known = known_import(session, found.folder)
    if known is not None:
        return known[0]
    run = Run(name=found.name[:NAME_CHARACTERS], status=Status.COMPLETED, attempt=1)
    session.add(run)
    session.flush()
    run_id = run.id or 0
    session.add(RunEvent(run_id=run_id, attempt=1, to_status=Status.COMPLETED, reason=_reason(found)))
    session.add(Attempt(run_id=run_id, number=1, executor=""))
    # Without the fingerprint, so that the next import continues one that is cut off here.
    session.add(IdempotencyKey(key=_key(found.folder), fingerprint="", run_id=run_id))
    session.flush()
    return run_id


def complete(session: Session, run_id: int, found: Imported) -> None:
    """Write the folder's present facts to its run; name and tags stay as the user has set them."""
    run = session.get(Run, run_id)
    known = session.get(IdempotencyKey, _key(found.folder))
    if run is None or known is None:
        return
    is_new = known.fingerprint == ""
    started, finished = _time(found.started), _time(max(found.started, found.finished))
    run.status_reason = _reason(found)
    run.created_at = run.started_at = started
    run.finished_at = finished
    run.params = dict(found.params)
    session.execute(delete(Parameter).where(col(Parameter.run_id) == run_id))
    insert_parameters(session, run_id, found.params)
    if is_new:
        session.add_all(RunTag(run_id=run_id, tag=tag) for tag in dict.fromkeys(found.tags))
    attempt = session.get(Attempt, (run_id, 1))
    if attempt is not None:
        attempt.started_at, attempt.finished_at = started, finished
        attempt.seconds = max(0.0, found.finished - found.started)
    known.fingerprint = found.fingerprint
    session.flush()
    write_observation(session, Observation(run_id, 1, found.scalars))


def withdraw(session: Session, run_id: int) -> bool:
    """Delete a run that was reserved for an unreadable folder; a run that was imported before stays.

    Return whether there is no such run any more.
    """
    run = session.get(Run, run_id)
    if run is not None and run.finished_at is not None:
        return False
    if run is not None:
        session.delete(run)
    return True


def prepare_folder(files: DeckFiles, run_id: int, folder: Path, copy: CopyBounds | None) -> None:
    """Make the folder of an imported run, which points to the user's folder, or with `copy` holds a copy of it.

    Raises:
        CopyRefused, CopyUnfinished: it is too large to copy, or not copied yet.
        OSError: the disk is full, or the user's folder cannot be read.
    """
    attempt = files.run(run_id).attempt(1)
    make_attempt_folder(attempt.folder)
    if copy is not None:
        copy_folder(folder, attempt.folder / "work", copy)
        attempt.imported.unlink(missing_ok=True)
    elif not (attempt.folder / "work").exists():
        point_to(attempt, folder)


def imported_from(attempt: AttemptFiles) -> Path | None:
    """Return the user's folder from which an attempt is read; None if the deck started or copied it."""
    return None if attempt.work.parent == attempt.folder else attempt.work


def point_to(attempt: AttemptFiles, folder: Path) -> None:
    """Make `attempt.work` refer to a folder of the user.

    Raises:
        OSError: the disk is full.
    """
    # In ASCII, because a folder's name may not be valid UTF-8.
    write_whole(attempt.imported, json.dumps({"folder": str(folder)}).encode())


def _key(folder: Path) -> str:
    """Return the key by which the database finds the run of a folder; keys of requests have no NUL."""
    return f"import\0{hashlib.sha256(str(folder).encode(errors='surrogateescape')).hexdigest()}"


def _reason(found: Imported) -> str:
    return f"imported from {str(found.folder).encode(errors='replace').decode()}"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), LATEST_SECONDS), UTC)
