"""Record the command, environment, packages and host of each attempt, after its start and in another thread."""

import json
import logging
import os
import platform
import queue
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from traindeck.executors.local.machine import driver_version, find_gpus
from traindeck.provenance.command_line import argv_of_order, interpreter_of
from traindeck.provenance.interpreter import Interpreter, Interpreters
from traindeck.provenance.masking import mask_arguments, mask_variables
from traindeck.runner.claim import read_record
from traindeck.runner.order import Order, read_order
from traindeck.runner.variables import HOOK, child_environment
from traindeck.runs.files import AttemptFiles, DeckFiles
from traindeck.sources.blobs import Blobs
from traindeck.system.wholefiles import write_json

logger = logging.getLogger(__name__)

VERSION = 1
CLOSE_SECONDS = 2.0
CPU_INFO = Path("/proc/cpuinfo")
OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))


class AttemptRecorder:
    """Records attempts one after another, in the order in which they started."""

    def __init__(self, files: DeckFiles, blobs: Blobs) -> None:
        self.files = files
        self.blobs = blobs
        self.since = time.time()
        self._interpreters = Interpreters()
        self._queue: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="recorder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread. The next server records the rest, as far as their runs still have a process."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def enqueue(self, run_id: int, number: int) -> None:
        """Enqueue an attempt to record. Any thread may call this; it returns at once."""
        self._queue.put((run_id, number))

    def record(self, run_id: int, number: int) -> bool:
        """Record the attempt now. Return False if it is already recorded, or deleted.

        Raises:
            OSError: the disk is full.
        """
        attempt = self.files.run(run_id).attempt(number)
        if attempt.environment.exists():
            return False
        try:
            content = self._describe(attempt, read_order(attempt.order))
            write_json(attempt.environment, content)
        except FileNotFoundError:
            return False  # The run was deleted in the meantime.
        return True

    def _loop(self) -> None:
        while (attempt := self._queue.get()) is not None:
            try:
                self.record(*attempt)
            except Exception:
                # A full disk or an unreadable order must not affect the run; its record stays incomplete.
                logger.exception("run=%d attempt=%d could not be recorded", *attempt)

    def _describe(self, attempt: AttemptFiles, order: Order) -> dict[str, Any]:
        variables = without_deck_variables(child_environment(order))
        chosen = interpreter_of(order, variables)
        found = self._interpreters.query(chosen[0], variables) if chosen else None
        argv = mask_arguments(argv_of_order(order))
        return {
            "version": VERSION,
            "run": order.run_id,
            "attempt": order.attempt,
            "recorded_at": datetime.now(UTC).isoformat(),
            "argv": argv,
            "cwd": order.script.program.cwd if order.script else None,
            "environment": mask_variables(variables) if self._saw_start(attempt) else None,
            "python": _python(found, guessed=bool(chosen and chosen[1])) if found else None,
            "torch": found.torch if found else None,
            "packages": keep_packages(self.blobs, found.packages, attempt.packages) if found else None,
            "host": describe_host(order.gpus),
        }

    def _saw_start(self, attempt: AttemptFiles) -> bool:
        """Return whether this server started the attempt; the variables of an earlier server are unknown."""
        record = read_record(attempt.folder) or {}
        return float(record.get("claimed_at") or 0) >= self.since


def without_deck_variables(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables without those of the deck that the script does not see or need."""
    kept = {
        name: value
        for name, value in variables.items()
        if not name.startswith("TRAINDECK_") or name == "TRAINDECK_RESUME_FROM"
    }
    folders = [folder for folder in kept.pop("PYTHONPATH", "").split(os.pathsep) if folder not in ("", HOOK)]
    return {**kept, "PYTHONPATH": os.pathsep.join(folders)} if folders else kept


def _python(found: Interpreter, *, guessed: bool) -> dict[str, Any]:
    return {
        "version": found.version,
        "implementation": found.implementation,
        "executable": found.executable,
        "prefix": found.prefix,
        "guessed": guessed,
    }


def keep_packages(blobs: Blobs, packages: list[dict[str, Any]], target: Path) -> str:
    """Write the list of packages to `target`, and return its digest. Attempts with equal lists share the content.

    Raises:
        OSError: the disk is full, or the folder of `target` is gone.
    """
    content = json.dumps({"packages": packages}, ensure_ascii=False, separators=(",", ":")).encode()
    digest = blobs.put_bytes(content)
    # An existing list is from a recording of this attempt that was cut off.
    target.unlink(missing_ok=True)
    blobs.link(digest, target)
    return digest


def describe_host(held_gpus: Sequence[int] | None) -> dict[str, Any]:
    """Return host, system, processor, memory in bytes, and GPUs; the run has those with an index in `held_gpus`."""
    memory = psutil.virtual_memory().total
    gpus = [
        {
            "index": gpu.index,
            "name": gpu.name,
            "memory_bytes": gpu.memory_bytes,
            "held": held_gpus is not None and gpu.index in held_gpus,
        }
        for gpu in find_gpus()
    ]
    return {
        "name": socket.gethostname(),
        "os": system_name(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": processor_name(),
        "cpu_cores": psutil.cpu_count(logical=False),
        "cpu_threads": os.cpu_count(),
        "memory_bytes": memory,
        "gpus": gpus,
        "gpu_driver": driver_version() if gpus else None,
    }


@cache
def system_name() -> str:
    """Return a name such as "Debian GNU/Linux 12 (bookworm)", or else the kernel's name."""
    for path in OS_RELEASE:
        name = _value_of(path, "PRETTY_NAME", "=")
        if name:
            return name.strip('"')
    return f"{platform.system()} {platform.release()}"


@cache
def processor_name() -> str:
    """Return the model name of the processor."""
    return _value_of(CPU_INFO, "model name", ":") or platform.processor() or platform.machine()


def _value_of(path: Path, key: str, separator: str) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip()
    return ""
