"""The loop that starts what can start, and takes note of what has ended.

One thread runs it. It sleeps until there is something to do: a submit or a cancel wakes it, the forkserver's
messages do, and the end of a shim does (a pidfd turns readable).
"""

import logging
import os
import select
import signal
import threading
import time

from traindeck.dispatch.adoption import Adoption
from traindeck.dispatch.attempts import Attempts
from traindeck.dispatch.launcher import Launcher
from traindeck.dispatch.live import LiveAttempt
from traindeck.errors import HomeGone
from traindeck.runner.record import give_up_attempt, read_record, shim_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often to look for process.json while an attempt is being started: its message may be lost."""
IDLE_SECONDS = 30.0
ERROR_SECONDS = 1.0
START_TIMEOUT_SECONDS = 120.0
"""From the claim to a process. The first start after the deck's waits for `import torch`, slow from a cold disk."""
STOP_MARGIN_SECONDS = 15.0
"""What a shim has, beyond the grace, to end everything; then it is ended itself."""


class Dispatcher:
    """Starts, watches and stops attempts."""

    def __init__(self, attempts: Attempts, launcher: Launcher) -> None:
        self.attempts = attempts
        self.launcher = launcher
        self._to_stop: set[int] = set()
        self._ask = threading.Lock()
        self._wake_reading, self._wake_writing = os.pipe()
        os.set_blocking(self._wake_reading, False)
        os.set_blocking(self._wake_writing, False)
        self._closing = False
        self._home_is_gone = False
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Take over what an earlier server left, and begin."""
        Adoption(self.attempts).adopt_all()
        with self._ask:
            self._to_stop.update(self.attempts.stopping())
        self.launcher.warm_up()
        self._thread.start()

    def close(self) -> None:
        """Stop the loop. Runs go on; the next server adopts them."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self.launcher.close()
        for live in self.attempts.live.values():
            live.detach()

    def wake(self) -> None:
        """Have the loop look at the queue; from any thread."""
        try:
            os.write(self._wake_writing, b"w")
        except BlockingIOError:
            return  # A full pipe is awake already.

    def stop_run(self, run_id: int) -> None:
        """Have the process of a run ended; its status says `stopping` already."""
        with self._ask:
            self._to_stop.add(run_id)
        self.wake()

    def tick(self, seconds: float | None = None) -> None:
        """Wait for something to do, for at most `seconds`, and do it."""
        self._wait(self._patience() if seconds is None else seconds)
        # Without the home no exit record can be read: every attempt that ends now would be called lost.
        self.attempts.database.check()
        self._home_is_gone = False
        for message in self.launcher.forkserver.messages():
            logger.debug("forkserver says %s", message)
        self._note_starts()
        self._note_ends()
        self._stop_what_was_asked()
        self._enforce_deadlines()
        self.launcher.reap()
        self.launcher.warm_up()
        self.attempts.ask_again(self.launcher)
        self.attempts.start_next(self.launcher)

    def _loop(self) -> None:
        while not self._closing:
            try:
                self.tick()
            except HomeGone as error:
                if not self._home_is_gone:
                    logger.error("dispatch waits: %s", error)
                self._home_is_gone = True
                self._wait_for([], ERROR_SECONDS)
            except Exception:
                # A locked or full database, or a vanished home: what is due stays due, and is tried again.
                logger.exception("dispatch failed, trying again in a second")
                # Of the wake pipe alone: the shim that could not be taken note of stays readable.
                self._wait_for([], ERROR_SECONDS)

    def _wait(self, seconds: float) -> None:
        shims = [live.pidfd for live in self.attempts.live.values()]
        self._wait_for([self.launcher.forkserver.fileno(), *shims], seconds)

    def _wait_for(self, descriptors: list[int | None], seconds: float) -> None:
        watched = [self._wake_reading, *descriptors]
        poll = select.poll()
        for descriptor in watched:
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
        poll.poll(seconds * 1000)
        try:
            os.read(self._wake_reading, 65_536)
        except BlockingIOError:
            return

    def _patience(self) -> float:
        lives = self.attempts.live.values()
        if any(live.shim is None or live.pidfd is None for live in lives):
            return LOOK_SECONDS
        idle = 1.0 if lives or self.launcher.forkserver.fileno() is None else IDLE_SECONDS
        return self.attempts.backoffs.seconds_until_next(idle)

    def _note_starts(self) -> None:
        for live in [live for live in self.attempts.live.values() if live.shim is None]:
            record = read_record(live.files.folder)
            # Without the trainer the shim is just about to fork it, or has died trying: its pidfd tells which.
            if record is None:
                continue
            shim = shim_of(record)
            if shim is None or not live.attach(shim):
                self.attempts.started(live, record)
                self.attempts.ended(live)
            else:
                self.attempts.started(live, record)

    def _note_ends(self) -> None:
        for live in [live for live in self.attempts.live.values() if live.shim is not None]:
            if not live.has_shim():
                self.attempts.ended(live)

    def _stop_what_was_asked(self) -> None:
        with self._ask:
            asked, self._to_stop = self._to_stop, set()
        for run_id in asked:
            live = self.attempts.live.get(run_id)
            if live is None:
                continue
            if live.shim is None:
                with self._ask:
                    self._to_stop.add(run_id)
                continue
            live.signal_shim(signal.SIGTERM)
            live.stop_deadline = time.monotonic() + self.attempts.grace_seconds + STOP_MARGIN_SECONDS

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for live in list(self.attempts.live.values()):
            if live.stop_deadline is not None and now > live.stop_deadline:
                live.stop_deadline = None
                live.signal_shim(signal.SIGKILL)
            if live.shim is None and now - live.claimed_at > START_TIMEOUT_SECONDS:
                self._give_up(live)

    def _give_up(self, live: LiveAttempt) -> None:
        if give_up_attempt(live.files.folder):
            self.attempts.never_started(live, f"no process came up within {START_TIMEOUT_SECONDS:.0f} s")
