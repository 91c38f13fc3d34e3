"""Which of a run's scalars matter most."""

import re
from dataclasses import dataclass

from traindeck.pages.numbers import show_value
from traindeck.runs.view import MetricView

HELD_OUT = r"(?:^|[^a-z])(?:val|valid|validation|test|eval|dev)(?:[^a-z]|$)"
QUALITY = r"acc|accuracy|f1|auc|map|iou|bleu|rouge|top1|top-1|r2|score"
LOSS = r"loss|perplexity|ppl|error|rmse|mae|nll"

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
    """The tags to show first: held-out quality and loss, then training's, then what is left, each by name."""
    return sorted(metrics, key=lambda tag: (_rank(tag), tag))[:limit]


def key_metric(metrics: dict[str, MetricView]) -> Metric | None:
    """The one scalar that says best how good a run is, or None where it has none."""
    tags = main_tags(metrics, 1)
    return describe(tags[0], metrics[tags[0]]) if tags else None


def describe(tag: str, metric: MetricView) -> Metric:
    """A metric with its numbers as text."""
    last, least, most = (show_value(value) for value in (metric.last, metric.min, metric.max))
    return Metric(tag, last, least, most, metric.step)


def _rank(tag: str) -> int:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tag).lower()
    held_out, quality, loss = (bool(re.search(pattern, name)) for pattern in (HELD_OUT, QUALITY, LOSS))
    if held_out and quality:
        return 0
    if held_out and loss:
        return 1
    if quality:
        return 3
    return 2 if loss else 4
