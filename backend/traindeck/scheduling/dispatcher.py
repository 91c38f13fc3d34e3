"""Start what can start, and handle what executors report, in one thread.

The loop sleeps until there is work: a submit or a cancel wakes it, as do a finished step and the descriptors of the
executor. At its start it adopts the attempts that an earlier server left. Work that may take long, or fail, for one
attempt is a step (see steps.py), so the loop waits for none.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from select import POLLIN, poll
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.engine import is_temporary
from traindeck.db.tables import Attempt, Run
from traindeck.errors import HomeGone
from traindeck.executors.protocol import Dropped, Handle, Started, Starting
from traindeck.runs.queue import waits
from traindeck.runs.status import ACTIVE
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.claims import Claims
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.slots import Hold
from traindeck.scheduling.steps import Done, Step, Steps, in_thread

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.05
"""How often to ask for an attempt that is being started: what wakes the loop may be lost."""
IDLE_SECONDS = 30.0
ERROR_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
"""Between two tries of a step that fails again and again."""
ADOPTION_SECONDS = 10.0
"""How long the start of the server waits for what became of the attempts that an earlier one left."""
REPORTS = "hearing the executor"
CLOSE_SECONDS = 5.0
"""How long the end of the server waits for the steps that are at work."""


def find_left(attempts: Attempts) -> None:
    """Have every active run among the live attempts, with its slots; what became of each is examined by a step."""
    with attempts.database.read() as session:
        for seconds in waits(session):
            attempts.backoffs.begin(seconds)
        active = select(col(Run.id), col(Run.attempt), col(Run.cpus)).where(col(Run.status).in_(ACTIVE))
        for run_id, number, cpus in session.execute(active).all():
            live = _left(session, attempts, run_id, number, cpus)
            attempts.live[run_id] = live
            attempts.slots.hold(run_id, live.hold)


def _left(session: Session, attempts: Attempts, run_id: int, number: int, cpus: int) -> LiveAttempt:
    same = (col(Attempt.run_id) == run_id, col(Attempt.number) == number)

    def value(column: Any) -> Any:
        """Return the value of a column; None if the row is gone or cannot be read: the other columns still count."""
        try:
            return session.execute(select(col(column)).where(*same)).scalar()
        except (ValueError, TypeError):
            logger.exception("run=%d attempt=%d its row cannot be read", run_id, number)
            return None

    executor, content = value(Attempt.executor), value(Attempt.handle)
    node, gpus = value(Attempt.node), value(Attempt.gpus)
    handle = Handle(run_id, number, executor or attempts.executor.name, content if isinstance(content, dict) else {})
    held = tuple(index for index in gpus or () if isinstance(index, int))
    home = attempts.executor.capacity()[0].name
    return LiveAttempt(handle, Hold(node or home, cpus, held), stage=Stage.LEFT)


class Dispatcher:
    """Starts, watches and stops attempts. `begin_work` carries out the steps, by default each in a thread."""

    def __init__(
        self,
        attempts: Attempts,
        begin_work: Callable[[str, Callable[[], None]], threading.Thread | None] = in_thread,
    ) -> None:
        self.attempts = attempts
        self.executor = attempts.executor
        self._claims = Claims(attempts)
        self.steps = Steps(self.wake, attempts.mark, begin_work)
        self._start = Step("start", attempts.start, attempts.fail_start)
        self._record = Step("recording the start", attempts.record_start, attempts.record_start_anyhow)
        self._progress = Step("recording progress", attempts.record_progress, attempts.mark)
        self._settle = Step("settling", attempts.settle, attempts.settle_anyhow)
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
        self.adopt()
        self.executor.open()
        self._thread.start()

    def adopt(self) -> None:
        """Take over what an earlier server left; what takes longer than a while is taken over by the loop."""
        find_left(self.attempts)
        with self._ask:
            self._to_stop.update(self.attempts.stopping())
        deadline = time.monotonic() + ADOPTION_SECONDS
        while any(self._is_unsettled(live) for live in self.attempts.live.values()) and time.monotonic() < deadline:
            self._advance_all()
            self._wait_for([], LOOK_SECONDS)

    def close(self) -> None:
        """Stop the loop. Runs go on; the next server adopts them."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self.executor.close()
        self.steps.join(CLOSE_SECONDS)

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
        self._advance_all()
        self._guarded("stopping", self._stop_what_was_asked)
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
        # The process of an attempt that has to pause may have ended, and be readable: to watch it would be to spin.
        handles = [live.handle for live in self._heard()]
        self._wait_for([] if self._is_paused(REPORTS) else self.executor.descriptors(handles), seconds)

    def _wait_for(self, descriptors: Iterable[int], seconds: float) -> None:
        poller = poll()
        for descriptor in (self._wake_reading, *descriptors):
            poller.register(descriptor, POLLIN)
        poller.poll(seconds * 1000)
        try:
            os.read(self._wake_reading, 65_536)
        except BlockingIOError:
            return

    def _patience(self) -> float:
        now, lives = self.attempts.clock(), list(self.attempts.live.values())
        if any(live.started is None for live in self._heard()):
            return LOOK_SECONDS
        idle = 1.0 if lives or not self.executor.warm else IDLE_SECONDS
        pauses = [*self._paused_until.values(), *(live.retry_at for live in lives)]
        idle = min([idle, *(until - now for until in pauses if until > now)])
        return self.attempts.backoffs.seconds_until_next(idle)

    def _heard(self) -> list[LiveAttempt]:
        """Return the attempts of which a report would be taken up now."""
        lives = list(self.attempts.live.values())
        return [live for live in lives if live.stage is Stage.HANDED and self._may_step(live)]

    def _may_step(self, live: LiveAttempt) -> bool:
        return not live.busy and self.attempts.clock() >= live.retry_at

    def _is_unsettled(self, live: LiveAttempt) -> bool:
        """Return True while it is unknown whether an attempt that was left runs on, unless finding out must wait."""
        goes_on = live.start_recorded and isinstance(live.report, Started)
        return live.busy or (self._may_step(live) and not (goes_on or live.failures))

    def _hear(self) -> None:
        heard = {live.handle: live for live in self._heard() if self.attempts.is_ours(live)}
        for live in heard.values():
            live.report = None
        for handle, report in self.executor.poll(heard):
            heard[handle].report = report
            if isinstance(report, Started):
                heard[handle].started = heard[handle].started or report

    def _advance_all(self) -> None:
        for done in self.steps.finished():
            self._take(done)
        self._guarded(REPORTS, self._hear)
        for live in list(self.attempts.live.values()):
            step = self._due(live) if self._may_step(live) else None
            if step is not None:
                self.steps.begin(live, step)

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
        live.retry_at = self.attempts.clock() + min(ERROR_SECONDS * longer, LONGEST_PAUSE_SECONDS)

    def _due(self, live: LiveAttempt) -> Step | None:
        """Return the next step of an attempt, if one is due."""
        if live.stage is Stage.LEFT:
            return self._settle
        if live.stage is Stage.CLAIMED or isinstance(live.report, Dropped):
            return self._start
        if live.started is not None and not live.start_recorded:
            return self._record
        if isinstance(live.report, Starting):
            return self._progress if live.report.text != live.trouble else None
        goes_on = live.report is None or (isinstance(live.report, Started) and not live.unknown)
        return None if goes_on else self._settle

    def _start_next(self) -> None:
        while (live := self._claims.claim_next()) is not None:
            self.steps.begin(live, self._start)

    def _stop_what_was_asked(self) -> None:
        with self._ask:
            asked, self._to_stop = self._to_stop, set()
        for run_id in asked:
            live = self.attempts.live.get(run_id)
            if live is not None and not self._has_asked_to_stop(live):
                with self._ask:
                    self._to_stop.add(run_id)

    def _has_asked_to_stop(self, live: LiveAttempt) -> bool:
        """Ask the executor to stop an attempt; False where that has to be done later, or again."""
        if live.stage is not Stage.HANDED or self.attempts.clock() < live.stop_at or not self.attempts.is_ours(live):
            return False
        try:
            self.executor.stop(live.handle, self.attempts.grace_seconds)
        except Exception as error:
            live.stop_at = self.attempts.clock() + ERROR_SECONDS
            self._failed(live, self._stop, error)
            return False
        return True

    def _failed(self, live: LiveAttempt, step: Step, error: Exception) -> None:
        """Mark the run of an attempt for which the loop itself failed to do something, unless that may pass."""
        if is_temporary(error):
            logger.warning("run=%d attempt=%d %s has to wait: %s", live.run_id, live.number, step.name, error)
            return
        logger.error("run=%d attempt=%d %s failed", live.run_id, live.number, step.name, exc_info=error)
        if not live.busy:
            self.steps.begin_otherwise(live, step, error)

    def _guarded(self, what: str, work: Callable[[], None]) -> None:
        """Do something that is no attempt's own; where it fails, the rest goes on, and it has to pause."""
        if self._is_paused(what):
            return
        try:
            work()
        except Exception as error:
            self._paused_until[what] = self.attempts.clock() + ERROR_SECONDS
            if is_temporary(error):
                logger.warning("%s has to wait: %s", what, error)
            else:
                logger.exception("%s failed, trying again in a second", what)

    def _is_paused(self, what: str) -> bool:
        return self.attempts.clock() < self._paused_until.get(what, 0.0)

    def _mark_stop(self, live: LiveAttempt, reason: str) -> bool:
        return self.attempts.mark(live, f"stopping it failed, and is tried again: {reason}")
