"""What the deck costs training, with its page open in a browser.

Against `python`, the same loop is timed in turns. Where other programs use the machine too, two processes that do the
same differ by more than what is looked for. So within one run the deck and the browser are also suspended every other
second, and a second with them is compared with those around it.
"""

import signal
import time
from contextlib import suppress

import numpy as np
import psutil

from benchmarks.browser import page_open
from benchmarks.cold import run_cold
from benchmarks.row import Goal, Row
from benchmarks.samples import p50
from benchmarks.served import ServedDeck, served_deck, wait_for

PROGRAM, STAMPED_PROGRAM = "train.py", "train_for.py"
PAIRS, QUICK_PAIRS = 9, 2
STEPS, QUICK_STEPS = 800, 150
TURNS, QUICK_TURNS = 240, 30
TURN_SECONDS = 1.0
SETTLE_SECONDS = 0.15
"""At the begin of a turn, what was suspended has something to catch up with, or has not stopped yet."""
START_SECONDS = 10.0
END_SECONDS = 120.0


def measure(quick: bool) -> list[Row]:
    """The loop itself, which adds a scalar in each step; neither the imports nor the end."""
    pairs, steps, turns = (QUICK_PAIRS, QUICK_STEPS, QUICK_TURNS) if quick else (PAIRS, STEPS, TURNS)
    with served_deck() as deck, page_open(f"{deck.web.base_url}/runs") as browser:
        timed = [(_cold(steps), _on_deck(deck, steps)) for _ in range(pairs)]
        ratios = _beside(deck, browser, turns)
    bare, served = [cold[0] for cold, _ in timed], [warm[0] for _, warm in timed]
    details = {
        "python_seconds": bare,
        "traindeck_seconds": served,
        "processor_time_ratio": p50([warm[1] / cold[1] for cold, warm in timed]),
        "ratio_of_p50s": p50(served) / p50(bare),
    }
    # Of each pair, which the machine treats more alike than those that lie minutes apart.
    pairs_p50 = p50([warm / cold for cold, warm in zip(bare, served, strict=True)])
    longer, beside = 100 * (pairs_p50 - 1), 100 * (p50(ratios) - 1)
    quartiles = [float(100 * (each - 1)) for each in np.quantile(ratios, [0.25, 0.75])]
    turned = {"turns": len(ratios), "quartiles_percent": quartiles}
    return [
        Row("training takes longer by, deck open", "%", longer, None, "python script.py", Goal(1), details),
        Row("the same, second by second", "%", beside, None, "deck and browser suspended", Goal(1), turned),
    ]


def _cold(steps: int) -> tuple[float, float]:
    return _seconds(run_cold(PROGRAM, str(steps)))


def _on_deck(deck: ServedDeck, steps: int) -> tuple[float, float]:
    return _seconds(_log_of(deck, deck.launch(PROGRAM, str(steps))))


def _log_of(deck: ServedDeck, run_id: int) -> str:
    # To ask the deck all the time would be a load that training without it does not have.
    wait_for((deck.home / f"runs/{run_id}/attempt-1/exit.json").exists, f"the end of run {run_id}", END_SECONDS)
    return deck.wait_until_completed(run_id)


def _seconds(printed: str) -> tuple[float, float]:
    """Wall time and processor time of the loop."""
    wall, processor = printed.split()
    return float(wall), float(processor)


def _beside(deck: ServedDeck, browser: psutil.Process, turns: int) -> list[float]:
    """Seconds of a step while deck and browser are at work, by those of the turns before and after, without them."""
    run_id = deck.launch(STAMPED_PROGRAM, str(START_SECONDS + turns * TURN_SECONDS))
    work = deck.home / f"runs/{run_id}/attempt-1/work"
    wait_for(lambda: next(work.rglob("*tfevents*"), None), "training has begun", END_SECONDS)
    # Not what has the run in its care: the forkserver sleeps, and a shim is of the run.
    boards = [child for child in deck.server.children() if "traindeck.boards.process" in child.cmdline()]
    others = [deck.server, *boards, browser, *browser.children(recursive=True)]
    began = []
    try:
        for turn in range(turns):
            _signal(others, signal.SIGCONT if turn % 2 else signal.SIGSTOP)
            began.append(time.time())
            time.sleep(TURN_SECONDS)
    finally:
        _signal(others, signal.SIGCONT)
    _log_of(deck, run_id)
    ended = np.load(work / "steps.npy")
    steps = [_step_seconds(ended, at + SETTLE_SECONDS, at + TURN_SECONDS) for at in began]
    return [steps[at] / ((steps[at - 1] + steps[at + 1]) / 2) for at in range(1, turns - 1, 2)]


def _step_seconds(ended: np.ndarray, begin: float, end: float) -> float:
    """The mean of the steps between two moments."""
    within = ended[(ended >= begin) & (ended < end)]
    return float((within[-1] - within[0]) / (len(within) - 1))


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        # A browser's processes come and go.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
