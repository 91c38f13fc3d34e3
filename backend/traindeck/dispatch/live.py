"""Attempts that have a process, or are about to."""

import os
import signal
import sys
import time
from dataclasses import dataclass, field

from traindeck.runner.identity import Identity, is_alive
from traindeck.runs.files import AttemptFiles


@dataclass(slots=True)
class LiveAttempt:
    """One attempt between its claim and its end. Times are of the monotonic clock, in seconds."""

    run_id: int
    number: int
    mark: str
    files: AttemptFiles
    shim: Identity | None = None
    pidfd: int | None = None
    asked: int | None = None
    claimed_at: float = field(default_factory=time.monotonic)
    stop_deadline: float | None = None

    def attach(self, shim: Identity) -> bool:
        """Watch the shim from now on; False where it has ended already."""
        self.shim = shim
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
