"""What happens to attempts, written to the database: claimed, started, ended.

What is public here and takes a `LiveAttempt` is a step, or a step's `otherwise` (see steps.py): it runs in a thread of
its own, and returns True where the attempt is over. Everything else is for the dispatcher's thread alone.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from traindeck.db.engine import Database, is_temporary
from traindeck.db.tables import Attempt, Run
from traindeck.errors import describe_error
from traindeck.runner.ending import Ending, read_exit
from traindeck.runner.family import marked, signal_all
from traindeck.runner.identity import boot_id
from traindeck.runner.record import give_up_attempt, read_record, shim_of
from traindeck.runs import transitions
from traindeck.runs.backoff import wait_seconds
from traindeck.runs.checkpoint_search import keep_checkpoints
from traindeck.runs.downloaded_sets import has_downloads, share_downloads
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import find_run
from traindeck.runs.queue import next_number, next_run
from traindeck.runs.status import Status
from traindeck.scheduling.backoffs import Backoffs
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.observer import Observer
from traindeck.scheduling.orders import live_attempt, write_order
from traindeck.scheduling.outcome import Outcome, outcome_of, outcome_unseen
from traindeck.scheduling.slots import Slots
from traindeck.sources.snapshot import Snapshots

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
"""How long one step goes on killing what a killed shim has left behind; then it says so, and another begins."""
SWEEP_PAUSE_SECONDS = 0.02
REFUSED_SECONDS = 30.0
"""How long a run is passed over that can neither be claimed nor marked."""
ORPHAN_SECONDS = 1.0
"""How often the processes of an attempt without a known shim are looked for."""


class Attempts:
    """The attempts that are alive, and every step that one can take."""

    def __init__(
        self,
        database: Database,
        files: DeckFiles,
        snapshots: Snapshots,
        slots: Slots,
        observer: Observer,
        grace_seconds: float,
    ) -> None:
        self.database = database
        self.files = files
        self.snapshots = snapshots
        self.slots = slots
        self.observer = observer
        self.grace_seconds = grace_seconds
        self.live: dict[int, LiveAttempt] = {}
        self.backoffs = Backoffs()
        self.closing = threading.Event()
        """Steps that wait come to an end once it is set."""
        self.on_started: list[Callable[[int, int], None]] = []
        """Called with run and attempt once there is a process; must not wait."""
        self._refused: dict[int, float] = {}

    def claim(self) -> LiveAttempt | None:
        """Claim the next run whose slots are free; one that cannot be claimed fails with its reason."""
        while (run_id := self._next()) is not None:
            try:
                return self._claim()
            except Exception as error:
                if is_temporary(error):
                    raise
                logger.exception("run=%d could not be claimed", run_id)
                self._refuse(run_id, describe_error(error))
        return None

    def forget(self, live: LiveAttempt) -> None:
        """Let go of an attempt that is over, and give its slots to others."""
        live.detach()
        if self.live.get(live.run_id) is live:
            del self.live[live.run_id]
            self.slots.release(live.run_id)
        if live.retry_seconds is not None:
            self.backoffs.begin(live.retry_seconds)

    def stopping(self) -> list[int]:
        """The runs that somebody has asked to stop, and that have not."""
        with self.database.read() as session:
            rows = session.execute(select(col(Run.id)).where(col(Run.status) == Status.STOPPING.value))
            return [run_id for (run_id,) in rows if run_id is not None]

    def write_order(self, live: LiveAttempt) -> bool:
        """Write what the process is to do."""
        assert live.claimed is not None
        try:
            write_order(self.files, self.snapshots, self.slots, live.claimed, live.hold, live, self.grace_seconds)
        except OSError as error:
            return self.fail_order(live, f"{error.strerror}: {error.filename}")
        live.stage = Stage.ORDERED
        return False

    def fail_order(self, live: LiveAttempt, reason: str) -> bool:
        """The attempt cannot be started: nobody has been asked for a process yet."""
        self._finish_without_end(live, Status.FAILED, f"could not be started: {reason}")
        return True

    def give_up(self, live: LiveAttempt, reason: str) -> bool:
        """Queue the run again if the attempt has no process; from here on it cannot get one any more."""
        # Without the home no exit record can be read.
        self.database.check()
        if give_up_attempt(live.files.folder):
            return self.record_no_start(live, reason)
        record = read_record(live.files.folder)
        if record is None:
            return self.follow_by_mark(live, "process.json cannot be read")
        # A tombstone is of an earlier try, which was not recorded. Else there is a process after all.
        return shim_of(record) is None and self.record_no_start(live, reason)

    def fail_launch(self, live: LiveAttempt, reason: str) -> bool:
        """The attempt's process cannot be asked for, or what is known of it cannot be understood."""
        if give_up_attempt(live.files.folder):
            return self.fail_order(live, reason)
        return self.follow_by_mark(live, f"finding its process failed: {reason}")

    def record_no_start(self, live: LiveAttempt, reason: str) -> bool:
        """The attempt got no process, and cannot get one any more: the run waits again, or is cancelled."""
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None and run.status == Status.STOPPING:
                transitions.move(session, run, Status.CANCELLED, "cancelled by the user")
            elif run is not None and run.status == Status.STARTING:
                transitions.move(session, run, Status.QUEUED, f"attempt {live.number} never started: {reason}")
        return True

    def record_start(self, live: LiveAttempt) -> bool:
        """The attempt has a process: the run is running."""
        self._announce(live)
        claimed_at = live.record.get("claimed_at")
        seconds = live.record.get("started_at") or claimed_at
        at = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None and run.status == Status.STARTING:
                transitions.move(session, run, Status.RUNNING, at=at, started_at=at)
            elif run is not None:
                session.execute(update(Run).where(col(Run.id) == run.id).values(started_at=at))
            self._update_attempt(session, live, started_at=at)
        live.start_recorded = True
        logger.info("run=%d attempt=%d started", live.run_id, live.number)
        return False

    def record_start_anyhow(self, live: LiveAttempt, reason: str) -> bool:
        """The run is running, but its start could not be recorded as it was."""
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

    def record_end(self, live: LiveAttempt) -> bool:
        """The shim is gone: record how the attempt ended, once nothing of it is alive."""
        # Without the home no exit record can be read.
        self.database.check()
        ending = read_exit(live.files.folder)
        if ending is None and not self._has_swept(live):
            return False
        self._look_last(live)
        with self.database.write() as session:
            run = self._run_of(session, live)
            if run is not None:
                stopping = run.status == Status.STOPPING
                unseen = outcome_unseen(stopping=stopping, same_boot=live.same_boot)
                outcome = unseen if ending is None else outcome_of(ending, stopping=stopping)
                self._finish(session, run, live, outcome, ending)
        logger.info("run=%d attempt=%d ended", live.run_id, live.number)
        self._look_at_files(live, ending)
        return True

    def record_end_anyhow(self, live: LiveAttempt, reason: str) -> bool:
        """How the attempt ended cannot be recorded: its run is lost, once nothing of it is alive."""
        if not self._has_swept(live):
            return False
        self._finish_without_end(live, Status.LOST, f"recording its end failed: {reason}")
        return True

    def follow_by_mark(self, live: LiveAttempt, reason: str) -> bool:
        """Who the process of the attempt is cannot be known: follow what carries its mark."""
        self.mark(live, reason)
        live.stage = Stage.ORPHANED
        return False

    def look_after(self, live: LiveAttempt) -> bool:
        """Look whether anything is left of an attempt without a known shim; if not, record its end."""
        left = marked(live.mark)
        if not left:
            return self.record_end(live)
        if live.stop_asked:
            late = live.stop_deadline is None or time.monotonic() > live.stop_deadline
            signal_all(left, signal.SIGKILL if late else signal.SIGTERM)
        live.retry_at = time.monotonic() + ORPHAN_SECONDS
        return False

    def mark(self, live: LiveAttempt, reason: str) -> bool:
        """Say what could not be done for the attempt, which goes on."""
        with self.database.write() as session:
            transitions.record_trouble(session, live.run_id, live.number, reason)
        return False

    def _next(self) -> int | None:
        if not self.slots.capacity.free_cpus:
            return None
        self._refused = {run_id: until for run_id, until in self._refused.items() if until > time.monotonic()}
        with self.database.read() as session:
            return next_number(session, self.slots.capacity, self._refused)

    def _claim(self) -> LiveAttempt | None:
        with self._holding_slots_only_if_committed() as session:
            run = next_run(session, self.slots.capacity, self._refused)
            if run is None or run.id is None or run.id in self.live:
                # The last: queued again by its end, which the dispatcher has not heard of yet, but will.
                return None
            number = run.attempt + 1
            transitions.move(session, run, Status.STARTING, attempt=number, log_size=0, progress=None)
            hold = self.slots.take(run.id, run.cpus, run.gpus)
            session.add(Attempt(run_id=run.id, number=number, boot_id=boot_id(), gpu_indices=list(hold.gpus)))
        live = live_attempt(self.files, run.id, number)
        live.claimed, live.hold = run, hold
        self.live[run.id] = live
        return live

    @contextmanager
    def _holding_slots_only_if_committed(self) -> Iterator[Session]:
        try:
            with self.database.write() as session:
                yield session
        except BaseException:
            # The claim was rolled back, on a full disk say: nobody would ever give its slots back.
            self.slots.release_all_but(self.live)
            raise

    def _refuse(self, run_id: int, reason: str) -> None:
        self._refused[run_id] = time.monotonic() + REFUSED_SECONDS
        try:
            with self.database.write() as session:
                row = session.execute(select(col(Run.status), col(Run.attempt)).where(col(Run.id) == run_id)).first()
                if row is not None:
                    # Its row may be what cannot be read.
                    run = Run(id=run_id, name="", status=row.status, attempt=row.attempt)
                    transitions.move(session, run, Status.FAILED, f"could not be claimed: {reason}")
        except Exception:
            logger.exception("run=%d could not be marked; it is passed over for %.0f s", run_id, REFUSED_SECONDS)
        else:
            del self._refused[run_id]

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

    def _has_swept(self, live: LiveAttempt) -> bool:
        """End what a killed shim has left behind; False where some of it is still alive: its slots stay taken."""
        deadline = time.monotonic() + SWEEP_SECONDS
        while live.same_boot and (left := marked(live.mark)):
            if time.monotonic() > deadline or self.closing.is_set():
                self.mark(live, f"processes that it has left cannot be ended: {', '.join(map(str, left[:10]))}")
                live.retry_at = time.monotonic() + ORPHAN_SECONDS
                return False
            signal_all(left, signal.SIGKILL)
            self.closing.wait(SWEEP_PAUSE_SECONDS)
        return True

    def _look_at_files(self, live: LiveAttempt, ending: Ending | None) -> None:
        """Look at what the attempt has left; sums and walks take a while, and its slots must not wait for them."""
        completed = ending is not None and ending.exit_code == 0
        name = f"run {live.run_id} files"
        threading.Thread(target=self._keep_files, args=(live, completed), name=name, daemon=True).start()

    def _keep_files(self, live: LiveAttempt, completed: bool) -> None:
        try:
            if completed and has_downloads(live.files.work):
                share_downloads(live.files.work, self.files.datasets)
            if live.files.work.is_dir():
                keep_checkpoints(live.files)
        except OSError as error:
            logger.warning("run=%d attempt=%d its files could not be looked at: %s", live.run_id, live.number, error)

    def _update_attempt(self, session: Session, live: LiveAttempt, **columns: Any) -> None:
        same = (col(Attempt.run_id) == live.run_id, col(Attempt.number) == live.number)
        session.execute(update(Attempt).where(*same).values(**columns))

    def _run_of(self, session: Session, live: LiveAttempt) -> Run | None:
        """The run, as long as this is its current attempt."""
        run = session.get(Run, live.run_id)
        return run if run is not None and run.attempt == live.number else None
