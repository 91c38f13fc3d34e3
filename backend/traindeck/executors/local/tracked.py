"""Attempts of this machine: the mark of their processes, and the shim of each."""

import hashlib
import os
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from traindeck.runner.claim import shim_of
from traindeck.runner.identity import Identity, is_alive
from traindeck.runner.variables import MARK_CHARACTERS, PLACEHOLDER
from traindeck.runs.files import AttemptFiles, DeckFiles, read_json

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


@dataclass(slots=True, eq=False)
class Tracked:
    """An attempt that was started, or is found again after a restart. Times are monotonic, in seconds.

    Attributes:
        ordered: Its order was written by this server.
        asked: The pid of the process that was asked to start it.
        trouble: Why its shim cannot be named: its processes are known by their mark alone.
        reported: That it has a process was reported.
    """

    files: AttemptFiles
    mark: str
    ordered: bool = False
    asked: int | None = None
    since: float = field(default_factory=time.monotonic)
    shim: Identity | None = None
    pidfd: int | None = None
    started_at: float | None = None
    trouble: str | None = None
    reported: bool = False
    stop_asked: bool = False
    stop_deadline: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, record: dict[str, Any]) -> None:
        """Watch the shim that process.json names, and stop it if that was asked for; it may have ended already.

        Raises:
            Exception: the record names no shim that can be understood.
        """
        shim = shim_of(record)
        if shim is None:
            raise LookupError("process.json names no process")
        with self.lock:
            self.pidfd = _watched(shim)
            self.started_at = record.get("started_at") or record.get("claimed_at")
            self.shim = shim
        if self.stop_asked:
            self.signal(signal.SIGTERM)

    def is_alive(self) -> bool:
        """Return True where the shim is known, and has not ended."""
        return self.shim is not None and is_alive(self.shim)

    def signal(self, number: signal.Signals) -> None:
        """Signal the shim, and never another process that has its pid."""
        with self.lock:
            try:
                if self.pidfd is not None:
                    signal.pidfd_send_signal(self.pidfd, number)
                elif self.shim is not None and is_alive(self.shim):
                    os.kill(self.shim.pid, number)
            except ProcessLookupError:
                return

    def is_late(self) -> bool:
        """Return True where it was asked to stop, and should have ended by now."""
        return self.stop_deadline is not None and time.monotonic() > self.stop_deadline

    def detach(self) -> None:
        """Watch no more."""
        with self.lock:
            if self.pidfd is not None:
                os.close(self.pidfd)
                self.pidfd = None


def _watched(shim: Identity) -> int | None:
    """Return a descriptor that turns readable when the shim ends; None where it has ended, or there are no such."""
    if sys.platform != "linux":
        return None
    try:
        descriptor = os.pidfd_open(shim.pid)
    except ProcessLookupError:
        return None
    # Looked at after the descriptor was taken: from here on the pid cannot become another process unseen.
    if is_alive(shim):
        return descriptor
    os.close(descriptor)
    return None
