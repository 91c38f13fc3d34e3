"""process.json: who runs an attempt. The process that makes the file has the attempt, and it can be made only once.

A shim makes it before it starts anything. A server that finds an attempt without it after a crash makes it itself,
as a tombstone: a shim that comes late then starts nothing. So an attempt has at most one process (rule 3).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from traindeck.runner.identity import Identity, identify
from traindeck.runner.outside import number, read_object, text, whole

NAME = "process.json"
LIMIT_BYTES = 64 << 10
LARGEST_PID = 2**31 - 1
NAME_CHARACTERS = 300
LATEST = 253_402_300_799
"""The last second of the year 9999: dates end there."""


def make_attempt_folder(folder: Path) -> None:
    """Make the folder of an attempt, and its run's where that was deleted, but no home where there is none any more."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def claim_attempt(folder: Path, shim: Identity, start: str) -> bool:
    """Take the attempt for this shim; False where another has it, or its folder is gone. `start`: warm or cold."""
    return _make(folder, {"shim": shim.as_json(), "trainer": None, "claimed_at": time.time(), "start": start})


def give_up_attempt(folder: Path) -> bool:
    """Make sure that the attempt never gets a process; False where it has one already."""
    make_attempt_folder(folder)
    return _make(folder, {"shim": None, "trainer": None, "claimed_at": time.time()})


def record_trainer(folder: Path, trainer_pid: int) -> None:
    """Note the trainer that the shim has started, unless it has ended already."""
    record = read_record(folder) or {}
    try:
        record["trainer"] = identify(trainer_pid).as_json()
    except ProcessLookupError:
        return
    try:
        partial = _written(folder, {**record, "started_at": time.time()})
        os.replace(partial, folder / NAME)
    except OSError:
        # A full disk: the shim's own identity stands in the file already, and that is what counts.
        return


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the content of process.json, or None where there is none that can be believed."""
    record = read_object(folder / NAME, LIMIT_BYTES)
    if record is None:
        return None
    shim, trainer = (_identity(record.get(name)) for name in ("shim", "trainer"))
    if shim is None and record.get("shim") is not None:
        return None
    times = {name: number(record.get(name), 0, LATEST) for name in ("claimed_at", "started_at")}
    start = record.get("start")
    return {
        "shim": shim.as_json() if shim else None,
        "trainer": trainer.as_json() if trainer else None,
        **{name: at for name, at in times.items() if at is not None},
        **({"start": start} if start in ("warm", "cold") else {}),
    }


def shim_of(record: dict[str, Any]) -> Identity | None:
    """Return the shim that a record names; None for a tombstone."""
    return _identity(record.get("shim"))


def _identity(content: Any) -> Identity | None:
    if not isinstance(content, dict):
        return None
    pid, start = whole(content.get("pid"), 1, LARGEST_PID), number(content.get("start"), 0, 2**63)
    boot, host = (text(content.get(name), NAME_CHARACTERS) for name in ("boot_id", "host"))
    return None if None in (pid, start, boot, host) else Identity(pid, start, boot, host)  # type: ignore[arg-type]


def _make(folder: Path, record: dict[str, Any]) -> bool:
    try:
        partial = _written(folder, record)
    except FileNotFoundError:
        return False
    try:
        # Unlike a rename, a link fails where the name is taken.
        os.link(partial, folder / NAME)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def _written(folder: Path, record: dict[str, Any]) -> Path:
    partial = folder / f".{NAME}.{os.getpid()}"
    # Not synced: what a power cut could take from this file is of a boot that is over, as the database knows.
    partial.write_text(json.dumps(record))
    return partial
