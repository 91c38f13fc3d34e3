"""From submit to the first optimizer step, on a deck that is warm and idle, against `python script.py`."""

import time

from benchmarks.cold import run_cold
from benchmarks.row import Goal, Row
from benchmarks.samples import p50, p95, summary
from benchmarks.served import ServedDeck, served_deck

PROGRAM = "first_step.py"
RUNS, QUICK_RUNS = 30, 8
COLD_RUNS, QUICK_COLD_RUNS = 15, 3
QUIET_SECONDS = 0.3
"""Between the end of one run and the submit of the next, so that it meets an idle deck."""


def measure(quick: bool) -> list[Row]:
    """Both are measured by the clock that the program itself prints."""
    cold = [_cold_seconds() for _ in range(QUICK_COLD_RUNS if quick else COLD_RUNS)]
    with served_deck() as deck:
        warm = [_warm_seconds(deck) for _ in range(QUICK_RUNS if quick else RUNS)]
    details = {"traindeck": summary(warm, "seconds"), "python": summary(cold, "seconds")}
    return [
        Row("submit → first optimizer step, p50", "s", p50(warm), p50(cold), "python script.py", Goal(0.1), details),
        Row("submit → first optimizer step, p95", "s", p95(warm), p95(cold), "python script.py"),
    ]


def _cold_seconds() -> float:
    began = time.time_ns()
    return (int(run_cold(PROGRAM)) - began) / 1e9


def _warm_seconds(deck: ServedDeck) -> float:
    time.sleep(QUIET_SECONDS)
    began = time.time_ns()
    run_id = deck.launch(PROGRAM)
    return (int(deck.wait_until_completed(run_id)) - began) / 1e9
