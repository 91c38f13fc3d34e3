"""Finds the attempts that an earlier server left: still running, ended meanwhile, or never started."""

import logging
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.tables import Attempt, Run
from traindeck.executors.protocol import Handle
from traindeck.runs.queue import waits
from traindeck.runs.status import ACTIVE
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.live import LiveAttempt, Stage
from traindeck.scheduling.slots import Hold

logger = logging.getLogger(__name__)


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
