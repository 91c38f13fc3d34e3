"""Finds the attempts that an earlier server left: still running, ended meanwhile, or never started."""

import logging

from sqlalchemy import select
from sqlmodel import col

from traindeck.db.tables import Attempt, Run
from traindeck.dispatch.attempts import Attempts
from traindeck.dispatch.orders import live_attempt
from traindeck.dispatch.slots import Hold
from traindeck.runner.identity import boot_id
from traindeck.runner.record import give_up_attempt, read_record, shim_of
from traindeck.runs.queue import waits
from traindeck.runs.status import ACTIVE

logger = logging.getLogger(__name__)

NEVER_STARTED = "the deck was stopped in between"


class Adoption:
    """Takes over every attempt whose run is not final, by what its files and the kernel say of it."""

    def __init__(self, attempts: Attempts) -> None:
        self.attempts = attempts

    def adopt_all(self) -> None:
        """Look at each active run once; afterwards each is watched, final, or queued again."""
        with self.attempts.database.read() as session:
            active = list(session.execute(select(Run).where(col(Run.status).in_(ACTIVE))).scalars())
            for seconds in waits(session):
                self.attempts.backoffs.begin(seconds)
            claimed = [session.get_one(Attempt, (run.id, run.attempt)) for run in active]
        for run, attempt in zip(active, claimed, strict=True):
            self._adopt(attempt, Hold(run.cpus, tuple(attempt.gpu_indices)))

    def _adopt(self, attempt: Attempt, hold: Hold) -> None:
        run_id, number = attempt.run_id, attempt.number
        live = live_attempt(self.attempts.files, run_id, number)
        self.attempts.live[run_id] = live
        self.attempts.slots.hold(run_id, hold)
        if attempt.boot_id != boot_id():
            # Nothing of it is alive, whatever its files say, and its pids are other programs' by now.
            self.attempts.ended(live, same_boot=False)
            return
        # First to write process.json has the attempt: from here on a shim that comes late starts nothing.
        if give_up_attempt(live.files.folder):
            self.attempts.never_started(live, NEVER_STARTED)
            return
        record = read_record(live.files.folder) or {}
        shim = shim_of(record)
        if shim is None:
            self.attempts.never_started(live, NEVER_STARTED)
            return
        alive = live.attach(shim)
        self.attempts.started(live, record)
        logger.info("run=%d attempt=%d adopted, alive=%s", run_id, number, alive)
        if not alive:
            self.attempts.ended(live)
