"""Runs that import torch and do nothing: how many end in a second, against a loop over `python script.py`.

Both run as many at once as the machine has cores, which is what a deck does unless told otherwise.
"""

import time

from benchmarks.cold import finished_per_second
from benchmarks.row import Goal, Row
from benchmarks.served import served_deck, wait_for
from traindeck.settings import usable_cpus

PROGRAM = "nothing.py"
RUNS, QUICK_RUNS = 200, 40
COLD_RUNS, QUICK_COLD_RUNS = 20, 4


def measure(quick: bool) -> list[Row]:
    """From the first submit to the moment at which the list says that all have completed."""
    runs, at_once = QUICK_RUNS if quick else RUNS, usable_cpus()
    cold = finished_per_second(PROGRAM, QUICK_COLD_RUNS if quick else COLD_RUNS, at_once)
    rate, submit_seconds = _on_deck(runs)
    details = {"runs": runs, "at_once": at_once, "submit_seconds": submit_seconds}
    without = f"python script.py, {at_once} at once"
    return [Row(f"{runs} runs that do nothing", "runs/s", rate, cold, without, Goal(8, at_least=True), details)]


def _on_deck(runs: int) -> tuple[float, float]:
    """Runs that finish in a second, and the seconds that it took to submit them."""
    with served_deck() as deck:
        began = time.perf_counter()
        for _ in range(runs):
            deck.launch(PROGRAM)
        submit_seconds = time.perf_counter() - began
        wait_for(
            lambda: deck.get("/runs", status="completed", limit=1)["total"] == runs, "all runs have completed", 300
        )
        return runs / (time.perf_counter() - began), submit_seconds
