"""What the deck costs training: the same loop under `python`, and as a run with an event stream open.

Alternating, so that what else the machine does falls on both alike.
"""

import threading

import httpx

from benchmarks.cold import run_cold
from benchmarks.row import Goal, Row
from benchmarks.samples import p50
from benchmarks.served import TIMEOUT_SECONDS, ServedDeck, served_deck

PROGRAM = "train.py"
PAIRS, QUICK_PAIRS = 9, 2
STEPS, QUICK_STEPS = 800, 150


def measure(quick: bool) -> list[Row]:
    """The loop itself, which adds a scalar in each step; neither the imports nor the end."""
    pairs, steps = (QUICK_PAIRS, QUICK_STEPS) if quick else (PAIRS, STEPS)
    with served_deck() as deck, _Listener(deck):
        timed = [(_cold(steps), _on_deck(deck, steps)) for _ in range(pairs)]
    bare, served = [cold[0] for cold, _ in timed], [warm[0] for _, warm in timed]
    details = {
        "python_seconds": bare,
        "traindeck_seconds": served,
        "processor_time_ratio": p50([warm[1] / cold[1] for cold, warm in timed]),
        "ratio_of_pairs_p50": p50([warm / cold for cold, warm in zip(bare, served, strict=True)]),
    }
    longer = 100 * (p50(served) / p50(bare) - 1)
    return [Row("training takes longer by, deck open", "%", longer, None, "python script.py", Goal(1), details)]


def _cold(steps: int) -> tuple[float, float]:
    return _seconds(run_cold(PROGRAM, str(steps)))


def _on_deck(deck: ServedDeck, steps: int) -> tuple[float, float]:
    return _seconds(deck.wait_until_completed(deck.launch(PROGRAM, str(steps))))


def _seconds(printed: str) -> tuple[float, float]:
    """Wall time and processor time of the loop."""
    wall, processor = printed.split()
    return float(wall), float(processor)


class _Listener:
    """Reads the deck's event stream, as an open page does."""

    def __init__(self, deck: ServedDeck) -> None:
        self._web = httpx.Client(base_url=deck.web.base_url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        self._web.close()

    def _listen(self) -> None:
        with self._web.stream("GET", "/events") as stream:
            for _ in stream.iter_lines():
                if self._closing.is_set():
                    return
