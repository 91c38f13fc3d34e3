"""From the command `traindeck serve` to the list of runs as a page, answered."""

from benchmarks.row import Goal, Row
from benchmarks.samples import p50, summary
from benchmarks.served import scratch_deck

STARTS, QUICK_STARTS = 9, 2
KNOWN = "not measured; MLflow's server: 5.3 to 7.6 s"


def measure(quick: bool) -> list[Row]:
    """First with no home at all, which makes the database, then again and again with it."""
    starts = QUICK_STARTS if quick else STARTS
    first = [_first_start() for _ in range(starts)]
    again = _starts_again(starts)
    return [
        Row(
            "server start → first page, p50", "s", p50(again), None, KNOWN, Goal(1.5), summary(again, "seconds")
        ),
        Row("the same in a new home, p50", "s", p50(first), None, "", Goal(1.5), summary(first, "seconds")),
    ]  # fmt: skip


def _first_start() -> float:
    with scratch_deck() as deck:
        return deck.start()


def _starts_again(starts: int) -> list[float]:
    with scratch_deck() as deck:
        deck.start()
        seconds = []
        for _ in range(starts):
            deck.stop()
            seconds.append(deck.start())
        return seconds
