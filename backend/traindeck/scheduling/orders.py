"""Writes the order of an attempt: what its shim is to do."""

import hashlib
import json
import os
import re
from typing import Any

from traindeck.db.tables import Run
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runner.program import Program
from traindeck.runner.record import make_attempt_folder
from traindeck.runner.variables import MARK_CHARACTERS, PLACEHOLDER
from traindeck.runs.checkpoint_search import last_checkpoint
from traindeck.runs.files import DeckFiles, read_json, write_whole
from traindeck.runs.resuming import resumed
from traindeck.scheduling.live import LiveAttempt
from traindeck.scheduling.slots import Hold, Slots
from traindeck.sources.runcode import code_of
from traindeck.sources.snapshot import Snapshots

MARK_PATTERN = re.compile(rf"[0-9a-f]{{{MARK_CHARACTERS}}}")


def attempt_mark(files: DeckFiles, run_id: int, number: int) -> str:
    """Return what marks the processes of an attempt: the same after a restart, and another on every deck.

    An ordered attempt keeps the mark of its order: its processes carry that one, though the home was renamed since.
    A new one has a mark of the resolved home, so that it does not depend on the name by which the deck was started.
    """
    ordered = (read_json(files.run(run_id).attempt(number).order) or {}).get("mark")
    if isinstance(ordered, str) and MARK_PATTERN.fullmatch(ordered) and ordered != PLACEHOLDER:
        return ordered
    name = b"%s:%d:%d" % (os.fsencode(files.home.resolve()), run_id, number)
    return hashlib.sha256(name).hexdigest()[:MARK_CHARACTERS]


def live_attempt(files: DeckFiles, run_id: int, number: int) -> LiveAttempt:
    """An attempt as the dispatcher keeps it, without a process yet."""
    return LiveAttempt(run_id, number, attempt_mark(files, run_id, number), files.run(run_id).attempt(number))


def write_order(
    files: DeckFiles,
    snapshots: Snapshots,
    slots: Slots,
    run: Run,
    hold: Hold,
    live: LiveAttempt,
    grace_seconds: float,
) -> None:
    """Make the attempt's folder with its order.

    Raises:
        OSError: the disk is full, or the home is gone.
    """
    make_attempt_folder(live.files.folder)
    checkpoint = last_checkpoint(files, run) if run.resume else None
    order = Order(
        run_id=live.run_id,
        attempt=live.number,
        mark=live.mark,
        folder=str(live.files.folder),
        datasets=str(files.datasets),
        grace_seconds=grace_seconds,
        cpus=hold.cpus,
        gpus=list(hold.gpus) if slots.gpus else None,
        env=run.env,
        trainer=run.trainer,
        params=run.params,
        script=_script_order(files, snapshots, run, checkpoint),
        resume_from=checkpoint,
        disk_reserve_bytes=snapshots.blobs.reserve.bytes,
    )
    # Not synced: after a power cut nobody carries it out.
    write_whole(live.files.order, json.dumps(order.as_json()).encode(), sync=False)


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
