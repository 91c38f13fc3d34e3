"""Choose the scalars of a run that matter most."""

from collections.abc import Mapping
from dataclasses import dataclass

from traindeck.pages.numbers import show_value
from traindeck.runs.directions import GATHERED, HELD_OUT, Better, direction, words_of, worth
from traindeck.runs.view import MetricView

Directions = Mapping[str, Better]
"""The user's choices of which way scalars are better, by tag."""
NOTHING: Directions = {}

MAIN_LIMIT = 6
"""The number of small charts in an overview."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A scalar's last, least and greatest value, as texts."""

    tag: str
    value: str
    minimum: str
    maximum: str
    step: int


def main_tags(metrics: Mapping[str, MetricView], limit: int = MAIN_LIMIT, said: Directions = NOTHING) -> list[str]:
    """Return the tags to draw first: the training loss, then held-out loss and quality, then the others by name."""
    return sorted(metrics, key=lambda tag: _place(tag, said))[:limit]


def last_step(metrics: Mapping[str, MetricView]) -> int | None:
    """Return the highest step of a run's scalars, or None if it has none."""
    return max((metric.step for metric in metrics.values()), default=None)


def key_metric(metrics: Mapping[str, MetricView], said: Directions = NOTHING) -> Metric | None:
    """Return the scalar that best says how good a run is, or None if it has none."""
    tag = min(metrics, key=lambda tag: worth(tag, said), default=None)
    return None if tag is None else describe(tag, metrics[tag])


def describe(tag: str, metric: MetricView) -> Metric:
    """Return a metric with its numbers as texts."""
    last, least, most = (show_value(value) for value in (metric.last, metric.min, metric.max))
    return Metric(tag, last, least, most, metric.step)


def _place(tag: str, said: Directions) -> tuple[bool, int, str]:
    held_out, better, gathered = _traits(tag, said)
    if better is Better.LOWER:
        rank = 1 if held_out else 0
    elif better is Better.HIGHER:
        rank = 2 if held_out else 3
    else:
        rank = 4 if _is_rate(tag) else 5
    return gathered, rank, tag


def _traits(tag: str, said: Directions) -> tuple[bool, Better, bool]:
    held_out = not words_of(tag).isdisjoint(HELD_OUT)
    return held_out, direction(tag, said), bool(GATHERED.search(tag))


def _is_rate(tag: str) -> bool:
    words = words_of(tag)
    return "lr" in words or {"learning", "rate"} <= words
