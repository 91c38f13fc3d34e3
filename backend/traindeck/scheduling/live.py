"""Attempts that have a process, or are about to."""

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from traindeck.db.tables import Run
from traindeck.runner.identity import Identity, is_alive
from traindeck.runner.record import shim_of
from traindeck.runs.files import AttemptFiles
from traindeck.scheduling.slots import Hold

NO_HOLD = Hold(0, ())


class Stage(Enum):
    """What the dispatcher knows of an attempt."""

    LEFT = auto()
    """An earlier server left it; what became of it has not been looked at yet."""
    CLAIMED = auto()
    """Its order has to be written."""
    ORDERED = auto()
    """A process may be asked for, or may exist."""
    FOUND = auto()
    """Its shim is known, alive or not."""
    ORPHANED = auto()
    """It had a shim that nobody can name: its processes are known by their mark alone."""


@dataclass(slots=True, eq=False)
class LiveAttempt:
    """One attempt between its claim and its end. Times are of the monotonic clock, in seconds.

    Attributes:
        busy: A step of it is at work in a thread of its own, which alone changes what follows below `stop_deadline`.
        signal_at: It is not signalled before.
        retry_at: No step of it begins before.
        failures: How many steps have failed since the last one that did not.
        claimed: The run as it was claimed, for its order.
        retry_seconds: The back-off of the retry that its end has queued.
    """

    run_id: int
    number: int
    mark: str
    files: AttemptFiles
    shim: Identity | None = None
    pidfd: int | None = None
    asked: int | None = None
    claimed_at: float = field(default_factory=time.monotonic)
    busy: bool = False
    failures: int = 0
    stop_asked: bool = False
    stop_deadline: float | None = None
    signal_at: float = 0.0
    retry_at: float = 0.0
    stage: Stage = Stage.CLAIMED
    claimed: Run | None = None
    hold: Hold = NO_HOLD
    record: dict[str, Any] = field(default_factory=dict)
    same_boot: bool = True
    watched: bool = False
    announced: bool = False
    start_recorded: bool = False
    retry_seconds: float | None = None

    def find(self, record: dict[str, Any]) -> None:
        """Take note of the shim that process.json names; afterwards `has_shim` says whether it is alive.

        Raises:
            Exception: the record names no shim that can be understood.
        """
        shim = shim_of(record)
        if shim is None:
            raise LookupError("process.json names no process")
        self.attach(shim)
        self.record, self.stage = record, Stage.FOUND

    def attach(self, shim: Identity) -> bool:
        """Watch the shim from now on; False where it has ended already."""
        self.shim = shim
        self.detach()
        if sys.platform == "linux":
            try:
                self.pidfd = os.pidfd_open(shim.pid)
            except ProcessLookupError:
                return False
        # Looked at after the descriptor was taken: from here on the pid cannot become another process unseen.
        if is_alive(shim):
            return True
        self.detach()
        return False

    def detach(self) -> None:
        """Watch no more."""
        if self.pidfd is not None:
            os.close(self.pidfd)
            self.pidfd = None

    def has_shim(self) -> bool:
        """True where the shim is known, and alive when last looked at."""
        return self.shim is not None and is_alive(self.shim)

    def signal_shim(self, number: signal.Signals) -> None:
        """Signal the shim, and never another process that has its pid."""
        try:
            if self.pidfd is not None:
                signal.pidfd_send_signal(self.pidfd, number)
            elif self.has_shim() and self.shim is not None:
                os.kill(self.shim.pid, number)
        except ProcessLookupError:
            return
