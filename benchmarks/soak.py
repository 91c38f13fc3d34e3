"""Boards that open and close at random for a long time: what they leave behind.

python -m benchmarks.soak --minutes 60
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.boards import BOARDS, DEADLINE_SECONDS, FIRST_DATA, MEGABYTE, MODULE, copy_run, own, served, write_run

RUNS = 120
"""More than may be open together, so that most openings close another board."""
POINTS = 1_000
PAUSE_SECONDS = 0.05
EVERY_SECONDS = 60.0
SEED = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """The boards process at one moment.

    Attributes:
        seconds: Since the soak began.
        opened: Answers with data until then.
        megabytes: Memory of its own.
        descriptors: Open files and sockets.
        threads: Threads.
    """

    seconds: float
    opened: int
    megabytes: float
    descriptors: int
    threads: int


def soak(minutes: float) -> None:
    """Open one board after the other, chosen at random, and print a sample each minute.

    Raises:
        httpx.HTTPError: a board did not answer.
    """
    choice = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = write_run(folder / "0", POINTS)
        runs = [first, *(copy_run(first, folder / str(index)) for index in range(1, RUNS))]
        with served(runs, folder, BOARDS) as url, httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as web:
            _open_boards(web, url, choice, minutes * 60)


def _open_boards(web: httpx.Client, url: str, choice: random.Random, seconds: float) -> None:
    began = time.monotonic()
    opened, next_sample = 0, began + EVERY_SECONDS
    while time.monotonic() < began + seconds:
        web.get(f"{url}/{choice.randrange(RUNS)}/{FIRST_DATA}").raise_for_status()
        opened += 1
        if time.monotonic() >= next_sample:
            print(_line(_sample(time.monotonic() - began, opened)), flush=True)
            next_sample += EVERY_SECONDS
        # It is a load and not a race: others use the machine too.
        time.sleep(PAUSE_SECONDS)
    print(_line(_sample(time.monotonic() - began, opened)), flush=True)


def _sample(seconds: float, opened: int) -> Sample:
    (process,) = own(MODULE)
    with process.oneshot():
        megabytes = process.memory_full_info().uss / MEGABYTE
        return Sample(seconds, opened, megabytes, process.num_fds(), process.num_threads())


def _line(sample: Sample) -> str:
    return (
        f"{sample.seconds / 60:6.1f} min  {sample.opened:7d} opened  {sample.megabytes:7.1f} MB  "
        f"{sample.descriptors:4d} descriptors  {sample.threads:3d} threads"
    )


def main() -> int:
    """Soak for as many minutes as are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    soak(parser.parse_args().minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
