"""Finds the attempts that an earlier server left: still running, ended meanwhile, or never started."""

import logging

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.tables import Attempt, Run
from traindeck.runner.identity import boot_id
from traindeck.runner.record import give_up_attempt, read_record, shim_of
from traindeck.runs.queue import waits
from traindeck.runs.status import ACTIVE
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.orders import live_attempt
from traindeck.scheduling.slots import Hold
from traindeck.scheduling.steps import Step

logger = logging.getLogger(__name__)

NEVER_STARTED = "the deck was stopped in between"


class Adoption:
    """Takes over every attempt whose run is not final, by what its files and the kernel say of it."""

    def __init__(self, attempts: Attempts) -> None:
        self.attempts = attempts
        self.step = Step("adoption", self._adopt, self._adopt_by_mark)

    def find_all(self) -> None:
        """Have every active run among the live attempts, with its slots; what became of each is looked at by `step`."""
        with self.attempts.database.read() as session:
            for seconds in waits(session):
                self.attempts.backoffs.begin(seconds)
            active = select(col(Run.id), col(Run.attempt), col(Run.cpus)).where(col(Run.status).in_(ACTIVE))
            for run_id, number, cpus in session.execute(active).all():
                live = live_attempt(self.attempts.files, run_id, number)
                live.stage = Stage.LEFT
                live.hold = Hold(cpus, _gpus_of(session, live))
                self.attempts.live[run_id] = live
                self.attempts.slots.hold(run_id, live.hold)

    def _adopt(self, live: LiveAttempt) -> bool:
        if self._booted_since(live):
            # Nothing of it is alive, whatever its files say, and its pids are other programs' by now.
            live.same_boot = False
            return self.attempts.record_end(live)
        # First to write process.json has the attempt: from here on a shim that comes late starts nothing.
        if give_up_attempt(live.files.folder):
            return self.attempts.record_no_start(live, NEVER_STARTED)
        record = read_record(live.files.folder)
        if record is None:
            raise ValueError("process.json cannot be read")
        if shim_of(record) is None:
            return self.attempts.record_no_start(live, NEVER_STARTED)
        live.find(record)
        logger.info("run=%d attempt=%d adopted, alive=%s", live.run_id, live.number, live.pidfd is not None)
        return False

    def _adopt_by_mark(self, live: LiveAttempt, reason: str) -> bool:
        return self.attempts.follow_by_mark(live, f"taking it over failed: {reason}")

    def _booted_since(self, live: LiveAttempt) -> bool:
        same = (col(Attempt.run_id) == live.run_id, col(Attempt.number) == live.number)
        with self.attempts.database.read() as session:
            claimed_in = session.execute(select(col(Attempt.boot_id)).where(*same)).scalar()
        # Without a row the identities in process.json, which name their boot, must do.
        return claimed_in is not None and claimed_in != boot_id()


def _gpus_of(session: Session, live: LiveAttempt) -> tuple[int, ...]:
    same = (col(Attempt.run_id) == live.run_id, col(Attempt.number) == live.number)
    try:
        return tuple(map(int, session.execute(select(col(Attempt.gpu_indices)).where(*same)).scalar() or ()))
    except (ValueError, TypeError):
        logger.exception("run=%d attempt=%d which GPUs it holds cannot be read", live.run_id, live.number)
        return ()
