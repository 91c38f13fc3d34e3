"""process.json: who runs an attempt. Whoever makes the file has the attempt, and it can be made only once.

A shim makes it before it starts anything. A server that finds an attempt without it after a crash makes it itself,
as a tombstone: a shim that comes late then starts nothing. So an attempt has at most one process (rule 3).
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from traindeck.runner.identity import Identity, identify

NAME = "process.json"


def make_attempt_folder(folder: Path) -> None:
    """Make the folder of an attempt, and its run's where that was deleted, but no home where there is none any more."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def claim_attempt(folder: Path, shim: Identity, start: str) -> bool:
    """Take the attempt for this shim; False where somebody has it, or its folder is gone. `start`: warm or cold."""
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
    """The content of process.json, or None where there is none."""
    try:
        record = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def shim_of(record: dict[str, Any]) -> Identity | None:
    """The shim that a record names; None for a tombstone."""
    return Identity(**record["shim"]) if record.get("shim") else None


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
