"""Repeat a run, exactly or with changes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from traindeck.db.tables import RunTag
from traindeck.errors import NO_ROOM, FieldError, InvalidRequest, RunConflict
from traindeck.launches.located import Located, locate_kept
from traindeck.launches.requests import RerunBody
from traindeck.launches.submission import Launchpad, check_params, queue_run, resolve_options, resource_errors
from traindeck.options.inspection import Inspections, Target
from traindeck.options.sources import with_sources
from traindeck.runner.program import Program
from traindeck.runs.commands import SAME, RunSpec
from traindeck.runs.files import RunFiles
from traindeck.runs.queries import find_run
from traindeck.runs.view import Resources, RunView
from traindeck.sources.blobs import Blobs
from traindeck.sources.runcode import copy_git, keep_again
from traindeck.sources.tree import CodeTree

NEEDS_NO_CODE = ("module", "command")
"""These run in a folder of the user, of which all, some or no code is kept."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run to repeat: its specification, the requested changes, and its kept script."""

    asked: RunSpec
    body: RerunBody
    script: Located | None

    @property
    def is_as_it_was(self) -> bool:
        """Return whether nothing is changed that a script could refuse."""
        return self.body.args is None and not self.body.params and self.body.resume_arg is None

    @property
    def target(self) -> Target | None:
        """Return the script that may have to be inspected."""
        return self.script.target if self.script and not self.is_as_it_was else None


def prepare_again(pad: Launchpad, run_id: int, body: RerunBody) -> Rerun:
    """Find the specification and the kept code of a run; raises RunConflict as `spec_of`."""
    asked = spec_of(pad, run_id)
    script = locate_kept(asked.script, asked.code, pad.files.run(run_id).folder) if asked.script else None
    again = Rerun(asked, body, script)
    if script is None or again.target is None:
        return again
    return replace(again, script=replace(script, target=with_sources(again.target)))


def resolve_again(pad: Launchpad, again: Rerun, inspector: Inspections) -> RunSpec:
    """Return the specification of the run with the requested changes.

    Raises:
        InvalidRequest: fields are wrong, or are no longer valid; every such field is named.
    """
    asked, body = again.asked, again.body
    given = {name: getattr(body, name) for name in ("name", "notes", "priority", "max_retries")}
    spec = replace(asked, **{name: value for name, value in given.items() if value is not None})
    if body.tags is not None:
        spec = replace(spec, tags=tuple(body.tags))
    if body.resources is not None:
        wanted = body.resources.model_dump(exclude_none=True)
        spec = replace(spec, resources=spec.resources.model_copy(update=wanted))
    if body.env is not None:
        env = {**spec.env, **body.env}
        spec = replace(spec, env={name: value for name, value in env.items() if value is not None})
    errors = resource_errors(spec.resources, pad.capacity())
    try:
        spec = _trainer_changed(pad, spec, body) if spec.trainer else _script_changed(again, spec, inspector)
    except InvalidRequest as error:
        errors = [*error.errors, *errors]
    if errors:
        raise InvalidRequest(errors)
    return spec


def _trainer_changed(pad: Launchpad, spec: RunSpec, body: RerunBody) -> RunSpec:
    for name in ("args", "resume_arg"):
        if getattr(body, name) is not None:
            raise InvalidRequest([FieldError(name, f"{name} goes with a script; run {spec.rerun_of} is a trainer's")])
    params = check_params(pad.registry, spec.trainer or "", {**spec.params, **(body.params or {})})
    return replace(spec, params=params)


def _script_changed(again: Rerun, spec: RunSpec, inspector: Inspections) -> RunSpec:
    script, body = again.script, again.body
    assert script is not None
    program = script.program
    if program.command and body.args is not None:
        raise InvalidRequest([FieldError("args", "args go with a script; a command holds its arguments itself")])
    if again.is_as_it_was:
        return spec
    args = program.args if body.args is None else tuple(body.args)
    program = replace(program, args=args, resume_arg=body.resume_arg or program.resume_arg)
    try:
        program, params = resolve_options(
            inspector, replace(script, program=program), body.params or {}, override=body.args is None
        )
    except InvalidRequest as error:
        raise InvalidRequest([_of_this_body(one) for one in error.errors]) from error
    return replace(spec, script=program, params=params)


def _of_this_body(error: FieldError) -> FieldError:
    """Rename the fields of an error: `script.args` of a launch is `args` here."""
    field = error.field.removeprefix("script.")
    return FieldError(field, error.message.replace("script.args", "args").replace("script.resume_arg", "resume_arg"))


def submit_again(pad: Launchpad, spec: RunSpec, idempotency_key: str | None) -> RunView:
    """Queue a run that repeats another, with the commit of the first."""
    view = queue_run(pad, spec, idempotency_key)
    # The run is queued already, and the commit is only information.
    with suppress(OSError):
        copy_git(pad.files.run(spec.rerun_of or 0).folder, pad.files.run(view.id).folder)
    return view


def spec_of(pad: Launchpad, run_id: int) -> RunSpec:
    """Return the specification of a run as a new one, with the code that was kept at its launch.

    Raises:
        RunConflict: that code is gone.
        OSError: the disk is full.
    """
    with pad.database.read() as session:
        run = find_run(session, run_id)
        tags = session.scalars(select(col(RunTag.tag)).where(col(RunTag.run_id) == run_id).order_by(col(RunTag.tag)))
        found = tuple(tags)
    if run.trainer is None and run.script is None:
        raise RunConflict(f"Run {run_id} was imported: the deck does not know what program wrote it.")
    script = replace(Program.from_json(run.script), unchecked=None) if run.script else None
    again = {name: getattr(run, name) for name in SAME}
    return RunSpec(
        **{**again, "rerun_of": run_id},
        script=script,
        code=_code_of(run_id, script, pad.files.run(run_id), pad.code.blobs) if script else None,
        tags=found,
        resources=Resources(cpus=run.cpus, gpus=run.gpus),
    )


def _code_of(run_id: int, script: Program, files: RunFiles, blobs: Blobs) -> CodeTree | None:
    gone = f"The code of run {run_id} is gone from the deck's home: launch {script.path or script.filename} anew."
    try:
        code = keep_again(blobs, files.folder)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise RunConflict(gone) from error
    if script.kind not in NEEDS_NO_CODE and (code is None or code.entry is None):
        raise RunConflict(gone)
    if code is None and script.cwd is not None and not Path(script.cwd).is_dir():
        raise RunConflict(f"Run {run_id} ran in {script.cwd}, but this folder is gone.")
    return code
