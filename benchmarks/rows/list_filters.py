"""Filters of the list: every one in several orders, on a small deck and on one ten times as large; and as MLflow does.

With TRAINDECK_BENCH_MLFLOW naming a Python that has MLflow, its server answers the same searches. What its store takes
for them alone, in one process and without HTTP, is told beside it.
"""

import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.crowd import fill
from benchmarks.row import Goal, Row
from benchmarks.samples import p50, p95, summary
from benchmarks.served import HTML, PROGRAMS, ServedDeck, scratch_deck
from benchmarks.table import figure

MLFLOW = "TRAINDECK_BENCH_MLFLOW"
SMALL, LARGE, QUICK_LARGE = 10_000, 100_000, 20_000
COMPARED, QUICK_COMPARED = (2_000, 10_000), (500,)
ROUNDS, QUICK_ROUNDS = 5, 2
LOSS, ACCURACY = "metrics.Loss/train", "metrics.Accuracy/validation"
FILTERS = {
    "no filter": "",
    "one metric, broad": f"{LOSS}<0.5",
    "one metric, narrow": f"{LOSS}<0.01",
    "two metrics, broad": f"{LOSS}<0.5 {ACCURACY}>0.5",
    "two metrics, narrow": f"{LOSS}<0.05 {ACCURACY}<0.05",
    "two metrics, no match": f"{LOSS}>0.999 {ACCURACY}<0.0001",
    "a parameter": "params.batch_size:32",
    "two parameters": "params.batch_size>=32 params.dropout<0.5",
    "a word": "mnist",
    "part of a name": "run-47",
    "a short word": "77",
    "a word that is nowhere": "zebra",
    "a tag": "tag:team-3",
    "not a tag": "tag!=team-3",
    "a status, a tag and a metric": f"status:completed tag:model-7 {LOSS}<0.9",
    "not of a status": "status!=failed",
}
HARD = {
    "ranges that exclude each other": f"{LOSS}<0.5 {LOSS}>=0.5",
    "twenty terms": " ".join(f"{LOSS}>{place / 1000}" for place in range(20)),
    "twenty letters": " ".join("abcdefghijklmnopqrst"),
}
SORTS = ("-created", "-metrics.Images per second", "params.seed", "name")
SEARCHES = {
    "one metric": (f"{LOSS}<0.5", "metrics.`Loss/train` < 0.5"),
    "two metrics": (
        FILTERS["two metrics, broad"],
        "metrics.`Loss/train` < 0.5 and metrics.`Accuracy/validation` > 0.5",
    ),
    "two metrics, no match": (
        FILTERS["two metrics, no match"],
        "metrics.`Loss/train` > 0.999 and metrics.`Accuracy/validation` < 0.0001",
    ),
    "a parameter": ("params.batch_size:32", "params.batch_size = '32'"),
    "part of a name": ("run-47", "attributes.run_name ILIKE '%run-47%'"),
    "a tag": ("tag:team-3", "tags.`team-3` = 'yes'"),
}


def measure(quick: bool) -> list[Row]:
    """A page of 50 for each filter and order; the request as a client on the same machine sees it."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    large = QUICK_LARGE if quick else LARGE
    small_json, _, _ = _measure_deck(SMALL, rounds)
    json_seconds, html_seconds, hard = _measure_deck(large, rounds)
    what = f"filtered page of 50 of {large:,} runs"
    slowest = {**json_seconds, **hard}
    return [
        Row(f"{what}, JSON, p95", "s", p95(_all(json_seconds)), None, "", Goal(0.025), _summaries(json_seconds)),
        Row(f"{what}, HTML, p95", "s", p95(_all(html_seconds)), None, "", Goal(0.04), _summaries(html_seconds)),
        Row(f"{what}, JSON, slowest filter, p50", "s", max(p50(one) for one in slowest.values()), None, "", Goal(0.25),
            _summaries(hard)),
        Row(f"filtered page: p95 at {large:,} runs against {SMALL:,}", "×",
            p95(_all(json_seconds)) / p95(_all(small_json)), None, "", Goal(1.5), _summaries(small_json)),
        *_against_mlflow(QUICK_COMPARED if quick else COMPARED, rounds),
    ]  # fmt: skip


Samples = dict[str, list[float]]


def _measure_deck(runs: int, rounds: int) -> tuple[Samples, Samples, Samples]:
    """Seconds of JSON, of HTML, and of what is hard, by filter."""
    with _filled(runs) as deck:
        answers: tuple[Samples, Samples, Samples] = (defaultdict(list), defaultdict(list), defaultdict(list))
        for _ in range(rounds):
            for sort in SORTS:
                for name, q in FILTERS.items():
                    answers[0][name].append(_timed(deck, q, sort, {}))
                    answers[1][name].append(_timed(deck, q, sort, HTML))
                for name, q in HARD.items():
                    answers[2][name].append(_timed(deck, q, sort, {}))
        return answers


@contextmanager
def _filled(runs: int) -> Iterator[ServedDeck]:
    with scratch_deck() as deck:
        deck.start()
        deck.stop()
        fill(deck.home / "deck.db", runs)
        deck.start()
        deck.wait_until_warm()
        yield deck


def _against_mlflow(sizes: tuple[int, ...], rounds: int) -> list[Row]:
    python = os.environ.get(MLFLOW)
    if not python:
        return [Row("filtered pages, as MLflow searches", "s", None, None, f"{MLFLOW} names no Python")]
    return [row for runs in sizes for row in _compared(python, runs, rounds)]


def _compared(python: str, runs: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-mlflow-") as folder:
        order = {"runs": runs, "rounds": rounds, "searches": {name: theirs for name, (_, theirs) in SEARCHES.items()}}
        command = [python, str(PROGRAMS / "mlflow_search.py"), json.dumps(order)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds: dict[str, Samples] = json.loads(done.stdout.splitlines()[-1])
    with _filled(runs) as deck:
        rows = []
        for name, (ours, _) in SEARCHES.items():
            taken = [_timed(deck, ours, "-created", {}) for _ in range(rounds + 1)][1:]
            what = f"{name}, {runs:,} runs, p50"
            served, stored = seconds["server"][name], seconds["store"][name]
            details = {**summary(taken, "seconds"), "mlflow": summary(served, "seconds"),
                       "mlflow_store": summary(stored, "seconds")}  # fmt: skip
            without = f"MLflow's server; its store alone: {figure(p50(stored), 's')}"
            rows.append(Row(what, "s", p50(taken), p50(served), without, None, details))
        return rows


def _timed(deck: ServedDeck, q: str, sort: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    deck.web.get("/runs", params={"q": q, "sort": sort, "limit": 50}, headers=headers).raise_for_status()
    return time.perf_counter() - began


def _all(seconds: Samples) -> list[float]:
    return [one for samples in seconds.values() for one in samples]


def _summaries(seconds: Samples) -> dict[str, object]:
    return {name: summary(samples, "seconds") for name, samples in seconds.items()}
