"""`/imports`: makes runs of folders of event files that lie on the server's machine."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from traindeck.api.deck import Deck, DeckDep
from traindeck.api.lanes import in_lane
from traindeck.api.problems import responses
from traindeck.api.strict import StrictRoute
from traindeck.errors import NO_ROOM, FieldError, InvalidRequest, RunConflict
from traindeck.events.hparams import read_beginnings
from traindeck.events.logfolders import LogFolder, find_log_folders, log_folder
from traindeck.events.series import list_problems
from traindeck.events.seriesnames import shown
from traindeck.events.tail import catch_up
from traindeck.launches.requests import Body, Name, PathText, Tags
from traindeck.runner.copying import is_of_kernel
from traindeck.runs.folder_copy import CopyBounds, CopyUnfinished
from traindeck.runs.imports import Imported, complete, known_import, prepare_folder, reserve, withdraw

router = APIRouter(tags=["runs"], route_class=StrictRoute)

MOST = 5000
"""Runs that one folder is made into."""

CALL_SECONDS = 8.0
"""How long one call reads; whoever asks again goes on."""

READ_SECONDS = 20.0
"""How long one folder is read before its run is shown; the observer reads what is left of it."""

COPY_SECONDS = 60.0
"""How long one call copies; a folder that is not whole by then is taken up again by the next."""

PROBLEMS_SHOWN = 20
READERS = 8
TOGETHER = 40
_ONE_AT_A_TIME = threading.Lock()

logger = logging.getLogger(__name__)


class ImportBody(Body):
    """Which folder, and what its runs are called."""

    path: PathText = Field(description="A folder on the server's machine; absolute", examples=["/home/me/runs"])
    copy_files: bool = Field(False, alias="copy", description="Copy the files; else they are read where they are")
    name: Name | None = Field(None, description="What to call the run; with several, what to put before their names")
    tags: Tags = Field([])


class ImportView(BaseModel):
    """What has come of it."""

    runs: list[int] = Field(description="The numbers of all runs of this folder, those of earlier imports too")
    created: int
    refreshed: int = Field(description="Runs of an earlier import whose event files have changed since")
    unchanged: int
    left: int = Field(description="Folders that are not read yet: the same request again goes on with them")
    complete: bool = Field(description=f"False where there are more than {MOST} runs, or too many folders to look into")
    problems: list[str] = Field(
        description="Why folders are not imported, and what of event files is left out or corrected; 20 at most"
    )


@router.post("/imports", operation_id="importFolder", responses=responses(409, 413, 415, 422, 507))
@in_lane("importing")
def import_folder(body: ImportBody, deck: DeckDep) -> ImportView:
    """Make a completed run of each folder of event files at or below a folder; twice makes none twice."""
    top = _checked(deck, body.path)
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise RunConflict("Another folder is being imported: try again when that is done.")
    try:
        return _import(deck, top, body)
    finally:
        _ONE_AT_A_TIME.release()


def _import(deck: Deck, top: Path, body: ImportBody) -> ImportView:
    deadline = time.monotonic() + CALL_SECONDS
    folders = find_log_folders(top, MOST)
    if not folders.paths:
        raise InvalidRequest([FieldError("path", f"no event file (*tfevents*) lies below {top}")])
    home = deck.files.home.resolve()
    view = ImportView(runs=[], created=0, refreshed=0, unchanged=0, left=0, complete=folders.complete, problems=[])
    copy = _copy_bounds(deck) if body.copy_files else None
    waiting = [path for path in folders.paths if not path.is_relative_to(home)]
    with ThreadPoolExecutor(READERS, thread_name_prefix="import") as readers:
        for begin in range(0, len(waiting), TOGETHER):
            if time.monotonic() > deadline:
                view.left += len(waiting) - begin
                break
            _import_some(deck, top, waiting[begin : begin + TOGETHER], body, copy, view, readers)
    return view


def _copy_bounds(deck: Deck) -> CopyBounds:
    limit_bytes = deck.settings.import_limit_mb * 1_000_000
    return CopyBounds(limit_bytes, time.monotonic() + COPY_SECONDS, deck.code.blobs.reserve)


def _import_some(
    deck: Deck,
    top: Path,
    paths: list[Path],
    body: ImportBody,
    copy: CopyBounds | None,
    view: ImportView,
    readers: ThreadPoolExecutor,
) -> None:
    """A few folders at once: the disk confirms what several of them write in one go."""
    refusals = {path: _refusal(path, copy=body.copy_files) for path in paths}
    _tell(view, refusals.values())
    logs = readers.map(log_folder, [path for path in paths if refusals[path] is None])
    changed = [log for log in logs if not _is_known(deck, log, body, view)]
    if not changed:
        return
    bare = [
        Imported(log.path, _name(top, log.path, body.name), log.fingerprint, 0.0, 0.0, tags=tuple(body.tags))
        for log in changed
    ]
    with deck.database.write() as session:
        before = [known_import(session, one.folder) for one in bare]
        numbers = [reserve(session, one) for one in bare]
    try:
        found = list(readers.map(partial(_read_or_say, deck, copy=copy), numbers, bare, changed))
    except OSError:
        with suppress(SQLAlchemyError):
            _finish(deck, dict.fromkeys(numbers, ""))
        raise
    _finish(deck, dict(zip(numbers, found, strict=True)))
    for run_id, one in zip(numbers, found, strict=True):
        if isinstance(one, Imported) and not one.is_whole:
            deck.observer.read_on(run_id, 1)
    view.left += sum(one is None for one in found)
    _tell(view, (one for one in found if isinstance(one, str)))
    for run_id, one in zip(numbers, found, strict=True):
        if isinstance(one, Imported):
            _tell(view, _problems(deck, run_id, one.folder))
    for run_id, one, known in zip(numbers, found, before, strict=True):
        _count(view, run_id, one, known)


def _finish(deck: Deck, found: Mapping[int, Imported | str | None]) -> None:
    """Write to each run what its folder says; where it cannot be read, take the run back, and what was copied."""
    withdrawn = []
    with deck.database.write() as session:
        for run_id, one in found.items():
            if isinstance(one, Imported):
                complete(session, run_id, one)
            elif one is not None and withdraw(session, run_id):
                withdrawn.append(run_id)
    for run_id in withdrawn:
        shutil.rmtree(deck.files.run(run_id).folder, ignore_errors=True)


def _tell(view: ImportView, problems: Iterable[str | None]) -> None:
    view.problems = [*view.problems, *filter(None, problems)][:PROBLEMS_SHOWN]


def _problems(deck: Deck, run_id: int, folder: Path) -> list[str]:
    """What the run's curves lack of a folder's event files, or have corrected."""
    return [f"{shown(str(folder))}: {one}" for one in list_problems(deck.files.run(run_id).attempt(1).scalars)]


def _count(view: ImportView, run_id: int, found: Imported | str | None, known: tuple[int, str] | None) -> None:
    was_whole = known is not None and known[1] != ""
    if was_whole or isinstance(found, Imported):
        view.runs.append(run_id)
    if isinstance(found, Imported):
        view.refreshed += was_whole
        view.created += not was_whole


def _is_known(deck: Deck, log: LogFolder, body: ImportBody, view: ImportView) -> bool:
    """Whether there is a run of the folder as it is now; it is counted then."""
    with deck.database.read() as session:
        known = known_import(session, log.path)
    if known is None or known[1] != log.fingerprint:
        return False
    if body.copy_files and deck.files.run(known[0]).attempt(1).imported.exists():
        return False
    view.runs.append(known[0])
    view.unchanged += 1
    _tell(view, _problems(deck, known[0], log.path))
    return True


def _read_or_say(
    deck: Deck, run_id: int, bare: Imported, log: LogFolder, *, copy: CopyBounds | None
) -> Imported | str | None:
    """What the folder says of itself, or why it cannot be asked: one that is amiss keeps no other from being imported.

    None where it is not copied yet.

    Raises:
        OSError: the disk is full.
    """
    try:
        return _read(deck, run_id, bare, log, copy=copy)
    except CopyUnfinished:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        logger.warning("run=%d import of %s failed: %s", run_id, _text(str(log.path)), error)
        return f"{_text(str(log.path))}: {_text(str(error))}"


def _read(deck: Deck, run_id: int, bare: Imported, log: LogFolder, *, copy: CopyBounds | None) -> Imported:
    prepare_folder(deck.files, run_id, log.path, copy)
    attempt = deck.files.run(run_id).attempt(1)
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
    """The folder's own name; with the folders that lead to it where they are several deep."""
    if path == top:
        return given or _text(path.name)
    below = _text(str(path.relative_to(top)))
    return f"{given}/{below}" if given else below


def _text(name: str) -> str:
    return name.encode(errors="replace").decode()


def _checked(deck: Deck, text: str) -> Path:
    """The folder that is meant, without links.

    Raises:
        InvalidRequest: it is none, or none that may be imported.
    """
    if not text.startswith("/") or "\0" in text:
        raise _wrong(f"path is {text!r}, but must be absolute, such as /home/me/runs")
    try:
        top = Path(os.path.realpath(text, strict=True))
    except OSError as error:
        raise _wrong(f"{text} cannot be read on the server's machine: {error.strerror}") from error
    home = deck.files.home.resolve()
    if not top.is_dir():
        raise _wrong(f"{text} is no folder; give the folder that the event files lie in, or one above it")
    if top == Path("/") or is_of_kernel(text):
        raise _wrong(f"{text} is a folder of the system: give the folder of the logs, or copy them to one of your own")
    if top.is_relative_to(home):
        raise _wrong(f"{text} lies in this deck's own home: its runs are on the deck already")
    return top


def _refusal(folder: Path, *, copy: bool) -> str | None:
    """Why a folder is not imported; None where it is.

    What is read in place can be downloaded from the deck for as long as the run is there. So it is the server's user's.
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
