"""What people do to runs: submit, edit, cancel, retry, resume, delete."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from traindeck.db.tables import IdempotencyKey, MetricDirection, Run, RunTag
from traindeck.errors import FieldError, InvalidRequest, RunConflict
from traindeck.runner.program import Program
from traindeck.runs import transitions
from traindeck.runs.checkpoint_search import last_checkpoint
from traindeck.runs.directions import Better
from traindeck.runs.files import DeckFiles
from traindeck.runs.parameter_rows import insert_parameters
from traindeck.runs.queries import find_run
from traindeck.runs.random_names import random_name
from traindeck.runs.resuming import VARIABLE, way_to_resume
from traindeck.runs.spec import RunSpec
from traindeck.runs.status import Status
from traindeck.sources.blobs import Blobs
from traindeck.sources.runcode import materialise
from traindeck.system.wholefiles import sync_folder, write_json

MOST_DIRECTIONS = 10_000


def submit(session: Session, files: DeckFiles, blobs: Blobs, spec: RunSpec) -> Run:
    """Queue a run: its rows, and its folder with what was asked. Both are on disk when the transaction commits."""
    spec = replace(spec, name=spec.name or random_name())
    run = Run(
        name=spec.name or "",
        trainer=spec.trainer,
        script=spec.as_json()["script"],
        params=spec.params,
        env=spec.env,
        notes=spec.notes,
        priority=spec.priority,
        cpus=spec.resources.cpus,
        gpus=spec.resources.gpus,
        max_retries=spec.max_retries,
        rerun_of=spec.rerun_of,
        code_digest=spec.code.digest if spec.code else None,
    )
    session.add(run)
    session.flush()
    assert run.id is not None
    insert_parameters(session, run.id, spec.params)
    _set_tags(session, run.id, spec.tags)
    transitions.record_creation(session, run)
    session.flush()
    _write_files(files, blobs, run.id, spec)
    return run


def submit_once(session: Session, files: DeckFiles, blobs: Blobs, spec: RunSpec, key: str) -> Run:
    """Do the same as `submit`, but return the existing run if the same request comes again with the same key.

    Raises:
        InvalidRequest: the key came with another request before.
    """
    fingerprint = _fingerprint(spec)
    known = session.get(IdempotencyKey, key)
    if known is None:
        run = submit(session, files, blobs, spec)
        session.add(IdempotencyKey(key=key, fingerprint=fingerprint, run_id=run.id or 0))
        return run
    if known.fingerprint != fingerprint:
        raise InvalidRequest(
            [
                FieldError(
                    "Idempotency-Key",
                    f"this Idempotency-Key made run {known.run_id} from another request: use a new one",
                )
            ]
        )
    return find_run(session, known.run_id)


def _fingerprint(spec: RunSpec) -> str:
    code = spec.code.digest if spec.code else None
    return hashlib.sha256(json.dumps([spec.as_json(), code], sort_keys=True).encode()).hexdigest()


def describe(session: Session, run_id: int, params: Mapping[str, Any]) -> None:
    """Give a run the parameters that were not known yet when it was queued; none where it is gone, or has some."""
    run = session.get(Run, run_id)
    if run is None or run.params:
        return
    run.params = dict(params)
    insert_parameters(session, run_id, params)


def edit(session: Session, run_id: int, changes: Mapping[str, Any]) -> Run:
    """Change a run's name, tags, notes or priority."""
    run = find_run(session, run_id)
    for column in ("name", "notes", "priority"):
        if column in changes:
            setattr(run, column, changes[column])
    if "tags" in changes:
        session.execute(delete(RunTag).where(col(RunTag.run_id) == run_id))
        _set_tags(session, run_id, changes["tags"])
    session.flush()
    return run


def cancel(session: Session, run_id: int) -> Status:
    """Cancel a queued run, or mark one that has a process as stopping; the dispatcher then ends the process.

    Returns:
        The status that the run has now. Cancelling twice, or what was cancelled, changes nothing.

    Raises:
        RunConflict: the run has ended otherwise.
    """
    run = find_run(session, run_id)
    status = Status(run.status)
    if status in (Status.STOPPING, Status.CANCELLED):
        return status
    if status.is_final:
        raise RunConflict(f"Run {run_id} has ended already: {status}.")
    to = Status.CANCELLED if status is Status.QUEUED else Status.STOPPING
    transitions.move(session, run, to, "cancelled by the user" if to is Status.CANCELLED else None)
    return to


def check_resume(files: DeckFiles, run: Run) -> None:
    """Look whether a run can go on from a checkpoint. That may take seconds: no transaction may wait for it.

    Raises:
        RunConflict: the run has not ended, or there is no checkpoint to resume from, or its program would not read it.
    """
    _check_ended(run, "resume")
    if last_checkpoint(files, run) is None:
        raise RunConflict(
            f"Run {run.id} has saved no checkpoint: there is nothing to resume from. Retry starts afresh."
        )
    script = Program.from_json(run.script) if run.script else None
    if way_to_resume(script, files.run(run.id or 0).folder) is None:
        raise RunConflict(
            f"Run {run.id} cannot be resumed: its script is not known to read a checkpoint. Run it again with "
            f"resume_arg, the option by which it takes one (traindeck rerun {run.id} --resume-arg=--resume), or have "
            f"it read {VARIABLE}. Retry starts this run from the beginning."
        )


def start_again(session: Session, run_id: int, *, resume: bool) -> Run:
    """Queue a new attempt of a run that has ended; with `resume`, from its last checkpoint: see `check_resume`.

    A retry that waits for its back-off starts at once instead.

    Raises:
        RunConflict: the run has not ended.
    """
    run = find_run(session, run_id)
    verb = "resume" if resume else "retry"
    backs_off = _check_ended(run, verb)
    if backs_off:
        transitions.end_backoff(session, run, resume=resume)
    else:
        transitions.requeue(session, run, f"{verb} asked for by the user", resume=resume)
    session.expire(run)
    return run


def _check_ended(run: Run, verb: str) -> bool:
    """Raise RunConflict where a run cannot get a new attempt; True where it has one that waits for its back-off."""
    status = Status(run.status)
    if run.trainer is None and run.script is None:
        raise RunConflict(f"Run {run.id} was imported: the deck does not know what program wrote it.")
    backs_off = status is Status.QUEUED and run.not_before is not None
    if not status.is_final and not backs_off:
        raise RunConflict(f"Run {run.id} is {status}: {verb} it when it has ended, or cancel it first.")
    return backs_off


def remove(session: Session, run_id: int) -> None:
    """Delete a run that has ended, or has not begun. The caller then removes its folder.

    Raises:
        RunConflict: the run has a process.
    """
    run = find_run(session, run_id)
    if Status(run.status).holds_slots:
        raise RunConflict(f"Run {run_id} is {run.status}: cancel it, and delete it when it has ended.")
    session.delete(run)


def say_direction(session: Session, tag: str, better: Better | None) -> None:
    """Keep which way a scalar is better; with None its tag tells again.

    Raises:
        InvalidRequest: the deck keeps as many directions as it may.
    """
    row = session.get(MetricDirection, tag)
    if better is None:
        if row is not None:
            session.delete(row)
    elif row is not None:
        row.better = better.value
    elif session.execute(select(func.count()).select_from(MetricDirection)).scalar_one() >= MOST_DIRECTIONS:
        message = f"the deck keeps the directions of {MOST_DIRECTIONS:,} tags: set others to null first"
        raise InvalidRequest([FieldError("tag", message)])
    else:
        session.add(MetricDirection(tag=tag, better=better.value))


def _set_tags(session: Session, run_id: int, tags: tuple[str, ...] | list[str]) -> None:
    session.add_all(RunTag(run_id=run_id, tag=tag) for tag in dict.fromkeys(tags))


def _write_files(files: DeckFiles, blobs: Blobs, run_id: int, spec: RunSpec) -> None:
    run_files = files.run(run_id)
    # An existing folder is from a submission that was cut off before its commit and answer.
    shutil.rmtree(run_files.folder, ignore_errors=True)
    run_files.folder.mkdir(mode=0o700)
    if spec.code is not None:
        materialise(blobs, spec.code, run_files.folder)
    write_json(run_files.spec, spec.as_json())
    sync_folder(run_files.folder)
    sync_folder(files.runs)
