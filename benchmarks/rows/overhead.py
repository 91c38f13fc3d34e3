"""What the deck costs training, with its page open in a browser.

Where other programs use the machine too, two processes that do the same differ by more than what is looked for, and so
does one process from one minute to the next. So two trainings take turns, second by second: one under `python` alone,
with the deck and the browser suspended, and one as a run of the deck, with `python`'s suspended. Each second of the run
is compared with those around it. The same is done with one run alone, deck and browser suspended in every other second:
that tells what they take, without what differs between two processes.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from benchmarks.browser import page_open
from benchmarks.row import Goal, Row
from benchmarks.samples import p50
from benchmarks.served import PROGRAMS, ServedDeck, served_deck, wait_for
from traindeck.runner.claim import read_record

PROGRAM = "train_for.py"
TURNS, QUICK_TURNS = 240, 30
TURN_SECONDS = 1.0
SETTLE_SECONDS = 0.15
"""At the begin of a turn, what was suspended has something to catch up with, or has not stopped yet."""
START_SECONDS = 15.0
END_SECONDS = 120.0


def measure(quick: bool) -> list[Row]:
    """The loop itself, which adds a scalar in each step; neither the imports nor the end."""
    turns = QUICK_TURNS if quick else TURNS
    with served_deck() as deck, page_open(f"{deck.web.base_url}/runs") as browser:
        beside_python = _beside_python(deck, browser, turns)
        beside_itself = _beside_itself(deck, browser, turns)
    return [
        _row("training takes longer by, deck open", beside_python, "python script.py"),
        _row("of that, by deck and browser beside it", beside_itself, "both suspended"),
    ]


def _row(what: str, ratios: list[float], without: str) -> Row:
    quartiles = [float(100 * (each - 1)) for each in np.quantile(ratios, [0.25, 0.75])]
    details = {"turns": len(ratios), "quartiles_percent": quartiles, "mean_percent": 100 * (np.mean(ratios) - 1)}
    return Row(what, "%", 100 * (p50(ratios) - 1), None, without, Goal(1), details)


def _beside_python(deck: ServedDeck, browser: psutil.Process, turns: int) -> list[float]:
    """Seconds of a step of the run, by those of `python` in the turns before and after."""
    seconds = str(2 * START_SECONDS + turns * TURN_SECONDS)
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-") as folder:
        command = [sys.executable, str(PROGRAMS / PROGRAM), seconds]
        with subprocess.Popen(command, cwd=folder) as bare:
            work = _begun(Path(folder))
            run_id, own = _launched(deck, seconds)
            served = [*_deck_and(browser, deck), _trainer(deck, run_id)]
            began = _take_turns(turns, [psutil.Process(bare.pid)], served)
        ended = np.load(work / "steps.npy")
    _wait_for_end(deck, run_id)
    return _ratios(began, np.load(own / "steps.npy"), ended)


def _beside_itself(deck: ServedDeck, browser: psutil.Process, turns: int) -> list[float]:
    """Seconds of a step while deck and browser are at work, by those of the turns before and after, without them."""
    run_id, work = _launched(deck, str(START_SECONDS + turns * TURN_SECONDS))
    began = _take_turns(turns, [], _deck_and(browser, deck))
    _wait_for_end(deck, run_id)
    ended = np.load(work / "steps.npy")
    return _ratios(began, ended, ended)


def _launched(deck: ServedDeck, seconds: str) -> tuple[int, Path]:
    run_id = deck.launch(PROGRAM, seconds)
    return run_id, _begun(deck.home / f"runs/{run_id}/attempt-1/work")


def _begun(work: Path) -> Path:
    wait_for(lambda: next(work.rglob("*tfevents*"), None), "training has begun", END_SECONDS)
    return work


def _trainer(deck: ServedDeck, run_id: int) -> psutil.Process:
    record = read_record(deck.home / f"runs/{run_id}/attempt-1") or {}
    return psutil.Process(int(record["trainer"]["pid"]))


def _deck_and(browser: psutil.Process, deck: ServedDeck) -> list[psutil.Process]:
    """Not what has the run in its care: the forkserver sleeps, and a shim is of the run."""
    boards = [child for child in deck.server.children() if "traindeck.boards.process" in child.cmdline()]
    return [deck.server, *boards, browser, *browser.children(recursive=True)]


def _take_turns(turns: int, first: Sequence[psutil.Process], second: Sequence[psutil.Process]) -> list[float]:
    """Let these processes run in turn, the others meanwhile suspended; when each turn began."""
    began = []
    try:
        for turn in range(turns):
            _signal(first if turn % 2 else second, signal.SIGSTOP)
            _signal(second if turn % 2 else first, signal.SIGCONT)
            began.append(time.time())
            time.sleep(TURN_SECONDS)
    finally:
        _signal([*first, *second], signal.SIGCONT)
    return began


def _wait_for_end(deck: ServedDeck, run_id: int) -> None:
    # To ask the deck all the time would be a load that training without it does not have.
    wait_for((deck.home / f"runs/{run_id}/attempt-1/exit.json").exists, f"the end of run {run_id}", END_SECONDS)
    deck.wait_until_completed(run_id)


def _ratios(began: list[float], second: np.ndarray, first: np.ndarray) -> list[float]:
    """Of every second turn, the steps' seconds by those of the turns around it; both by when each step ended."""
    steps = [
        _step_seconds(second if turn % 2 else first, at + SETTLE_SECONDS, at + TURN_SECONDS)
        for turn, at in enumerate(began)
    ]
    return [steps[at] / ((steps[at - 1] + steps[at + 1]) / 2) for at in range(1, len(steps) - 1, 2)]


def _step_seconds(ended: np.ndarray, begin: float, end: float) -> float:
    """The mean of the steps between two moments."""
    within = ended[(ended >= begin) & (ended < end)]
    return float((within[-1] - within[0]) / (len(within) - 1))


def _signal(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        # A browser's processes come and go.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
