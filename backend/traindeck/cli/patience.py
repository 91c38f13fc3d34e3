"""What follows a run outlives a restart of its deck: it tries again, for so long."""

import time
from collections.abc import Callable
from typing import TypeVar

from traindeck.cli.exits import CommandFailed, Exit

PATIENCE_SECONDS = 60.0
"""How long a deck may be away: a restart takes seconds, a reboot of the machine ends this command as well."""
PAUSE_SECONDS = 0.5

Answer = TypeVar("Answer")


class Patience:
    """Counts how long a deck has not answered."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.seconds = seconds
        self._deadline: float | None = None

    def met(self) -> None:
        """The deck has answered."""
        self._deadline = None

    def wait(self, failure: CommandFailed) -> None:
        """Pause before the next try.

        Raises:
            CommandFailed: `failure`, if it is not that the deck is away, or if it has been away for too long.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self.seconds
        if failure.exit_code is not Exit.UNREACHABLE or now >= self._deadline:
            raise failure
        time.sleep(PAUSE_SECONDS)


def patiently(action: Callable[[], Answer]) -> Answer:
    """What `action` returns, tried again while the deck is away. Raises CommandFailed, as `action` does."""
    patience = Patience()
    while True:
        try:
            return action()
        except CommandFailed as error:
            patience.wait(error)
