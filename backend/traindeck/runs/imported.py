"""Import folders of event files as completed runs. The files are read in place or copied."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from traindeck.db.tables import Attempt, IdempotencyKey, Parameter, Run, RunEvent, RunTag
from traindeck.runner.claim import make_attempt_folder
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.runs.folder_copy import CopyBounds, copy_folder
from traindeck.runs.parameter_rows import insert_parameters
from traindeck.runs.status import Status
from traindeck.runs.summaries import Observation, write_observation
from traindeck.system.wholefiles import write_whole

NAME_CHARACTERS = 200
LATEST_SECONDS = 250_000_000_000
"""The latest time that a date can have; an event may claim any year."""


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
