"""What a deck costs while nothing runs and nobody looks: memory of its processes, and time of the processor."""

import time

import psutil

from benchmarks.crowd import fill
from benchmarks.row import Goal, Row
from benchmarks.served import HTML, ServedDeck, scratch_deck, wait_for
from traindeck.executors.local.forkserver_client import PROGRAM

RUNS = 10_000
PAGES = 20
REST_SECONDS, QUICK_REST_SECONDS = 20.0, 5.0
CALM_SECONDS = 1.0
CALM_PERCENT = 3.0
CALM_DEADLINE_SECONDS = 60.0
MEGABYTE = 1e6
PARTS = {"forkserver": str(PROGRAM), "boards": "traindeck.boards.process"}
"""The modules that the server's children run."""


def measure(quick: bool) -> list[Row]:
    """After some pages have been looked at, as a server that has just been started has touched little yet."""
    rest = QUICK_REST_SECONDS if quick else REST_SECONDS
    with scratch_deck() as deck:
        deck.start()
        empty = _figures(deck, rest)
        deck.stop()
        fill(deck.home / "deck.db", RUNS)
        deck.start()
        full = _figures(deck, rest)
    others = {f"{part}_megabytes": full[f"{part}_megabytes"] for part in PARTS}
    return [
        Row(f"server at rest, {RUNS:,} runs: memory", "MB", full["server_megabytes"], None, "", Goal(150), full),
        Row("server at rest, no runs: memory", "MB", empty["server_megabytes"], details=empty),
        Row("forkserver and TensorBoard at rest: memory", "MB", sum(others.values()), details=others),
        Row(f"all of the deck at rest, {RUNS:,} runs: processor", "% of a core", full["processor_percent"], None, "",
            Goal(1)),
    ]  # fmt: skip


def _figures(deck: ServedDeck, rest_seconds: float) -> dict[str, float]:
    deck.wait_until_warm()
    for _ in range(PAGES):
        deck.web.get("/runs", headers=HTML).raise_for_status()
        deck.get("/runs")
    wait_for(lambda: _processor_percent(deck, CALM_SECONDS) < CALM_PERCENT, "the deck is calm", CALM_DEADLINE_SECONDS)
    return {
        "server_megabytes": deck.server.memory_info().rss / MEGABYTE,
        **{f"{part}_megabytes": _megabytes(deck, module) for part, module in PARTS.items()},
        "processor_percent": _processor_percent(deck, rest_seconds),
    }


def _megabytes(deck: ServedDeck, module: str) -> float:
    """What the children that run `module` hold, by their share of shared pages."""
    children = [child for child in deck.server.children(recursive=True) if module in child.cmdline()]
    return sum(child.memory_full_info().pss for child in children) / MEGABYTE


def _processor_percent(deck: ServedDeck, seconds: float) -> float:
    """Of one core, by the server and its children together."""
    processes = [deck.server, *deck.server.children(recursive=True)]
    before, began = _processor_seconds(processes), time.perf_counter()
    time.sleep(seconds)
    return 100 * (_processor_seconds(processes) - before) / (time.perf_counter() - began)


def _processor_seconds(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)
