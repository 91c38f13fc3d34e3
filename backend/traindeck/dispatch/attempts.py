"""What happens to attempts, written to the database: claimed, started, ended."""

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

from traindeck.code.snapshot import Snapshots
from traindeck.db.engine import Database
from traindeck.db.tables import Attempt, Run
from traindeck.dispatch.backoffs import Backoffs
from traindeck.dispatch.launcher import Launcher
from traindeck.dispatch.live import LiveAttempt
from traindeck.dispatch.observer import Observer
from traindeck.dispatch.orders import live_attempt, write_order
from traindeck.dispatch.outcome import Outcome, outcome_of, outcome_unseen
from traindeck.dispatch.slots import Hold, Slots
from traindeck.runner.ended import Ending, read_exit
from traindeck.runner.family import marked, signal_all
from traindeck.runner.identity import boot_id
from traindeck.runs import transitions
from traindeck.runs.adoption import adopt, has_downloads
from traindeck.runs.backoff import wait_seconds
from traindeck.runs.changes import Changes
from traindeck.runs.files import DeckFiles
from traindeck.runs.queries import find_run
from traindeck.runs.queue import next_run
from traindeck.runs.status import Status

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
"""How long to go on killing what a killed shim has left behind."""


class Attempts:
    """The attempts that are alive, and every step that one can take."""

    def __init__(
        self,
        database: Database,
        files: DeckFiles,
        snapshots: Snapshots,
        slots: Slots,
        changes: Changes,
        observer: Observer,
        grace_seconds: float,
    ) -> None:
        self.database = database
        self.files = files
        self.snapshots = snapshots
        self.slots = slots
        self.changes = changes
        self.observer = observer
        self.grace_seconds = grace_seconds
        self.live: dict[int, LiveAttempt] = {}
        self.backoffs = Backoffs()
        self.on_started: list[Callable[[int, int], None]] = []
        """Called with run and attempt once there is a process; must neither wait nor raise."""

    def start_next(self, launcher: Launcher) -> None:
        """Claim and launch runs while slots are free for the next."""
        while (claimed := self._claim()) is not None:
            run, hold, live = claimed
            self.changes.tell(live.run_id)
            self._launch(run, hold, live, launcher)

    def ask_again(self, launcher: Launcher) -> None:
        """Launch anew what was asked of a forkserver that is gone."""
        for live in self.live.values():
            if live.shim is None and not launcher.still_has(live.asked) and live.files.order.exists():
                live.asked = launcher.launch(live.files.order)

    def started(self, live: LiveAttempt, record: dict[str, Any]) -> None:
        """The attempt has a process: the run is running."""
        at = datetime.fromtimestamp(record.get("started_at") or record["claimed_at"], UTC)

        def note(session: Session, run: Run) -> None:
            if run.status == Status.STARTING:
                transitions.move(session, run, Status.RUNNING, at=at, started_at=at)
            else:
                session.execute(update(Run).where(col(Run.id) == run.id).values(started_at=at))
            self._update_attempt(session, live, started_at=at)

        self._with_run(live, note)
        self.observer.watch(live.run_id, live.number)
        for tell in self.on_started:
            tell(live.run_id, live.number)
        logger.info("run=%d attempt=%d started", live.run_id, live.number)

    def ended(self, live: LiveAttempt, *, same_boot: bool = True) -> None:
        """The shim is gone: record how the attempt ended, once nothing of it is alive."""
        ending = read_exit(live.files.folder)
        if ending is None:
            self._sweep(live)
        self.observer.finish(live.run_id, live.number)

        def note(session: Session, run: Run) -> None:
            stopping = run.status == Status.STOPPING
            if ending is None:
                outcome = outcome_unseen(stopping=stopping, same_boot=same_boot)
            else:
                outcome = outcome_of(ending, stopping=stopping)
            self._finish(session, run, live, outcome, ending)

        self._with_run(live, note)
        self._forget(live)
        if ending is not None and ending.exit_code == 0 and has_downloads(live.files.work):
            # Sums over a hundred megabytes take a while: nothing else may wait for them.
            names = (live.files.work, self.files.datasets)
            threading.Thread(target=adopt, args=names, name="adopt data", daemon=True).start()

    def never_started(self, live: LiveAttempt, reason: str) -> None:
        """The attempt got no process, and cannot get one any more: the run waits again, or is cancelled."""

        def note(session: Session, run: Run) -> None:
            if run.status == Status.STOPPING:
                transitions.move(session, run, Status.CANCELLED, "cancelled by the user")
            elif run.status == Status.STARTING:
                transitions.move(session, run, Status.QUEUED, f"attempt {live.number} never started: {reason}")

        self._with_run(live, note)
        self._forget(live)

    def stopping(self) -> list[int]:
        """The runs that somebody has asked to stop, and that have not."""
        with self.database.read() as session:
            rows = session.execute(select(col(Run.id)).where(col(Run.status) == Status.STOPPING.value))
            return [run_id for (run_id,) in rows if run_id is not None]

    def _claim(self) -> tuple[Run, Hold, LiveAttempt] | None:
        if not self.slots.capacity.free_cpus:
            return None
        with self.database.read() as session:
            if next_run(session, self.slots.capacity) is None:
                return None
        with self._holding_slots_only_if_committed() as session:
            run = next_run(session, self.slots.capacity)
            if run is None or run.id is None:
                return None
            number = run.attempt + 1
            transitions.move(session, run, Status.STARTING, attempt=number, log_size=0, progress=None)
            hold = self.slots.take(run.id, run.cpus, run.gpus)
            session.add(Attempt(run_id=run.id, number=number, boot_id=boot_id(), gpu_indices=list(hold.gpus)))
        live = live_attempt(self.files, run.id, number)
        self.live[run.id] = live
        return run, hold, live

    @contextmanager
    def _holding_slots_only_if_committed(self) -> Iterator[Session]:
        try:
            with self.database.write() as session:
                yield session
        except BaseException:
            # The claim was rolled back, on a full disk say: nobody would ever give its slots back.
            self.slots.release_all_but(self.live)
            raise

    def _launch(self, run: Run, hold: Hold, live: LiveAttempt, launcher: Launcher) -> None:
        try:
            write_order(self.files, self.snapshots, self.slots, run, hold, live, self.grace_seconds)
        except OSError as error:
            self._fail_launch(live, f"could not be started: {error.strerror}: {error.filename}")
            return
        live.asked = launcher.launch(live.files.order)

    def _fail_launch(self, live: LiveAttempt, reason: str) -> None:
        def note(session: Session, run: Run) -> None:
            status = Status.CANCELLED if run.status == Status.STOPPING else Status.FAILED
            self._finish(session, run, live, Outcome(status, reason), None)

        self._with_run(live, note)
        self._forget(live)

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
            not_before = datetime.now(UTC) + timedelta(seconds=wait_seconds(retries))
            transitions.requeue(session, again, reason, resume=False, retries=retries, not_before=not_before)
            self.backoffs.begin(wait_seconds(retries))

    def _sweep(self, live: LiveAttempt) -> None:
        """End what a killed shim has left behind: only then may its slots be given to others."""
        deadline = time.monotonic() + SWEEP_SECONDS
        while (left := marked(live.mark)) and time.monotonic() < deadline:
            signal_all(left, signal.SIGKILL)

    def _update_attempt(self, session: Session, live: LiveAttempt, **columns: Any) -> None:
        same = (col(Attempt.run_id) == live.run_id, col(Attempt.number) == live.number)
        session.execute(update(Attempt).where(*same).values(**columns))

    def _with_run(self, live: LiveAttempt, note: Callable[[Session, Run], None]) -> None:
        with self.database.write() as session:
            run = session.get(Run, live.run_id)
            if run is not None and run.attempt == live.number:
                note(session, run)
        self.changes.tell(live.run_id)

    def _forget(self, live: LiveAttempt) -> None:
        live.detach()
        self.live.pop(live.run_id, None)
        self.slots.release(live.run_id)
