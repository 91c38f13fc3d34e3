"""Opening a run's TensorBoard, to its first data, and what open ones cost, against `tensorboard` processes."""

from benchmarks import boards
from benchmarks.row import Goal, Row

POINTS = 10_000
QUICK_POINTS, QUICK_BOARDS = 1_000, 10
WITHOUT = "tensorboard --logdir"


def measure(quick: bool) -> list[Row]:
    """Runs with ten scalars each."""
    points, count = (QUICK_POINTS, QUICK_BOARDS) if quick else (POINTS, boards.BOARDS)
    figures = boards.measure(points, count)
    fresh_seconds, fresh_megabytes = figures["fresh_seconds"], figures["fresh_megabytes"]
    each = f"run's TensorBoard ({boards.TAGS} × {points:,} points) → first data"
    together, at_rest = figures["megabytes_with_all"], figures["rest_percent"]
    return [
        Row(f"{each}, p50", "s", figures["open_p50_seconds"], fresh_seconds, WITHOUT, Goal(0.1), dict(figures)),
        Row(f"{each}, p95", "s", figures["open_p95_seconds"], goal=Goal(0.2)),
        Row("memory of each open TensorBoard", "MB", figures["board_megabytes"], fresh_megabytes, WITHOUT, Goal(5)),
        Row("memory of one open TensorBoard, its process included", "MB", figures["megabytes_with_1"], fresh_megabytes,
            WITHOUT),
        Row("memory of 10 open TensorBoards", "MB", figures["megabytes_with_10"], 10 * fresh_megabytes, WITHOUT),
        Row(f"memory of {count} open TensorBoards", "MB", together, count * fresh_megabytes, WITHOUT, Goal(350)),
        Row(f"{count} open TensorBoards, nothing trains", "% of a core", at_rest, goal=Goal(2)),
        Row("point written → in TensorBoard's answer", "s", figures["fresh_data_seconds"], goal=Goal(2)),
        Row("TensorBoard of 1,000,000 points → all shown", "s", figures["million_seconds"]),
        Row("another's answer meanwhile, slowest", "s", figures["meanwhile_worst_seconds"], goal=Goal(0.5)),
    ]  # fmt: skip
