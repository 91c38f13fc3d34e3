"""From submit to the first optimizer step: just after the server's start, beside training, and in a burst.

Each against `python script.py` in the same place.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.cold import run_cold
from benchmarks.row import Goal, Row
from benchmarks.samples import p50, p95, summary
from benchmarks.served import ServedDeck, scratch_deck, wait_for

PROGRAM = "first_step.py"
STARTS, QUICK_STARTS = 9, 2
BUSY_RUNS, QUICK_BUSY_RUNS = 20, 4
BUSY_COLD_RUNS, QUICK_BUSY_COLD_RUNS = 8, 2
BURST, QUICK_BURST = 20, 6
SLOTS = 2
TRAINING_SECONDS = "3600"
POLL_SECONDS = 1.0
"""Seldom: the time of the first step is in the log, and each request takes the processor from the runs."""


def measure(quick: bool) -> list[Row]:
    """One and two launches at once while the forkserver imports, launches beside training, and a burst."""
    return [
        *(_just_after_the_start(at_once, QUICK_STARTS if quick else STARTS) for at_once in (1, SLOTS)),
        _beside_training(*((QUICK_BUSY_RUNS, QUICK_BUSY_COLD_RUNS) if quick else (BUSY_RUNS, BUSY_COLD_RUNS))),
        _in_a_burst(QUICK_BURST if quick else BURST),
    ]


def _just_after_the_start(at_once: int, starts: int) -> Row:
    """A launch waits for nothing: it is a fresh Python, or the forkserver where that is sooner."""
    with_deck, without = [], []
    for _ in range(starts):
        without += _several(at_once, _cold_seconds)
        with scratch_deck() as deck:
            deck.start()
            with_deck += _several(at_once, lambda deck=deck: _seconds_on(deck))  # type: ignore[misc]
    return _row(
        f"{'submit' if at_once == 1 else f'{at_once} submits'} just after the server's start → first step, p50",
        with_deck,
        without,
        p50,
        Goal(0.95, at_least=True, of_ratio=True),
    )


def _beside_training(runs: int, cold_runs: int) -> Row:
    with _slots(2 * SLOTS) as deck:
        training = [deck.launch("train_for.py", TRAINING_SECONDS) for _ in range(SLOTS)]
        for run_id in training:
            wait_for(lambda run_id=run_id: deck.get(f"/runs/{run_id}")["metrics"], "training has begun", 120.0)
        without = [_cold_seconds() for _ in range(cold_runs)]
        with_deck = [_seconds_on(deck) for _ in range(runs)]
    return _row("submit beside as many trainings as cores → first step, p95", with_deck, without, p95, Goal(0.1))


def _in_a_burst(runs: int) -> Row:
    """With as many slots as runs, so that none waits for another but for the processor."""
    with _slots(runs) as deck:
        without = _several(runs, _cold_seconds)
        with_deck = _several(runs, lambda: _seconds_on(deck))
    return _row(f"{runs} submits at once → first step, p95", with_deck, without, p95, None)


@contextmanager
def _slots(cpus: int) -> Iterator[ServedDeck]:
    with scratch_deck() as deck:
        deck.start("--cpus", str(cpus))
        deck.wait_until_warm()
        yield deck


def _several(times: int, measured: Callable[[], float]) -> list[float]:
    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(measured) for _ in range(times)]]


def _cold_seconds() -> float:
    began = time.time_ns()
    return (int(run_cold(PROGRAM)) - began) / 1e9


def _seconds_on(deck: ServedDeck) -> float:
    began = time.time_ns()
    return (int(deck.wait_until_completed(deck.launch(PROGRAM), poll_seconds=POLL_SECONDS)) - began) / 1e9


def _row(
    what: str,
    with_deck: list[float],
    without: list[float],
    figure: Callable[[list[float]], float],
    goal: Goal | None,
) -> Row:
    details = {"traindeck": summary(with_deck, "seconds"), "python": summary(without, "seconds")}
    return Row(what, "s", figure(with_deck), figure(without), "python script.py", goal, details)
