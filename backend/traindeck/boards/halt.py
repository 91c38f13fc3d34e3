"""What ends a board's reading before its files do: nobody wants the data any more, or there is no room for it."""

import time
from collections.abc import Callable

LOOK_SECONDS = 0.05
"""A look at the memory costs more than taking in a small event."""


class BoardClosedError(Exception):
    """Nobody wants the data any more."""


class BoardFullError(Exception):
    """There is no room for more; what was taken in is whole."""


class Halt:
    """Asked after each event that a board takes in."""

    def __init__(self, has_room: Callable[[], bool] = lambda: True) -> None:
        self._has_room = has_room
        self._is_closed = False
        self._look_at = 0.0

    def close(self) -> None:
        """Have reading end where it is."""
        self._is_closed = True

    def check(self) -> None:
        """Go on, or not.

        Raises:
            BoardClosedError: the board was closed.
            BoardFullError: it has taken in as much as it may.
        """
        if self._is_closed:
            raise BoardClosedError
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            if not self._has_room():
                raise BoardFullError
