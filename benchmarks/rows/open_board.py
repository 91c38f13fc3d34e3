"""Opening a run's TensorBoard, to its first data, against starting `tensorboard`."""

from benchmarks import boards
from benchmarks.row import Goal, Row

POINTS = 1_000


def measure(quick: bool) -> list[Row]:  # noqa: ARG001
    """Runs with ten scalars each."""
    figures = boards.measure(POINTS)
    fresh_seconds, fresh_megabytes = figures["fresh_seconds"], figures["fresh_megabytes"]
    return [
        Row("run's TensorBoard → first data, p50", "s", figures["open_p50_seconds"], fresh_seconds,
            "tensorboard --logdir", Goal(0.1), dict(figures)),
        Row("memory of each open TensorBoard", "MB", figures["board_megabytes"], fresh_megabytes,
            "tensorboard --logdir", Goal(5)),
    ]  # fmt: skip
