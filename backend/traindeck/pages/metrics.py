"""Which of a run's scalars matter most."""

import re
from dataclasses import dataclass

from traindeck.pages.numbers import show_value
from traindeck.runs.view import MetricView

HELD_OUT = r"(?:^|[^a-z])(?:val|valid|validation|test|eval|dev)(?:[^a-z]|$)"
QUALITY = r"acc|accuracy|f1|auc|map|iou|bleu|rouge|top1|top-1|r2|score"
LOSS = r"loss|perplexity|ppl|error|rmse|mae|nll"
RATE = r"learning.?rate|(?:^|[^a-z])lr(?:[^a-z]|$)"
GATHERED = r"(?:by|per).epoch"
"""Says what other scalars say already, once for each epoch."""

MAIN_LIMIT = 6
"""As many small charts as an overview shows at a glance."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One scalar's last value, as text, with its least and greatest."""

    tag: str
    value: str
    minimum: str
    maximum: str
    step: int


def main_tags(metrics: dict[str, MetricView], limit: int = MAIN_LIMIT) -> list[str]:
    """The tags to draw first: training's loss, which comes first; held-out loss and quality; what is left, by name."""
    return sorted(metrics, key=_place)[:limit]


def last_step(metrics: dict[str, MetricView]) -> int | None:
    """The highest step that a run has written a scalar for; None where it has written none."""
    return max((metric.step for metric in metrics.values()), default=None)


def key_metric(metrics: dict[str, MetricView]) -> Metric | None:
    """The one scalar that says best how good a run is, or None where it has none."""
    tag = min(metrics, key=_worth, default=None)
    return None if tag is None else describe(tag, metrics[tag])


def describe(tag: str, metric: MetricView) -> Metric:
    """A metric with its numbers as text."""
    last, least, most = (show_value(value) for value in (metric.last, metric.min, metric.max))
    return Metric(tag, last, least, most, metric.step)


def best(tag: str, values: list[float | None]) -> float | None:
    """The best of several runs' values, where the tag says which way is better: a loss, or a quality."""
    known = [value for value in values if value is not None]
    _, quality, loss, _, _ = _traits(tag)
    if len(known) < 2 or quality == loss:
        return None
    return max(known) if quality else min(known)


def _place(tag: str) -> tuple[bool, int, str]:
    held_out, quality, loss, rate, gathered = _traits(tag)
    if loss:
        rank = 1 if held_out else 0
    elif quality:
        rank = 2 if held_out else 3
    else:
        rank = 4 if rate else 5
    return gathered, rank, tag


def _worth(tag: str) -> tuple[int, bool, str]:
    held_out, quality, loss, _, gathered = _traits(tag)
    if held_out and (quality or loss):
        rank = 0 if quality else 1
    elif loss or quality:
        rank = 2 if loss else 3
    else:
        rank = 4
    return rank, gathered, tag


def _traits(tag: str) -> tuple[bool, ...]:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tag).lower()
    return tuple(bool(re.search(pattern, name)) for pattern in (HELD_OUT, QUALITY, LOSS, RATE, GATHERED))
