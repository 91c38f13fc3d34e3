"""The loop that starts what can start, and takes note of what has ended.

One thread runs it. It sleeps until there is something to do: a submit or a cancel wakes it, the forkserver's
messages do, a step that has come to its end does, and the end of a shim does (a pidfd turns readable). What may take
long, or fail, for one attempt is a step (see steps.py): the loop waits for none.
"""

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable

from traindeck.db.engine import is_temporary
from traindeck.errors import HomeGone
from traindeck.runner.record import read_record
from traindeck.scheduling.adoption import Adoption
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.launcher import Launcher
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.steps import Done, Step, Steps

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
"""How often to look for process.json while an attempt is being started: its message may be lost."""
IDLE_SECONDS = 30.0
ERROR_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
"""Between two tries of a step that fails again and again."""
START_TIMEOUT_SECONDS = 120.0
"""From the claim to a process. The first start after the deck's waits for `import torch`, slow from a cold disk."""
STOP_MARGIN_SECONDS = 15.0
"""What a shim has, beyond the grace, to end everything; then it is ended itself."""
ADOPTION_SECONDS = 10.0
"""How long the start of the server waits for what became of the attempts that an earlier one left."""
MESSAGES = "the forkserver's messages"
CLOSE_SECONDS = 5.0
"""How long the end of the server waits for the steps that are at work."""


class Dispatcher:
    """Starts, watches and stops attempts."""

    def __init__(self, attempts: Attempts, launcher: Launcher) -> None:
        self.attempts = attempts
        self.launcher = launcher
        self.steps = Steps(self.wake, attempts.mark)
        self._adoption = Adoption(attempts)
        self._order = Step("order", attempts.write_order, attempts.fail_order)
        self._launch = Step("launch", None, attempts.fail_launch)
        self._give_up = Step("giving up", self._never_started, self._mark_giving_up)
        self._start = Step("start", attempts.record_start, attempts.record_start_anyhow)
        self._end = Step("end", attempts.record_end, attempts.record_end_anyhow)
        self._look_after = Step("orphan", attempts.look_after, attempts.record_end_anyhow)
        self._stop = Step("stop", None, self._mark_stop)
        self._to_stop: set[int] = set()
        self._ask = threading.Lock()
        self._paused_until: dict[str, float] = {}
        self._wake_reading, self._wake_writing = os.pipe()
        os.set_blocking(self._wake_reading, False)
        os.set_blocking(self._wake_writing, False)
        self._closing = False
        self._home_is_gone = False
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Take over what an earlier server left, and begin."""
        self._adoption.find_all()
        with self._ask:
            self._to_stop.update(self.attempts.stopping())
        deadline = time.monotonic() + ADOPTION_SECONDS
        while any(self._is_unsettled(live) for live in self.attempts.live.values()) and time.monotonic() < deadline:
            self._advance_all()
            self._wait_for([], LOOK_SECONDS)
        self.launcher.warm_up()
        self._thread.start()

    def close(self) -> None:
        """Stop the loop. Runs go on; the next server adopts them."""
        self._closing = True
        self.attempts.closing.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self.steps.join(CLOSE_SECONDS)
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
        self._guarded(MESSAGES, self._hear_forkserver)
        self._advance_all()
        self._guarded("stopping", self._stop_what_was_asked)
        self._enforce_deadlines()
        self._guarded("the launcher", self._tend_launcher)
        self._guarded("claiming", self._start_next)

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
                logger.exception("dispatch failed, trying again in a second")
                self._wait_for([], ERROR_SECONDS)

    def _wait(self, seconds: float) -> None:
        now = time.monotonic()
        lives = self.attempts.live.values()
        # The shim of an attempt that has to pause stays readable: to watch it would be to spin.
        shims = [live.pidfd for live in lives if live.start_recorded and not live.busy and live.retry_at <= now]
        heard = None if self._is_paused(MESSAGES) else self.launcher.forkserver.fileno()
        self._wait_for([heard, *shims], seconds)

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
        now, lives = time.monotonic(), list(self.attempts.live.values())
        if any(self._must_be_looked_at(live) for live in lives):
            return LOOK_SECONDS
        idle = 1.0 if lives or self.launcher.forkserver.fileno() is None else IDLE_SECONDS
        pauses = [*self._paused_until.values(), *(live.retry_at for live in lives)]
        idle = min([idle, *(until - now for until in pauses if until > now)])
        return self.attempts.backoffs.seconds_until_next(idle)

    def _must_be_looked_at(self, live: LiveAttempt) -> bool:
        waits = live.busy or live.retry_at > time.monotonic()
        return not waits and (live.stage is Stage.ORDERED or (live.stage is Stage.FOUND and live.pidfd is None))

    def _is_unsettled(self, live: LiveAttempt) -> bool:
        """True while it is not known of an attempt that was left whether it goes on, unless finding out must wait."""
        goes_on = live.start_recorded and (live.stage is Stage.ORPHANED or live.has_shim())
        return live.busy or not (goes_on or live.failures)

    def _advance_all(self) -> None:
        for done in self.steps.finished():
            self._take(done)
        for live in list(self.attempts.live.values()):
            if live.busy or time.monotonic() < live.retry_at:
                continue
            try:
                self._advance(live)
            except Exception as error:
                if is_temporary(error):
                    self._pause(live, error)
                self._failed(live, self._launch, error)

    def _take(self, done: Done) -> None:
        if done.over:
            self.attempts.forget(done.live)
        elif done.error is not None and done.step is not self._stop:
            self._pause(done.live, done.error)
        else:
            done.live.failures = 0

    def _pause(self, live: LiveAttempt, error: Exception) -> None:
        live.failures += 1
        longer = 1 if is_temporary(error) else 2 ** min(live.failures - 1, 10)
        live.retry_at = time.monotonic() + min(ERROR_SECONDS * longer, LONGEST_PAUSE_SECONDS)

    def _failed(self, live: LiveAttempt, step: Step, error: Exception) -> None:
        """What the loop itself does for an attempt has failed: have the run marked, unless that may pass."""
        if is_temporary(error):
            logger.warning("run=%d attempt=%d %s has to wait: %s", live.run_id, live.number, step.name, error)
            return
        logger.error("run=%d attempt=%d %s failed", live.run_id, live.number, step.name, exc_info=error)
        if not live.busy:
            self.steps.begin_otherwise(live, step, error)

    def _advance(self, live: LiveAttempt) -> None:
        """Begin the next step of an attempt, if one is due."""
        if live.stage is Stage.LEFT:
            self.steps.begin(live, self._adoption.step)
        elif live.stage is Stage.CLAIMED:
            self.steps.begin(live, self._order)
        elif live.stage is Stage.ORDERED:
            self._look_for_process(live)
        elif not live.start_recorded:
            self.steps.begin(live, self._start)
        elif live.stage is Stage.ORPHANED:
            self.steps.begin(live, self._look_after)
        elif not live.has_shim():
            self.steps.begin(live, self._end)

    def _look_for_process(self, live: LiveAttempt) -> None:
        record = read_record(live.files.folder)
        if record is not None:
            # Without the trainer the shim is just about to fork it, or has died trying: its pidfd tells which.
            live.find(record)
            self.steps.begin(live, self._start)
        elif time.monotonic() - live.claimed_at > START_TIMEOUT_SECONDS:
            self.steps.begin(live, self._give_up)
        elif not self.launcher.still_has(live.asked) and live.files.order.exists():
            live.asked = self.launcher.launch(live.files.order)

    def _start_next(self) -> None:
        while (live := self.attempts.claim()) is not None:
            self.steps.begin(live, self._order)

    def _hear_forkserver(self) -> None:
        for message in self.launcher.forkserver.messages():
            logger.debug("forkserver says %s", message)

    def _tend_launcher(self) -> None:
        self.launcher.reap()
        self.launcher.warm_up()

    def _stop_what_was_asked(self) -> None:
        with self._ask:
            asked, self._to_stop = self._to_stop, set()
        for run_id in asked:
            live = self.attempts.live.get(run_id)
            if live is None:
                continue
            if live.stage not in (Stage.FOUND, Stage.ORPHANED) or time.monotonic() < live.signal_at:
                self._stop_later(run_id)
                continue
            if self._signal(live, signal.SIGTERM):
                live.stop_asked = True
                live.stop_deadline = time.monotonic() + self.attempts.grace_seconds + STOP_MARGIN_SECONDS
            else:
                self._stop_later(run_id)

    def _stop_later(self, run_id: int) -> None:
        with self._ask:
            self._to_stop.add(run_id)

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for live in list(self.attempts.live.values()):
            due = live.stop_deadline is not None and now > max(live.stop_deadline, live.signal_at)
            if due and live.stage is Stage.FOUND and self._signal(live, signal.SIGKILL):
                live.stop_deadline = None

    def _signal(self, live: LiveAttempt, number: signal.Signals) -> bool:
        """Signal the shim; False where that failed, and has to be done again later."""
        try:
            live.signal_shim(number)
        except Exception as error:
            live.signal_at = time.monotonic() + ERROR_SECONDS
            self._failed(live, self._stop, error)
            return False
        return True

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """Do something that is no attempt's own; where it fails, the rest goes on, and it has to pause."""
        if self._is_paused(what):
            return
        try:
            work()
        except Exception as error:
            self._paused_until[what] = time.monotonic() + ERROR_SECONDS
            if is_temporary(error):
                logger.warning("%s has to wait: %s", what, error)
            else:
                logger.exception("%s failed, trying again in a second", what)

    def _is_paused(self, what: str) -> bool:
        return time.monotonic() < self._paused_until.get(what, 0.0)

    def _never_started(self, live: LiveAttempt) -> bool:
        return self.attempts.give_up(live, f"no process came up within {START_TIMEOUT_SECONDS:.0f} s")

    def _mark_giving_up(self, live: LiveAttempt, reason: str) -> bool:
        return self.attempts.mark(live, f"no process came up, and giving it up failed: {reason}")

    def _mark_stop(self, live: LiveAttempt, reason: str) -> bool:
        return self.attempts.mark(live, f"stopping it failed, and is tried again: {reason}")
