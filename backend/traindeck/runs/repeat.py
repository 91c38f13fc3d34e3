"""What a run was asked to do, so that it can be asked once more: the same program, parameters and environment."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.tables import Run, RunTag
from traindeck.errors import NO_ROOM, RunConflict
from traindeck.runner.program import Program
from traindeck.runs.files import DeckFiles, RunFiles
from traindeck.runs.spec import RunSpec
from traindeck.runs.view import Resources
from traindeck.sources.blobs import Blobs
from traindeck.sources.kept import keep_again
from traindeck.sources.tree import CodeTree

NEEDS_NO_CODE = ("module", "command")
"""These run in a folder of the user's; what was kept of it may be all of the code, some, or none."""


def spec_of(session: Session, files: DeckFiles, blobs: Blobs, run: Run) -> RunSpec:
    """The run as a new one to be queued, with the code that was kept when it was launched.

    Raises:
        RunConflict: that code is gone.
        OSError: the disk is full.
    """
    run_id = run.id or 0
    if run.trainer is None and run.script is None:
        raise RunConflict(f"Run {run_id} was imported: the deck does not know what program wrote it.")
    script = replace(Program.from_json(run.script), unchecked=None) if run.script else None
    tags = session.execute(select(col(RunTag.tag)).where(col(RunTag.run_id) == run_id).order_by(col(RunTag.tag)))
    return RunSpec(
        trainer=run.trainer,
        script=script,
        code=_code_of(run_id, script, files.run(run_id), blobs) if script else None,
        params=dict(run.params),
        name=run.name,
        tags=tuple(tags.scalars()),
        notes=run.notes,
        priority=run.priority,
        resources=Resources(cpus=run.cpus, gpus=run.gpus),
        env=dict(run.env),
        max_retries=run.max_retries,
        rerun_of=run_id,
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
        raise RunConflict(f"Run {run_id} ran in {script.cwd}, and that folder is not there any more.")
    return code
