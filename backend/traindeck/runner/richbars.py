"""Reports Rich's progress bars to the deck.

Where the output is no terminal Rich draws a bar only at its end, and Lightning uses Rich wherever it is installed. So
the bars themselves are asked, when a program moves them; what the program prints stays as it is.
"""

import functools
import os
import re
import time
from pathlib import Path
from typing import Any

from traindeck.runner.progress import ProgressFile
from traindeck.runner.writers import change_module

MOVES = ("update", "advance")
INTERVAL_SECONDS = 0.2
MARKUP = re.compile(r"\[/?[^\[\]]*\]")
EPOCH = re.compile(r"\bepoch:?\s{0,9}(\d{1,9})\s{0,9}(?:/|of)\s{0,9}(\d{1,9})", re.IGNORECASE)
ASIDE = re.compile(r"\b(?:val|valid|eval|test|sanity|predict)", re.IGNORECASE)
"""What is done beside the training."""


def follow_rich(path: Path) -> None:
    """Write how far Rich's bars are into a file, from now on or once Rich's module is imported."""
    change_module("rich.progress", lambda module: _follow(module.Progress, _Followed(path)))


def _follow(progress_class: Any, followed: "_Followed") -> None:
    for name in MOVES:
        setattr(progress_class, name, _told(getattr(progress_class, name), followed))


def _told(move: Any, followed: "_Followed") -> Any:
    @functools.wraps(move)
    def moved(self: Any, *arguments: Any, **named: Any) -> Any:
        result = move(self, *arguments, **named)
        followed.look(self)
        return result

    return moved


class _Followed:
    """The bars of this process; one that it forks reports none."""

    def __init__(self, path: Path) -> None:
        self._file = ProgressFile(path)
        self._pid = os.getpid()
        self._next_look = 0.0
        self._from_zero = False

    def look(self, progress: Any) -> None:
        """Report the outermost bar; never raises."""
        try:
            now = time.monotonic()
            tasks = [
                task for task in progress.tasks if task.total and task.visible and not ASIDE.search(task.description)
            ]
            if os.getpid() != self._pid or not tasks:
                return
            task = next((one for one in tasks if not one.finished), tasks[-1])
            if now >= self._next_look or task.finished:
                self._next_look = now + INTERVAL_SECONDS
                self._report(task)
        except Exception:
            # A bar that is not as Rich's own are: the run is what matters.
            self._next_look = float("inf")

    def _report(self, task: Any) -> None:
        label = " ".join(MARKUP.sub("", task.description).split()) or None
        step, total = int(task.completed), int(task.total)
        if label and (found := EPOCH.search(label)):
            number, last = int(found[1]), int(found[2])
            self._from_zero |= number == 0
            done, epochs = (number, last + 1) if self._from_zero else (max(number - 1, 0), last)
            step, total = done * total + step, max(epochs, done + 1) * total
        self._file.report(step, total, "step", label)
