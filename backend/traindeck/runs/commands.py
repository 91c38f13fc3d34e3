"""The commands of users: submit a run as `RunSpec` asks for, edit, cancel, retry, resume and delete it."""

import hashlib
import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from traindeck.db.tables import IdempotencyKey, MetricDirection, Run, RunTag
from traindeck.errors import FieldError, InvalidRequest, RunConflict
from traindeck.runner.program import Program
from traindeck.runs import transitions
from traindeck.runs.checkpoints import VARIABLE, last_checkpoint, way_to_resume
from traindeck.runs.directions import Better
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import find_run
from traindeck.runs.rows import insert_parameters
from traindeck.runs.status import Status
from traindeck.runs.view import Resources
from traindeck.sources.blobs import Blobs
from traindeck.sources.runcode import materialise
from traindeck.sources.tree import CodeTree
from traindeck.system.wholefiles import sync_folder, write_json

SPEC_VERSION = 2
SAME = ("trainer", "params", "name", "notes", "priority", "env", "max_retries", "rerun_of")
"""The fields that a specification and the row of its run have under the same name."""
MOST_DIRECTIONS = 10_000
ADJECTIVES = (
    "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "crisp", "curious", "daring",
    "deft", "eager", "early", "fair", "fleet", "fond", "gentle", "glad", "golden", "grand", "happy", "hardy",
    "honest", "humble", "jolly", "keen", "kind", "light", "lively", "lucky", "lunar", "mellow", "merry", "mild",
    "misty", "neat", "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet", "rapid", "ready",
    "rosy", "royal", "sharp", "shiny", "silent", "silver", "sleek", "smart", "snowy", "solar", "spry", "steady",
    "sunny", "swift", "tidy", "true", "vivid", "warm", "wild", "wise", "witty", "young", "zesty",
)  # fmt: skip
ANIMALS = (
    "badger", "bear", "beaver", "bison", "bittern", "crane", "curlew", "deer", "dolphin", "dove", "eagle", "egret",
    "elk", "ermine", "falcon", "ferret", "finch", "fox", "gecko", "goose", "grouse", "hare", "hawk", "hedgehog",
    "heron", "ibex", "ibis", "jackdaw", "jay", "kestrel", "kite", "kiwi", "koala", "lark", "lemur", "lizard",
    "llama", "lynx", "magpie", "marten", "mole", "moose", "newt", "ocelot", "osprey", "otter", "owl", "panda",
    "pelican", "petrel", "pika", "plover", "puffin", "quail", "rabbit", "raven", "robin", "salmon", "seal",
    "shrew", "sparrow", "squid", "stoat", "stork", "swan", "tapir", "tern", "thrush", "toad", "trout", "vole",
    "walrus", "weasel", "whale", "wolf", "wombat", "wren", "yak", "zebra",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A run to queue, resolved and checked: a trainer with its parameters, or a script with its kept code."""

    trainer: str | None = None
    script: Program | None = None
    code: CodeTree | None = None
    params: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    priority: int = 0
    resources: Resources = field(default_factory=Resources)
    env: dict[str, str] = field(default_factory=dict)
    max_retries: int = 0
    rerun_of: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the content of spec.json. The code of a script is beside it, in code/ and code.json."""
        return {
            "version": SPEC_VERSION,
            "script": self.script.as_json() if self.script else None,
            "tags": list(self.tags),
            "resources": self.resources.model_dump(),
            **{name: getattr(self, name) for name in SAME},
        }


def submit(session: Session, files: DeckFiles, blobs: Blobs, spec: RunSpec, key: str | None = None) -> Run:
    """Queue a run, and write its folder with the specification. Both are on disk when the transaction commits.

    Return the existing run if the same request came before with the same `key`.

    Raises:
        InvalidRequest: the key came with another request before.
    """
    if key is not None:
        fingerprint = _fingerprint(spec)
        known = session.get(IdempotencyKey, key)
        if known is not None:
            return _run_of_key(session, known, fingerprint)
        run = submit(session, files, blobs, spec)
        session.add(IdempotencyKey(key=key, fingerprint=fingerprint, run_id=run.id or 0))
        return run
    spec = replace(spec, name=spec.name or random_name())
    run = Run(
        **{name: getattr(spec, name) for name in SAME},
        script=spec.script.as_json() if spec.script else None,
        cpus=spec.resources.cpus,
        gpus=spec.resources.gpus,
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


def _run_of_key(session: Session, known: IdempotencyKey, fingerprint: str) -> Run:
    if known.fingerprint != fingerprint:
        message = f"this Idempotency-Key made run {known.run_id} from another request: use a new one"
        raise InvalidRequest([FieldError("Idempotency-Key", message)])
    return find_run(session, known.run_id)


def _fingerprint(spec: RunSpec) -> str:
    code = spec.code.digest if spec.code else None
    return hashlib.sha256(json.dumps([spec.as_json(), code], sort_keys=True).encode()).hexdigest()


def describe(session: Session, run_id: int, params: Mapping[str, Any]) -> None:
    """Add the parameters that were unknown when the run was queued, unless it has some or was deleted."""
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
        The new status of the run. Cancelling again changes nothing.

    Raises:
        RunConflict: the run has ended in another way.
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
    """Check that a run can continue from a checkpoint. This may take seconds: do not call it in a transaction.

    Raises:
        RunConflict: the run has not ended, has no checkpoint, or its program would not read one.
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
    """Queue a new attempt of a run that has ended, with `resume` from its last checkpoint (see `check_resume`).

    If the run is waiting for the back-off of a retry, the retry starts at once.

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
    """Raise RunConflict if a run cannot get a new attempt; return whether one is waiting for its back-off."""
    status = Status(run.status)
    if run.trainer is None and run.script is None:
        raise RunConflict(f"Run {run.id} was imported: the deck does not know what program wrote it.")
    backs_off = status is Status.QUEUED and run.not_before is not None
    if not status.is_final and not backs_off:
        raise RunConflict(f"Run {run.id} is {status}: {verb} it when it has ended, or cancel it first.")
    return backs_off


def remove(session: Session, run_id: int) -> None:
    """Delete a run that has ended or has not started. The caller then removes its folder.

    Raises:
        RunConflict: the run has a process.
    """
    run = find_run(session, run_id)
    if Status(run.status).holds_slots:
        raise RunConflict(f"Run {run_id} is {run.status}: cancel it, and delete it when it has ended.")
    session.delete(run)


def say_direction(session: Session, tag: str, better: Better | None) -> None:
    """Set which values of a scalar are better; None derives this from its tag again.

    Raises:
        InvalidRequest: the deck has as many directions as it can keep.
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


def random_name() -> str:
    """Return a name such as "quiet-otter". Names need not be unique, because numbers are."""
    return f"{random.choice(ADJECTIVES)}-{random.choice(ANIMALS)}"  # noqa: S311 (a name is no secret)
