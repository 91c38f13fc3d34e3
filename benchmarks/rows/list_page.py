"""A page of 50 of very many runs, sorted by metrics and parameters, as JSON and as HTML."""

import time
from collections import defaultdict
from typing import Any

from benchmarks.crowd import fill
from benchmarks.row import Goal, Row
from benchmarks.samples import p95, summary
from benchmarks.served import HTML, ServedDeck, scratch_deck

RUNS, QUICK_RUNS = 100_000, 20_000
ROUNDS, QUICK_ROUNDS = 10, 3
PAGES = 3
ORDERS = (
    "-metrics.Accuracy/validation.max",
    "metrics.Loss/validation",
    "metrics.Loss/train.min",
    "-params.learning_rate",
    "params.batch_size",
)
KNOWN = "not measured; MLflow: 166 ms at 2,000 runs"


def measure(quick: bool) -> list[Row]:
    """The first pages of every order, several times over; the request as a client on the same machine sees it."""
    runs = QUICK_RUNS if quick else RUNS
    with scratch_deck() as deck:
        deck.start()
        deck.stop()
        fill(deck.home / "deck.db", runs)
        deck.start()
        deck.wait_until_warm()
        seconds = _ask(deck, QUICK_ROUNDS if quick else ROUNDS)
    what = f"page of 50 of {runs:,} runs, sorted by metric or parameter"
    return [
        Row(
            f"{what}, JSON, p95", "s", p95(_all(seconds["json"])), None, KNOWN, Goal(0.025), _by_order(seconds["json"])
        ),
        Row(f"{what}, HTML, p95", "s", p95(_all(seconds["html"])), None, "", Goal(0.025), _by_order(seconds["html"])),
    ]


def _ask(deck: ServedDeck, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by kind of answer and order."""
    seconds: dict[str, dict[str, list[float]]] = {"json": defaultdict(list), "html": defaultdict(list)}
    for _ in range(rounds):
        for sort in ORDERS:
            cursor = None
            for _ in range(PAGES):
                query = {"sort": sort, "limit": 50, **({"cursor": cursor} if cursor else {})}
                seconds["html"][sort].append(_timed(deck, query, HTML)[0])
                taken, answer = _timed(deck, query, {})
                seconds["json"][sort].append(taken)
                cursor = answer.json()["next_cursor"]
    return seconds


def _timed(deck: ServedDeck, query: dict[str, Any], headers: dict[str, str]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = deck.web.get("/runs", params=query, headers=headers).raise_for_status()
    return time.perf_counter() - began, answer


def _all(seconds: dict[str, list[float]]) -> list[float]:
    return [one for samples in seconds.values() for one in samples]


def _by_order(seconds: dict[str, list[float]]) -> dict[str, Any]:
    return {sort: summary(samples, "seconds") for sort, samples in seconds.items()}
