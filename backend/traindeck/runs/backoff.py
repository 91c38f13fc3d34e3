"""The exponential back-off of automatic retries, up to five minutes.

The end of a wait is stored as wall-clock time, so that it outlives the server. If the clock is set back, the remaining
time becomes longer than the whole wait; such a wait counts as over.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, not_, or_
from sqlmodel import col

from traindeck.db.tables import Run, utc_now

FIRST_WAIT_SECONDS = 2
LONGEST_WAIT_SECONDS = 300
DOUBLINGS = 8
"""After this many doublings the wait is at its maximum."""


def wait_seconds(retries: int) -> int:
    """Return how long retry number `retries` (1 for the first) waits."""
    return min(FIRST_WAIT_SECONDS << min(max(retries, 1) - 1, DOUBLINGS), LONGEST_WAIT_SECONDS)


def seconds_left(run: Any, now: datetime | None = None) -> float:
    """Return how long a queued run still waits; 0 if it may start."""
    if run.not_before is None:
        return 0.0
    left = (run.not_before - (now or utc_now())).total_seconds()
    return left if 0 < left <= wait_seconds(run.retries) else 0.0


def may_start(now: datetime) -> Any:
    """Return the SQL condition that `seconds_left` is 0."""
    ends = {retries: now + timedelta(seconds=wait_seconds(retries)) for retries in range(DOUBLINGS + 1)}
    latest = case(ends, value=col(Run.retries), else_=now + timedelta(seconds=LONGEST_WAIT_SECONDS))
    waits = and_(col(Run.not_before) > now, col(Run.not_before) <= latest)
    return or_(col(Run.not_before).is_(None), not_(waits))
