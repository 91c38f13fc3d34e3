"""Searching a large log for what is not in it, which reads all of it; beside grep on the same file."""

import json
import subprocess
import time
from pathlib import Path

from benchmarks.row import Goal, Row
from benchmarks.samples import summary
from benchmarks.served import ServedDeck, served_deck

BYTES, QUICK_BYTES = 1_000_000_000, 200_000_000
ROUNDS = 3
TEXT = "zebra needle"
LINE = "2026-11-27 05:{minute:02} INFO epoch {epoch} step {step} loss=0.{step:06} accuracy=0.9 lr=0.0001\n"
LINES = 20_000


def measure(quick: bool) -> list[Row]:
    """Seconds for each GB, answered over HTTP, and what `grep -i -F` takes for it."""
    size = QUICK_BYTES if quick else BYTES
    with served_deck(warm=False) as deck:
        run_id = deck.launch("nothing.py")
        deck.wait_until_completed(run_id)
        log = deck.home / f"runs/{run_id}/attempt-1/output.log"
        _fill(log, size)
        searched = [_search(deck, run_id) for _ in range(ROUNDS)]
        grep = [_grep(log) for _ in range(ROUNDS)]
        gigabytes = log.stat().st_size / 1e9
    details = summary(searched, "seconds")
    value, baseline = min(searched) / gigabytes, min(grep) / gigabytes
    return [Row("search of a log, for each GB", "s", value, baseline, "grep -i -F", Goal(1.0), details)]


def _fill(log: Path, size: int) -> None:
    lines = (LINE.format(minute=step % 60, epoch=step // 100, step=step) for step in range(LINES))
    block = "".join(lines).encode()
    with log.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)


def _search(deck: ServedDeck, run_id: int) -> float:
    began = time.perf_counter()
    answer = deck.web.get(f"/runs/{run_id}/log/search", params={"q": TEXT}).raise_for_status()
    taken = time.perf_counter() - began
    last = json.loads(answer.text.splitlines()[-1])
    if last["searched"] != last["size"]:
        raise RuntimeError(f"the search ended early: {last}")
    return taken


def _grep(log: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["grep", "-i", "-F", "-c", TEXT, str(log)], stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began
