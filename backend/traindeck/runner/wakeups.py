"""Signals as something to wait for: handlers only note them, the loop acts."""

from __future__ import annotations

import os
import select
import signal

WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wakeups:
    """Collects signals in a pipe, so that none is missed between a look and a wait."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in WATCHED:
            signal.signal(number, _ignore)

    def fileno(self) -> int:
        """Return the descriptor that turns readable when a signal has come."""
        return self._reading

    def wait(self, seconds: float | None) -> set[int]:
        """Return the signals that have come since the last call, waiting for the first for at most `seconds`."""
        select.select([self._reading], [], [], seconds)
        try:
            return set(os.read(self._reading, 4096))
        except BlockingIOError:
            return set()


def restore_default_signals() -> None:
    """What a freshly started Python has: nothing inherited from a parent that catches signals."""
    signal.set_wakeup_fd(-1)
    # SIGQUIT, too: where a shell started the deck in the background, it is ignored.
    for number in (*WATCHED, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def _ignore(_number: int, _frame: object) -> None:
    """Noted through the wakeup descriptor; there is nothing to do here."""
