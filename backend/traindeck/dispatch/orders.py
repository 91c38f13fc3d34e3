"""Writes the order of an attempt: what its shim is to do."""

import hashlib
import json
import os
from typing import Any

from traindeck.db.tables import Run
from traindeck.dispatch.live import LiveAttempt
from traindeck.dispatch.slots import Hold, Slots
from traindeck.runner.environment import MARK_CHARACTERS
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runs.commands import last_checkpoint
from traindeck.runs.files import DeckFiles, write_whole
from traindeck.runs.view import ScriptKind, ScriptView


def attempt_mark(files: DeckFiles, run_id: int, number: int) -> str:
    """What marks the processes of an attempt: the same after a restart, and another on every deck."""
    name = f"{files.home}:{run_id}:{number}"
    return hashlib.sha256(name.encode()).hexdigest()[:MARK_CHARACTERS]


def live_attempt(files: DeckFiles, run_id: int, number: int) -> LiveAttempt:
    """An attempt as the dispatcher keeps it, without a process yet."""
    return LiveAttempt(run_id, number, attempt_mark(files, run_id, number), files.run(run_id).attempt(number))


def write_order(files: DeckFiles, slots: Slots, run: Run, hold: Hold, live: LiveAttempt, grace_seconds: float) -> None:
    """Make the attempt's folder with its order.

    Raises:
        OSError: the disk is full, or the home is gone.
    """
    live.files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        script=_script_order(files, run),
        resume_from=last_checkpoint(files, run) if run.resume else None,
    )
    # Not synced: after a power cut nobody carries it out.
    write_whole(live.files.order, json.dumps(order.as_json()).encode(), sync=False)


def _script_order(files: DeckFiles, run: Run) -> ScriptOrder | None:
    if not run.script:
        return None
    script = ScriptView.model_validate(run.script)
    code = files.run(run.id or 0).code
    common: dict[str, Any] = {
        "args": script.args,
        "code": str(code) if code.is_dir() else None,
        "python": script.python,
        "cold": script.cold,
        "base": script.cwd,
    }
    if script.kind is ScriptKind.MODULE:
        return ScriptOrder(kind="module", module=script.module or "", path0=script.cwd or "", **common)
    if script.kind is ScriptKind.COMMAND:
        return ScriptOrder(kind="command", command=script.command, **common)
    source = str(code / script.filename)
    file = script.path or source
    return ScriptOrder(kind="file", source=source, file=file, path0=os.path.dirname(file), **common)  # noqa: PTH120
