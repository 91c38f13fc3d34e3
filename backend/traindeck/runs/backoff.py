"""How long a retry that a run makes by itself waits: longer each time, at most five minutes.

The end of the wait is kept as a time of the wall clock, so that it outlives the server. A clock that was set back
must not stretch it: what is still further away than the whole wait has a clock between its ends, and is over.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, not_, or_
from sqlmodel import col

from traindeck.db.tables import Run
from traindeck.db.types import utc_now

FIRST_WAIT_SECONDS = 2
LONGEST_WAIT_SECONDS = 300
DOUBLINGS = 8
"""After so many the wait is at its longest."""


def wait_seconds(retries: int) -> int:
    """How long retry number `retries` (1 for the first) waits."""
    return min(FIRST_WAIT_SECONDS << min(max(retries, 1) - 1, DOUBLINGS), LONGEST_WAIT_SECONDS)


def seconds_left(run: Any, now: datetime | None = None) -> float:
    """What is left of the wait of a queued run; 0 where it may start."""
    if run.not_before is None:
        return 0.0
    left = (run.not_before - (now or utc_now())).total_seconds()
    return left if 0 < left <= wait_seconds(run.retries) else 0.0


def may_start(now: datetime) -> Any:
    """The condition that `seconds_left` is 0, for a query."""
    ends = {retries: now + timedelta(seconds=wait_seconds(retries)) for retries in range(DOUBLINGS + 1)}
    latest = case(ends, value=col(Run.retries), else_=now + timedelta(seconds=LONGEST_WAIT_SECONDS))
    waits = and_(col(Run.not_before) > now, col(Run.not_before) <= latest)
    return or_(col(Run.not_before).is_(None), not_(waits))
