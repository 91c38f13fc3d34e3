"""A run that needs a data set: FOLDER NAME OTHERS. Says "fetched" if it was the one to fetch, and "done" at its end.

Its fetch takes until as many OTHERS are waiting for it, so that a test can have them come while it lasts.
"""

import hashlib
import sys
from pathlib import Path

from support.waiting import wait_for
from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import FetchedSet, ensure

CONTENT = b"seventy thousand digits"


def fetch(ctx: RunContext, into: Path) -> Path:
    (into / "digits").write_bytes(CONTENT[:7])
    print("fetched", flush=True)
    wait_for(lambda: len(list(ctx.datasets.glob("*.json"))) >= int(sys.argv[3]), "the others", 100)
    (into / "digits").write_bytes(CONTENT)
    return into


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    ctx = RunContext(run_id=1, attempt=1, work=folder, datasets=folder, progress_path=folder / f"{name}.json")
    sums = {"digits": hashlib.md5(CONTENT).hexdigest()}
    by_hand = (Path("SMALL/raw"), ("digits",))
    ensure(ctx, FetchedSet("SMALL", Path("SMALL/raw"), sums, (fetch,), by_hand))
    print("done", flush=True)


main()
