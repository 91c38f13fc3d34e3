"""Write to the database what happens to attempts: claimed, started, ended, and what an end means for the run.

Public functions that take a `LiveAttempt` are steps, or the `otherwise` of a step (see steps.py): each runs in a thread
of its own, and returns True when the attempt is over. All others are for the dispatcher's thread alone.
"""

import heapq
import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from traindeck.db.engine import Database, is_temporary
from traindeck.db.tables import Attempt, Run
from traindeck.executors.protocol import (
    Dropped,
    Ended,
    Ending,
    Executor,
    Handle,
    Lost,
    NotStarted,
    Report,
    Started,
    Starting,
    Unknown,
)
from traindeck.runs import transitions
from traindeck.runs.backoff import wait_seconds
from traindeck.runs.checkpoints import keep_checkpoints
from traindeck.runs.downloaded_sets import has_downloads, share_downloads
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import find_run
from traindeck.runs.status import Status
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.observer import Observer
from traindeck.scheduling.orders import make_order
from traindeck.scheduling.slots import Slots
from traindeck.sources.snapshot import Snapshots

MARGIN_SECONDS = 0.05
"""The wall clock, by which a run knows that its wait is over, may run a little behind the monotonic one."""
logger = logging.getLogger(__name__)
UNKNOWN_SECONDS = 1.0
"""How often an attempt is examined of which the executor does not know what became of it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A final status, and why."""

    status: Status
    reason: str | None


def outcome_of(report: Ended | Lost, *, stopping: bool) -> Outcome:
    """Return the outcome of an attempt that is over. `stopping`: the user has asked for it to be stopped."""
    if isinstance(report, Ended):
        return _outcome_of_ending(report.ending, stopping=stopping)
    if stopping and not report.with_node:
        return Outcome(Status.CANCELLED, "stopped by the user; its process was killed")
    return Outcome(Status.LOST, report.reason)


def _outcome_of_ending(ending: Ending, *, stopping: bool) -> Outcome:
    if stopping or ending.stop_asked:
        by = "stopped by the user" if stopping else "stopped by a signal from outside"
        return Outcome(Status.CANCELLED, f"{by}, killed after its grace" if ending.killed else by)
    if ending.signal is not None:
        return Outcome(Status.FAILED, _killed(ending))
    if ending.exit_code:
        detail = f": {ending.last_line}" if ending.last_line else ""
        memory = "out of memory: the kernel killed a process meanwhile; " if ending.out_of_memory else ""
        return Outcome(Status.FAILED, f"{memory}exit code {ending.exit_code}{detail}")
    return Outcome(Status.COMPLETED, None)


def _killed(ending: Ending) -> str:
    assert ending.signal is not None
    if ending.out_of_memory:
        return f"out of memory: killed by signal {ending.signal} ({signal.Signals(ending.signal).name})"
    try:
        name = f" ({signal.Signals(ending.signal).name})"
    except ValueError:
        name = ""
    return f"killed by signal {ending.signal}{name}"


class Backoffs:
    """The ends of waits that have begun, on a monotonic clock. For the dispatcher's thread alone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends: list[float] = []

    def begin(self, seconds: float) -> None:
        """Begin a wait of so many seconds."""
        heapq.heappush(self._ends, self._clock() + seconds + MARGIN_SECONDS)

    def seconds_until_next(self, at_most: float) -> float:
        """Return how long it is until the next one ends; those that have ended are forgotten."""
        now = self._clock()
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        return min(at_most, self._ends[0] - now) if self._ends else at_most


class Attempts:
    """The attempts that are alive, and every step that one can take."""

    def __init__(
        self,
        database: Database,
        files: DeckFiles,
        snapshots: Snapshots,
        executor: Executor,
        observer: Observer,
        grace_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.files = files
        self.snapshots = snapshots
        self.executor = executor
        self.slots = Slots(executor.capacity())
        self.observer = observer
        self.grace_seconds = grace_seconds
        self.clock = clock
        self.live: dict[int, LiveAttempt] = {}
        self.backoffs = Backoffs(clock)
        self.on_started: list[Callable[[int, int], None]] = []
        """Called with run and attempt once there is a process; must not wait."""

    def forget(self, live: LiveAttempt) -> None:
        """Let go of an attempt that is over, and give its slots to others."""
        self.executor.forget(live.handle)
        if self.live.get(live.run_id) is live:
            del self.live[live.run_id]
            self.slots.release(live.run_id)
        if live.retry_seconds is not None:
            self.backoffs.begin(live.retry_seconds)

    def stopping(self) -> list[int]:
        """Return the runs whose stop was asked for, and that have not stopped."""
        with self.database.read() as session:
            rows = session.execute(select(col(Run.id)).where(col(Run.status) == Status.STOPPING.value))
            return [run_id for (run_id,) in rows if run_id is not None]

    def start(self, live: LiveAttempt) -> bool:
        """Have the executor start the attempt."""
        assert live.claimed is not None
        if live.order is None:
            has_gpus = self.slots.has_gpus(live.hold.node)
            live.order = make_order(
                self.files,
                self.snapshots,
                live.claimed,
                live.number,
                live.hold,
                has_gpus=has_gpus,
                grace_seconds=self.grace_seconds,
            )
        answer = self.executor.start(live.order)
        if isinstance(answer, NotStarted):
            return self._fail(live, answer.reason)
        if answer != live.handle:
            self._keep_handle(live, answer)
        live.stage = Stage.HANDED
        return False

    def fail_start(self, live: LiveAttempt, reason: str) -> bool:
        """Fail the run of an attempt that cannot be started, unless it has a process all the same."""
        if live.order is None:
            return self._fail(live, reason)
        report = self._examine(live)
        return self._fail(live, reason) if isinstance(report, NotStarted) else self._take(live, report)

    def record_start(self, live: LiveAttempt) -> bool:
        """Record that the attempt has a process: its run is running."""
        assert live.started is not None
        self._announce(live)
        seconds, trouble = live.started.at, live.started.trouble
        at = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None and run.status == Status.STARTING:
                transitions.move(session, run, Status.RUNNING, trouble, at=at, started_at=at)
            elif run is not None:
                session.execute(update(Run).where(col(Run.id) == run.id).values(started_at=at))
            self._update_attempt(session, live, started_at=at)
        live.start_recorded = True
        logger.info("run=%d attempt=%d started", live.run_id, live.number)
        return False

    def record_start_anyhow(self, live: LiveAttempt, reason: str) -> bool:
        """Record that the run is running, though its start could not be recorded as it was."""
        reason, at = f"its start could not be recorded: {reason}", datetime.now(UTC)
        try:
            with self.database.write() as session:
                run = self._run_of(session, live)
                if run is not None and run.status == Status.STARTING:
                    transitions.move(session, run, Status.RUNNING, reason, at=at, started_at=at)
                else:
                    transitions.record_trouble(session, live.run_id, live.number, reason)
        except Exception as error:
            if is_temporary(error):
                raise
            self.mark(live, reason)
        live.start_recorded = True
        return False

    def record_progress(self, live: LiveAttempt) -> bool:
        """Have the run say how far its attempt is, which has no process yet."""
        assert isinstance(live.report, Starting)
        return self.mark(live, live.report.text)

    def settle(self, live: LiveAttempt) -> bool:
        """Find out what became of the attempt, and record it."""
        return self._take(live, self._examine(live))

    def settle_anyhow(self, live: LiveAttempt, reason: str) -> bool:
        """Record the run as lost if its attempt is over, as its end itself cannot be recorded."""
        report = self._examine(live)
        if not isinstance(report, Ended | Lost):
            return self.mark(live, reason)
        self._finish_without_end(live, Status.LOST, f"recording its end failed: {reason}")
        return True

    def mark(self, live: LiveAttempt, reason: str | None) -> bool:
        """Say what could not be done for the attempt, which goes on; None where that is over."""
        with self.database.write() as session:
            transitions.record_trouble(session, live.run_id, live.number, reason)
        live.trouble = reason
        return False

    def is_ours(self, live: LiveAttempt) -> bool:
        """Return True where the executor of this deck has the attempt, and not one that an earlier server had."""
        return live.handle.executor == self.executor.name

    def _examine(self, live: LiveAttempt) -> Report:
        # Without the home no exit record can be read.
        self.database.check()
        if self.is_ours(live):
            return self.executor.examine(live.handle)
        return Unknown(f"it was started by the executor {live.handle.executor}, which this deck does not have")

    def _take(self, live: LiveAttempt, report: Report) -> bool:
        """Record what the executor has found out."""
        if isinstance(report, NotStarted):
            return self._queue_again(live, report.reason)
        if isinstance(report, Ended | Lost) and (live.start_recorded or report.started_at is None):
            return self._record_end(live, report)
        # Not before: an attempt that was left, and whose end cannot be recorded yet, is examined again.
        live.stage = Stage.HANDED
        if isinstance(report, Ended | Lost):
            # Its start comes first; then it is examined again.
            live.started = Started(report.started_at)
        elif isinstance(report, Started):
            live.started = live.started or report
            self._look_later(live, report.trouble, unknown=False)
        elif not isinstance(report, Dropped):
            reason = report.text if isinstance(report, Starting) else report.reason
            self._look_later(live, reason, unknown=isinstance(report, Unknown))
        return False

    def _look_later(self, live: LiveAttempt, trouble: str | None, *, unknown: bool) -> None:
        """Have the run say what is not known of an attempt, and the attempt be examined again in a while."""
        if trouble != live.trouble and (trouble is not None or live.unknown):
            self.mark(live, trouble)
        live.unknown = unknown
        if trouble is not None and (live.start_recorded or live.started is None):
            live.retry_at = self.clock() + UNKNOWN_SECONDS

    def _fail(self, live: LiveAttempt, reason: str) -> bool:
        self._finish_without_end(live, Status.FAILED, f"could not be started: {reason}")
        return True

    def _queue_again(self, live: LiveAttempt, reason: str) -> bool:
        """Queue the run again, or cancel it, as its attempt has no process and cannot get one any more."""
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None and run.status == Status.STOPPING:
                transitions.move(session, run, Status.CANCELLED, "cancelled by the user")
            elif run is not None and run.status == Status.STARTING:
                transitions.move(session, run, Status.QUEUED, f"attempt {live.number} never started: {reason}")
        return True

    def _record_end(self, live: LiveAttempt, report: Ended | Lost) -> bool:
        self._look_last(live)
        ending = report.ending if isinstance(report, Ended) else None
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None:
                outcome = outcome_of(report, stopping=run.status == Status.STOPPING)
                self._finish(session, run, live, outcome, ending)
        logger.info("run=%d attempt=%d ended", live.run_id, live.number)
        self._look_at_files(live, ending)
        return True

    def _keep_handle(self, live: LiveAttempt, handle: Handle) -> None:
        with self.database.write() as session:
            self._update_attempt(session, live, handle=dict(handle.content))
        live.handle = handle

    def _announce(self, live: LiveAttempt) -> None:
        """Have the attempt observed and recorded, once."""
        self._watch(live)
        if live.announced:
            return
        live.announced = True
        for tell in self.on_started:
            try:
                tell(live.run_id, live.number)
            except Exception:
                logger.exception("run=%d attempt=%d its start could not be announced", live.run_id, live.number)

    def _watch(self, live: LiveAttempt) -> None:
        if live.watched:
            return
        try:
            self.observer.watch(live.run_id, live.number)
        except Exception as error:
            if is_temporary(error):
                raise
            logger.exception("run=%d attempt=%d is not observed", live.run_id, live.number)
        live.watched = True

    def _look_last(self, live: LiveAttempt) -> None:
        self._watch(live)
        try:
            self.observer.finish(live.run_id, live.number)
        except Exception as error:
            if is_temporary(error):
                raise
            logger.exception("run=%d attempt=%d the last look at it failed", live.run_id, live.number)

    def _finish_without_end(self, live: LiveAttempt, status: Status, reason: str) -> None:
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None:
                status = Status.CANCELLED if run.status == Status.STOPPING else status
                self._finish(session, run, live, Outcome(status, reason), None)

    def _finish(self, session: Session, run: Run, live: LiveAttempt, outcome: Outcome, ending: Ending | None) -> None:
        if Status(run.status).is_final:
            return
        at = datetime.fromtimestamp(ending.finished_at, UTC) if ending else datetime.now(UTC)
        code = ending.exit_code if ending else None
        transitions.move(session, run, outcome.status, outcome.reason, at=at, exit_code=code)
        seconds, number = (ending.seconds, ending.signal) if ending else (None, None)
        self._update_attempt(session, live, finished_at=at, seconds=seconds, exit_code=code, exit_signal=number)
        if outcome.status is Status.FAILED and ending is not None and run.retries < run.max_retries:
            again, retries = find_run(session, live.run_id), run.retries + 1
            session.refresh(again)
            reason = f"retry {retries} of {run.max_retries}, after: {outcome.reason}"
            live.retry_seconds = wait_seconds(retries)
            not_before = datetime.now(UTC) + timedelta(seconds=live.retry_seconds)
            transitions.requeue(session, again, reason, resume=False, retries=retries, not_before=not_before)

    def _look_at_files(self, live: LiveAttempt, ending: Ending | None) -> None:
        """Look at what the attempt has left; sums and walks take a while, and its slots must not wait for them."""
        completed = ending is not None and ending.exit_code == 0
        name = f"run {live.run_id} files"
        threading.Thread(target=self._keep_files, args=(live, completed), name=name, daemon=True).start()

    def _keep_files(self, live: LiveAttempt, completed: bool) -> None:
        files = self.files.run(live.run_id).attempt(live.number)
        try:
            if completed and has_downloads(files.work):
                share_downloads(files.work, self.files.datasets)
            if files.work.is_dir():
                keep_checkpoints(files)
        except OSError as error:
            logger.warning("run=%d attempt=%d its files could not be looked at: %s", live.run_id, live.number, error)

    def _update_attempt(self, session: Session, live: LiveAttempt, **columns: Any) -> None:
        same = (col(Attempt.run_id) == live.run_id, col(Attempt.number) == live.number)
        session.execute(update(Attempt).where(*same).values(**columns))

    def _run_of(self, session: Session, live: LiveAttempt) -> Run | None:
        """The run, as long as this is its current attempt."""
        run = session.get(Run, live.run_id)
        return run if run is not None and run.attempt == live.number else None
