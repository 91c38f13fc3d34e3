"""Writes down what each attempt runs with, once it has started: a thread of its own, so that nothing waits for it."""

import logging
import os
import queue
import threading
import time
from datetime import UTC, datetime
from typing import Any

from traindeck.provenance.host import describe_host
from traindeck.provenance.interpreter import Interpreter, Interpreters
from traindeck.provenance.masking import mask_arguments, mask_variables
from traindeck.provenance.packages import keep_packages
from traindeck.provenance.program import argv_of_order, interpreter_of
from traindeck.runner.environment import HOOK, child_environment
from traindeck.runner.order import Order, read_order
from traindeck.runner.record import read_record
from traindeck.runs.files import AttemptFiles, DeckFiles, write_json
from traindeck.sources.blobs import Blobs

logger = logging.getLogger(__name__)

VERSION = 1
CLOSE_SECONDS = 2.0


class Recorder:
    """Records attempts one after the other, in the order in which they started."""

    def __init__(self, files: DeckFiles, blobs: Blobs) -> None:
        self.files = files
        self.blobs = blobs
        self.since = time.time()
        self._interpreters = Interpreters()
        self._asked: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what is not recorded yet is recorded by the next server, if its run still has a process then."""
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def note(self, run_id: int, number: int) -> None:
        """Have the attempt recorded soon, unless it is already; from any thread, at once."""
        self._asked.put((run_id, number))

    def record(self, run_id: int, number: int) -> bool:
        """Record the attempt now; False where it is recorded, or deleted.

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
            return False  # Deleted meanwhile.
        return True

    def _loop(self) -> None:
        while (asked := self._asked.get()) is not None:
            try:
                self.record(*asked)
            except Exception:
                # A full disk, an order that cannot be read: the run goes on, and its record says less.
                logger.exception("run=%d attempt=%d could not be recorded", *asked)

    def _describe(self, attempt: AttemptFiles, order: Order) -> dict[str, Any]:
        variables = without_own(child_environment(order))
        chosen = interpreter_of(order, variables)
        found = self._interpreters.ask(chosen[0], variables) if chosen else None
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
        """Whether the attempt's variables are known: an earlier server may have had others to hand on."""
        record = read_record(attempt.folder) or {}
        return float(record.get("claimed_at") or 0) >= self.since


def without_own(variables: dict[str, str]) -> dict[str, str]:
    """The variables without those that the deck sets for itself, and the script does not see or need."""
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
