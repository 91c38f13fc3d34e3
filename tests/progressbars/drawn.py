"""What programs write to draw their bars, write by write."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from traindeck.progressbars.output import Reading, Tracker
from traindeck.progressbars.screen import Screen


class Output:
    """A stream that is no terminal and keeps each write."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, text: str) -> int:
        self.writes.append(text.encode())
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


@contextmanager
def recorded() -> Iterator[Output]:
    """Both streams of the process into one output."""
    output, streams = Output(), (sys.stdout, sys.stderr)
    sys.stdout = sys.stderr = output  # type: ignore[assignment]
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = streams


def readings(writes: list[bytes]) -> list[Reading]:
    """Every progress that is read when somebody looks after each write; repeated ones once."""
    screen, tracker, seen = Screen(), Tracker(), []
    for write in writes:
        screen.feed(write)
        reading = tracker.look(screen)
        if reading is not None and (not seen or seen[-1] != reading):
            seen.append(reading)
    return seen


def readings_of(program: Callable[[], None]) -> list[Reading]:
    """The progress of a program that draws bars, in the order in which it is seen."""
    with recorded() as output:
        program()
    return readings(output.writes)
