"""Makes the order of an attempt: what its executor is to do."""

import os
from typing import Any

from traindeck.db.tables import Run
from traindeck.executors.protocol import Order, Program, ScriptOrder
from traindeck.runs.checkpoints import last_checkpoint, resumed
from traindeck.runs.files import DeckFiles
from traindeck.scheduling.slots import Hold
from traindeck.sources.runcode import code_of
from traindeck.sources.snapshot import Snapshots


def make_order(
    files: DeckFiles,
    snapshots: Snapshots,
    run: Run,
    number: int,
    hold: Hold,
    *,
    has_gpus: bool,
    grace_seconds: float,
) -> Order:
    """Return the order of attempt `number` of a run. `has_gpus`: its node hands out GPUs."""
    run_id = run.id or 0
    checkpoint = last_checkpoint(files, run) if run.resume else None
    return Order(
        run_id=run_id,
        attempt=number,
        mark="",
        folder=str(files.run(run_id).attempt(number).folder),
        datasets=str(files.datasets),
        grace_seconds=grace_seconds,
        cpus=hold.cpus,
        gpus=list(hold.gpus) if has_gpus else None,
        env=run.env,
        trainer=run.trainer,
        params=run.params,
        script=_script_order(files, snapshots, run, checkpoint),
        resume_from=checkpoint,
        disk_reserve_bytes=snapshots.blobs.reserve.bytes,
    )


def _script_order(files: DeckFiles, snapshots: Snapshots, run: Run, checkpoint: str | None) -> ScriptOrder | None:
    if not run.script:
        return None
    program = resumed(Program.from_json(run.script), checkpoint)
    code = files.run(run.id or 0).code
    tree = code_of(files.run(run.id or 0).folder)
    edited = tree is None or tree.root is None or not snapshots.still_same(tree)
    root, folder = tree.root if tree else None, str(code) if code.is_dir() else None
    kept: dict[str, Any] = {"code": folder, "root": root, "edited": edited}
    if program.kind == "command":
        return ScriptOrder(program, **kept)
    if program.kind == "module":
        return ScriptOrder(program, path0=folder if edited and folder else program.cwd or "", **kept)
    source = str(code / (tree.entry if tree and tree.entry else program.filename))
    file = source if edited or program.path is None else program.path
    # Python looks for modules beside the file that a link leads to.
    path0 = os.path.dirname(os.path.realpath(file))  # noqa: PTH120
    return ScriptOrder(program, source=source, file=file, path0=path0, **kept)
