"""Make runs of folders of event files on the machine of the server."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from traindeck.errors import NO_ROOM, FieldError, InvalidRequest, RunConflict
from traindeck.events.folders import LogFolder, find_log_folders, log_folder
from traindeck.events.hparams import read_beginnings
from traindeck.events.series import list_problems
from traindeck.events.seriesnames import shown
from traindeck.events.tail import catch_up
from traindeck.launches.requests import Body, Name, PathText, Tags
from traindeck.launches.submission import Launchpad
from traindeck.runner.copying import is_of_kernel
from traindeck.runs.imported import (
    CopyBounds,
    CopyUnfinished,
    Imported,
    complete,
    known_import,
    prepare_folder,
    reserve,
    withdraw,
)

MOST = 5000
"""The most runs that one folder becomes."""

CALL_SECONDS = 8.0
"""How long one call reads; the same request again continues there."""

READ_SECONDS = 20.0
"""How long one folder is read before its run is shown; the observer reads what is left of it."""

COPY_SECONDS = 60.0
"""How long one call copies; the next call continues with a folder that is not complete."""

PROBLEMS_SHOWN = 20
READERS = 8
TOGETHER = 40
_ONE_AT_A_TIME = threading.Lock()

logger = logging.getLogger(__name__)


class ImportBody(Body):
    """The folder to import, and the names of its runs."""

    path: PathText = Field(description="A folder on the server's machine; absolute", examples=["/home/me/runs"])
    copy_files: bool = Field(False, alias="copy", description="Copy the files; else they are read where they are")
    name: Name | None = Field(None, description="What to call the run; with several, what to put before their names")
    tags: Tags = Field([])


class ImportView(BaseModel):
    """The runs that were made, and what could not be read."""

    runs: list[int] = Field(description="The numbers of all runs of this folder, those of earlier imports too")
    created: int
    refreshed: int = Field(description="Runs of an earlier import whose event files have changed since")
    unchanged: int
    left: int = Field(description="Folders that are not read yet: the same request again continues with them")
    complete: bool = Field(description=f"False where there are more than {MOST} runs, or too many folders to look into")
    problems: list[str] = Field(
        description="Why folders are not imported, and what of event files is left out or corrected; 20 at most"
    )


def import_below(pad: Launchpad, body: ImportBody, limit_bytes: int) -> ImportView:
    """Make a completed run of each folder of event files at or below a folder; repeating this makes no other runs.

    At most `limit_bytes` are copied from one folder.

    Raises:
        InvalidRequest: there is no such folder, or it may not be imported.
        RunConflict: another import is in progress.
    """
    top = _checked(pad.files.home, body.path)
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise RunConflict("Another folder is being imported: try again when that is done.")
    try:
        with ThreadPoolExecutor(READERS, thread_name_prefix="import") as readers:
            bounds = CopyBounds(limit_bytes, time.monotonic() + COPY_SECONDS, pad.code.blobs.reserve)
            return _FolderImport(pad, top, body, bounds if body.copy_files else None, readers).all()
    finally:
        _ONE_AT_A_TIME.release()


class _FolderImport:
    """One call, which imports the folders below one, a few at a time."""

    def __init__(
        self, pad: Launchpad, top: Path, body: ImportBody, copy: CopyBounds | None, readers: ThreadPoolExecutor
    ) -> None:
        self.pad, self.top, self.body, self.copy, self.readers = pad, top, body, copy, readers
        self.view = ImportView(runs=[], created=0, refreshed=0, unchanged=0, left=0, complete=True, problems=[])

    def all(self) -> ImportView:
        """Import the folders until the time is up."""
        deadline = time.monotonic() + CALL_SECONDS
        folders = find_log_folders(self.top, MOST)
        if not folders.paths:
            raise InvalidRequest([FieldError("path", f"no event file (*tfevents*) lies below {self.top}")])
        self.view.complete = folders.complete
        home = self.pad.files.home.resolve()
        waiting = [path for path in folders.paths if not path.is_relative_to(home)]
        for begin in range(0, len(waiting), TOGETHER):
            if time.monotonic() > deadline:
                self.view.left += len(waiting) - begin
                break
            self._some(waiting[begin : begin + TOGETHER])
        return self.view

    def _some(self, paths: list[Path]) -> None:
        """Import a few folders at once, so that one confirmation of the disk covers several."""
        refusals = {path: _refusal(path, copy=self.body.copy_files) for path in paths}
        self._add_problems(refusals.values())
        logs = self.readers.map(log_folder, [path for path in paths if refusals[path] is None])
        changed = [log for log in logs if not self._is_known(log)]
        if not changed:
            return
        tags, name = tuple(self.body.tags), self.body.name
        bare = [
            Imported(log.path, _name(self.top, log.path, name), log.fingerprint, 0.0, 0.0, tags=tags) for log in changed
        ]
        with self.pad.database.write() as session:
            before = [known_import(session, one.folder) for one in bare]
            numbers = [reserve(session, one) for one in bare]
        try:
            found = list(self.readers.map(self._read_or_say, numbers, bare, changed))
        except OSError:
            # The error above is the one to report.
            with suppress(SQLAlchemyError):
                self._finish(dict.fromkeys(numbers, ""))
            raise
        self._finish(dict(zip(numbers, found, strict=True)))
        self.view.left += sum(one is None for one in found)
        self._add_problems(one for one in found if isinstance(one, str))
        for run_id, one, known in zip(numbers, found, before, strict=True):
            if isinstance(one, Imported):
                self._add_problems(self._problems(run_id, one.folder))
                if not one.is_whole:
                    self.pad.read_on(run_id, 1)
            self._count(run_id, one, known)

    def _finish(self, found: Mapping[int, Imported | str | None]) -> None:
        """Write the facts of each folder to its run; delete the runs and copies of unreadable folders."""
        withdrawn = []
        with self.pad.database.write() as session:
            for run_id, one in found.items():
                if isinstance(one, Imported):
                    complete(session, run_id, one)
                elif one is not None and withdraw(session, run_id):
                    withdrawn.append(run_id)
        for run_id in withdrawn:
            shutil.rmtree(self.pad.files.run(run_id).folder, ignore_errors=True)

    def _add_problems(self, problems: Iterable[str | None]) -> None:
        self.view.problems = [*self.view.problems, *filter(None, problems)][:PROBLEMS_SHOWN]

    def _problems(self, run_id: int, folder: Path) -> list[str]:
        """Return what is omitted or corrected in the curves of a folder."""
        return [f"{shown(str(folder))}: {one}" for one in list_problems(self.pad.files.run(run_id).attempt(1).scalars)]

    def _count(self, run_id: int, found: Imported | str | None, known: tuple[int, str] | None) -> None:
        was_whole = known is not None and known[1] != ""
        if was_whole or isinstance(found, Imported):
            self.view.runs.append(run_id)
        if isinstance(found, Imported):
            self.view.refreshed += was_whole
            self.view.created += not was_whole

    def _is_known(self, log: LogFolder) -> bool:
        """Return whether the unchanged folder has a run already, and count it."""
        with self.pad.database.read() as session:
            known = known_import(session, log.path)
        if known is None or known[1] != log.fingerprint:
            return False
        if self.body.copy_files and self.pad.files.run(known[0]).attempt(1).imported.exists():
            return False
        self.view.runs.append(known[0])
        self.view.unchanged += 1
        self._add_problems(self._problems(known[0], log.path))
        return True

    def _read_or_say(self, run_id: int, bare: Imported, log: LogFolder) -> Imported | str | None:
        """Return the facts of a folder, or why it cannot be read; None if it is not copied yet.

        An unreadable folder does not stop the import of others.

        Raises:
            OSError: the disk is full.
        """
        try:
            return self._read(run_id, bare, log)
        except CopyUnfinished:
            return None
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            logger.warning("run=%d import of %s failed: %s", run_id, _text(str(log.path)), error)
            return f"{_text(str(log.path))}: {_text(str(error))}"

    def _read(self, run_id: int, bare: Imported, log: LogFolder) -> Imported:
        prepare_folder(self.pad.files, run_id, log.path, self.copy)
        attempt = self.pad.files.run(run_id).attempt(1)
        beginnings = read_beginnings(log.files)
        read = catch_up(attempt.work, attempt.scalars, READ_SECONDS)
        summaries = read.changed
        written = [file.stat().st_mtime for file in log.files if file.exists()]
        started = beginnings.started or min(written, default=time.time())
        finished = max((summary.wall_time for summary in summaries.values()), default=max(written, default=started))
        rows = {tag: asdict(summary) for tag, summary in summaries.items()}
        for row in rows.values():
            del row["wall_time"]
        return replace(
            bare, started=started, finished=finished, params=beginnings.params, scalars=rows, is_whole=read.caught_up
        )


def _name(top: Path, path: Path, given: str | None) -> str:
    """Return the name of a folder: its path below `top`."""
    if path == top:
        return given or _text(path.name)
    below = _text(str(path.relative_to(top)))
    return f"{given}/{below}" if given else below


def _text(name: str) -> str:
    return name.encode(errors="replace").decode()


def _checked(home: Path, text: str) -> Path:
    """Return the folder with links resolved.

    Raises:
        InvalidRequest: it is not a folder, or may not be imported.
    """
    if not text.startswith("/") or "\0" in text:
        raise _wrong(f"path is {text!r}, but must be absolute, such as /home/me/runs")
    try:
        top = Path(os.path.realpath(text, strict=True))
    except OSError as error:
        raise _wrong(f"{text} cannot be read on the server's machine: {error.strerror}") from error
    if not top.is_dir():
        raise _wrong(f"{text} is no folder; give the folder that the event files lie in, or one above it")
    if top == Path("/") or is_of_kernel(text):
        raise _wrong(f"{text} is a folder of the system: give the folder of the logs, or copy them to one of your own")
    if top.is_relative_to(home.resolve()):
        raise _wrong(f"{text} lies in this deck's own home: its runs are on the deck already")
    return top


def _refusal(folder: Path, *, copy: bool) -> str | None:
    """Return why a folder may not be imported, or None.

    Files that are read in place can be downloaded from the deck, so they must belong to the user of the server.
    """
    try:
        owner = folder.stat().st_uid
    except OSError as error:
        return f"{_text(str(folder))}: {error.strerror}"
    if is_of_kernel(folder):
        return f"{_text(str(folder))} is made up by the kernel as it is read: it is not imported"
    if not copy and os.geteuid() not in (owner, 0):
        return f"{_text(str(folder))} belongs to another user: import it with copy"
    return None


def _wrong(message: str) -> InvalidRequest:
    return InvalidRequest([FieldError("path", message)])
