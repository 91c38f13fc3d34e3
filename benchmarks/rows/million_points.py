"""A chart of a tag with a million points, against TensorBoard's own reader."""

from benchmarks import event_reader
from benchmarks.row import Goal, Row

QUICK_TENSORBOARD_POINTS = 50_000


def measure(quick: bool) -> list[Row]:
    """In a quick run TensorBoard reads a part only, and its time is multiplied."""
    figures = event_reader.measure(tensorboard_points=QUICK_TENSORBOARD_POINTS if quick else None)
    theirs = figures["tensorboard_seconds"]
    return [
        Row("chart of 1,000,000 points, the first time", "s", figures["first_chart_seconds"], theirs,
            "TensorBoard's reader", Goal(1.5), dict(figures)),
        Row("chart of 1,000,000 points, after that", "s", figures["next_chart_seconds"], theirs,
            "TensorBoard's reader", Goal(0.1)),
    ]  # fmt: skip
