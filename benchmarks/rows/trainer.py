"""The built-in ConvNet trainer against the article's loop: the same model, batch size, optimizer and steps."""

import tempfile
from pathlib import Path

from benchmarks import article_loop
from benchmarks.row import Goal, Row

STEPS, QUICK_STEPS = 2000, 300
ROUNDS, QUICK_ROUNDS = 5, 1


def measure(quick: bool) -> list[Row]:
    """Both in this process with one thread, on MNIST, which is fetched first."""
    steps, rounds = (QUICK_STEPS, QUICK_ROUNDS) if quick else (STEPS, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-") as datasets:
        figures = article_loop.measure(Path(datasets), steps, rounds)
    goal = Goal(1.8, at_least=True, of_ratio=True)
    ours, usual = figures["traindeck_steps_per_second"], figures["article_steps_per_second"]
    return [Row("built-in trainer, batches of 10", "steps/s", ours, usual, "the article's loop", goal, dict(figures))]
