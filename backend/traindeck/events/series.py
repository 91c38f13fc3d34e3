"""What is known of one scalar series, in values light enough for any module of the server to import."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """What one series has come to.

    Attributes:
        last: The value written last; None where it is NaN or infinite.
        min: The smallest finite value; None where there was none.
        max: The largest finite value; None where there was none.
        step: The step of the value written last.
        count: How many points there are.
        wall_time: When the last value was written, in seconds since the epoch, by the trainer's clock.
    """

    last: float | None
    min: float | None
    max: float | None
    step: int
    count: int
    wall_time: float


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one series, in order of their steps, thinned where there were too many.

    Attributes:
        tag: The series' name.
        steps: One for each point; never falls.
        values: One for each point; None where the value is NaN or infinite, which a chart draws as a gap.
        wall_times: One for each point, in seconds since the epoch.
        total: How many points the whole series has.
        start: How many points came before these: 0 where these stand for the whole series, and a chart
            replaces what it has; it is also 0 when the cursor was of points that a restart has withdrawn.
        cursor: What to ask with next time to get only newer points; opaque, below 2**53.
    """

    tag: str
    steps: list[int]
    values: list[float | None]
    wall_times: list[float]
    total: int
    start: int
    cursor: int
