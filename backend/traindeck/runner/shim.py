"""The small parent of one attempt.

It starts the user's code, waits for it, stops it on SIGTERM, ends what it leaves behind, and writes
down how it ended. It outlives the server.

A forkserver forks it. Where there is none, as fork is not safe or a run needs a fresh Python, it is a program:

    python -m traindeck.runner.shim ORDER
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from pathlib import Path

from traindeck.runner import child, prctl
from traindeck.runner.claim import claim_attempt, record_trainer
from traindeck.runner.ending import Ending, oom_kills, write_exit
from traindeck.runner.identity import descendants, identify, signal_all
from traindeck.runner.order import Order, read_order, start_of
from traindeck.runner.unseen import unseen
from traindeck.runner.variables import restore_open_files
from traindeck.runner.wakeups import Wakeups

LEFTOVER_GRACE_SECONDS = 1.0
"""Between TERM and KILL for what a process leaves behind when it was not stopped."""
POLL_SECONDS = 0.05
HERE = Path()
"""The folder of the attempt: the shim works in it."""


@unseen
def supervise(order_path: Path, server: socket.socket | None) -> int:
    """Run one attempt from start to end; the exit status of the shim, 0 unless it could not do its work.

    The attempt is claimed first: where another has it (a second shim, or a server that has given it up),
    nothing is started.
    """
    order = read_order(order_path)
    os.setsid()
    prctl.adopt_orphans()
    prctl.set_name(f"traindeck-{order.run_id}")
    # The objects of a warm parent are shared memory until something, such as the collector, writes to them.
    gc.disable()
    start = start_of(order, warm=server is not None)
    # What the shim writes is the deck's; the trainer gets back what the shell of the user had.
    order_umask = os.umask(0o077)
    if not claim_attempt(order.path, identify(), start):
        return 0
    # From inside, the exit record is written where the run is, though the home is renamed meanwhile.
    os.chdir(order.path)
    _Shim(order, server, start, order_umask).run()
    return 0


class _Shim:
    def __init__(self, order: Order, server: socket.socket | None, start: str, umask: int) -> None:
        self.order = order
        self.start = start
        self.server = server
        self.umask = umask
        self.wakeups = Wakeups()
        self.trainer = 0
        self.stop_asked = False
        self.killed = False
        self.ending = False
        self.orphan_killed = False
        self.kill_at: float | None = None
        self.term_all_at: float | None = None

    @unseen
    def run(self) -> None:
        kills_before = oom_kills()
        started = time.monotonic()
        self.trainer = _fork_trainer(self.order, self.server, self.start, self.umask)
        self._report_start()
        wait_status = self._wait()
        seconds = time.monotonic() - started
        finished_at = time.time()
        self._end_leftovers()
        log = HERE / self.order.log.name
        ending = Ending.of(
            wait_status,
            finished_at=finished_at,
            seconds=seconds,
            stop_asked=self.stop_asked,
            killed=self.killed,
            out_of_memory=oom_kills().explain(
                kills_before,
                code=os.waitstatus_to_exitcode(wait_status),
                child_killed=self.orphan_killed,
                log=log,
            ),
            log=log,
        )
        write_exit(HERE, ending)

    def _report_start(self) -> None:
        record_trainer(HERE, self.trainer)
        if self.server is None:
            return
        message = f'{{"started": {self.order.run_id}, "attempt": {self.order.attempt}}}'.encode()
        # Where the server is gone, or busy beyond measure, this fails: it reads process.json as well.
        with contextlib.suppress(OSError):
            self.server.send(message, socket.MSG_DONTWAIT)
        self.server.close()

    def _wait(self) -> int:
        """Return the wait status of the trainer; meanwhile orphans are reaped and a stop is carried out."""
        while True:
            if self.wakeups.wait(self._seconds_to_next_step()) - {signal.SIGCHLD}:
                self._begin_stop()
            status = self._reap()
            if status is not None:
                return status
            self._escalate()

    def _reap(self) -> int | None:
        found = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if pid == 0:
                return found
            if pid == self.trainer:
                found = status
            elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and not self.ending:
                self.orphan_killed = True

    def _begin_stop(self) -> None:
        if self.stop_asked:
            return
        self.stop_asked = True
        now = time.monotonic()
        self.kill_at = now + self.order.grace_seconds
        # The main process first: one that saves on TERM often needs its workers for that.
        self.term_all_at = now + self.order.grace_seconds / 2
        signal_all([self.trainer], signal.SIGTERM)

    def _escalate(self) -> None:
        now = time.monotonic()
        if self.term_all_at is not None and now >= self.term_all_at:
            self.term_all_at = None
            signal_all(descendants(os.getpid()), signal.SIGTERM)
        if self.kill_at is not None and now >= self.kill_at:
            self.killed = self.ending = True
            signal_all(descendants(os.getpid()), signal.SIGKILL)
            self.kill_at = now + POLL_SECONDS

    def _seconds_to_next_step(self) -> float | None:
        steps = [at for at in (self.term_all_at, self.kill_at) if at is not None]
        return max(min(steps) - time.monotonic(), 0.0) if steps else None

    def _end_leftovers(self) -> None:
        """End what outlived the trainer: TERM, a moment, KILL until nothing is alive."""
        self.ending = True
        kill_at = time.monotonic() + LEFTOVER_GRACE_SECONDS
        number = signal.SIGTERM
        while left := descendants(os.getpid()):
            if time.monotonic() >= kill_at:
                number = signal.SIGKILL
            signal_all(left, number)
            self.wakeups.wait(POLL_SECONDS)
            self._reap()


@unseen
def _fork_trainer(order: Order, server: socket.socket | None, start: str, umask: int) -> int:
    pid = os.fork()
    if pid == 0:
        if server is not None:
            server.close()
        child.become_trainer(order, start, umask)
    return pid


if __name__ == "__main__":
    restore_open_files()
    sys.exit(supervise(Path(sys.argv[1]), None))
