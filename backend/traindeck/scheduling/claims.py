"""Claims the runs whose turn it is: from here on each has an attempt, and holds its slots."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlmodel import Session, col

from traindeck.db.engine import is_temporary
from traindeck.db.tables import Attempt, Run
from traindeck.errors import describe_error
from traindeck.executors.protocol import Handle
from traindeck.runs import transitions
from traindeck.runs.queue import Capacity, next_number, next_run
from traindeck.runs.status import Status
from traindeck.scheduling.attempts import Attempts
from traindeck.scheduling.live import LiveAttempt
from traindeck.scheduling.slots import Hold

logger = logging.getLogger(__name__)

REFUSED_SECONDS = 30.0
"""How long a run is passed over that can neither be claimed nor marked."""


class Claims:
    """Takes runs from the queue; for the dispatcher's thread alone."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._refused: dict[int, float] = {}

    def claim_next(self) -> LiveAttempt | None:
        """Claim the next run whose slots are free on a node; one that cannot be claimed fails with its reason."""
        self._refused = {run_id: until for run_id, until in self._refused.items() if until > self._attempts.clock()}
        for node, _ in self._attempts.slots.free_nodes():
            live = self._claim_for(node)
            if live is not None:
                return live
        return None

    def _claim_for(self, node: str) -> LiveAttempt | None:
        """Claim the next run that the node has slots for."""
        while (capacity := dict(self._attempts.slots.free_nodes()).get(node)) is not None:
            with self._attempts.database.read() as session:
                run_id = next_number(session, capacity, self._refused)
            if run_id is None:
                return None
            try:
                return self._claim(node, capacity)
            except Exception as error:
                if is_temporary(error):
                    raise
                logger.exception("run=%d could not be claimed", run_id)
                self._refuse(run_id, describe_error(error))
        return None

    def _claim(self, node: str, capacity: Capacity) -> LiveAttempt | None:
        with self._holding_slots_only_if_committed() as session:
            run = next_run(session, capacity, self._refused)
            if run is None or run.id is None or run.id in self._attempts.live:
                # The last: queued again by its end, which the dispatcher has not heard of yet, but will.
                return None
            number = run.attempt + 1
            transitions.move(session, run, Status.STARTING, attempt=number, log_size=0, progress=None)
            hold = self._attempts.slots.take(run.id, node, run.cpus, run.gpus)
            handle = self._attempts.executor.reserve(run.id, number)
            session.add(_row(handle, hold))
        live = self._attempts.live[run.id] = LiveAttempt(handle, hold, claimed=run)
        return live

    @contextmanager
    def _holding_slots_only_if_committed(self) -> Iterator[Session]:
        try:
            with self._attempts.database.write() as session:
                yield session
        except BaseException:
            # The claim was rolled back, on a full disk say: its slots would stay taken.
            self._attempts.slots.release_all_but(self._attempts.live)
            raise

    def _refuse(self, run_id: int, reason: str) -> None:
        self._refused[run_id] = self._attempts.clock() + REFUSED_SECONDS
        try:
            with self._attempts.database.write() as session:
                row = session.execute(select(col(Run.status), col(Run.attempt)).where(col(Run.id) == run_id)).first()
                if row is not None:
                    # Its row may be what cannot be read.
                    run = Run(id=run_id, name="", status=row.status, attempt=row.attempt)
                    transitions.move(session, run, Status.FAILED, f"could not be claimed: {reason}")
        except Exception:
            logger.exception("run=%d could not be marked; it is passed over for %.0f s", run_id, REFUSED_SECONDS)
        else:
            del self._refused[run_id]


def _row(handle: Handle, hold: Hold) -> Attempt:
    return Attempt(
        run_id=handle.run_id,
        number=handle.attempt,
        executor=handle.executor,
        handle=dict(handle.content),
        node=hold.node,
        gpus=list(hold.gpus),
    )
