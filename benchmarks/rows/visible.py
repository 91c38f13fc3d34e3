"""From `add_scalar` in a script with a default `SummaryWriter` to the point in an answer of the deck.

As a page does it: it hears of the change on the event stream, then asks for the points that are new.
"""

import json
import time
from collections.abc import Iterator

from benchmarks.row import Goal, Row
from benchmarks.samples import p50, p95, summary
from benchmarks.served import FINAL, ServedDeck, served_deck

SCALARS, QUICK_SCALARS = 200, 40
KNOWN = "not measured; TensorBoard: up to 120 s to the file, 30 s to its reload"


def measure(quick: bool) -> list[Row]:
    """Each point counts from the moment at which the script had added it."""
    with served_deck() as deck:
        run_id = deck.launch("scalars.py", str(QUICK_SCALARS if quick else SCALARS))
        seen = dict(_points(deck, run_id))
        added = _added(deck.wait_until_completed(run_id))
    assert seen.keys() == added.keys()
    seconds = [(seen[step] - added[step]) / 1e9 for step in added]
    details = summary(seconds, "seconds")
    return [
        Row("add_scalar → in the page's data, p95", "s", p95(seconds), None, KNOWN, Goal(1.5), details),
        Row("add_scalar → in the page's data, p50", "s", p50(seconds)),
    ]


def _points(deck: ServedDeck, run_id: int) -> Iterator[tuple[int, int]]:
    """Every point of the run as (step, nanoseconds since the epoch at which it was answered)."""
    cursor = 0
    for _ in _changes(deck, run_id):
        query = {"tag": "Loss/train", **({"since": cursor} if cursor else {})}
        series = deck.get(f"/runs/{run_id}/scalars", **query)["series"][0]
        now, cursor = time.time_ns(), series["cursor"]
        yield from ((step, now) for step in series["steps"])


def _changes(deck: ServedDeck, run_id: int) -> Iterator[str]:
    """The status of the run at every change, to the last."""
    with deck.web.stream("GET", "/events", params={"run": run_id}) as stream:
        for line in stream.iter_lines():
            if not line.startswith("data:"):
                continue
            # The first event says that the stream is open, and carries nothing.
            status = json.loads(line.removeprefix("data:")).get("status", "")
            yield status
            if status in FINAL:
                return


def _added(log: str) -> dict[int, int]:
    """When the script added each step, in nanoseconds since the epoch."""
    return {int(step): int(moment) for step, moment in (line.split() for line in log.splitlines())}
