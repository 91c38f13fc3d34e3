"""How far an attempt has come, kept in one small file that the server reads.

The file is replaced whole (write, rename), so a reader sees one state or the next, never half of one. It is
not synced to disk: after a power cut the progress of a dead process is of no use.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from traindeck.runner.outside import EXACT, number, read_object, text, whole

WRITE_INTERVAL_SECONDS = 0.2
"""At most five writes a second, however often the training loop reports."""

LIMIT_BYTES = 64 << 10
UNIT_CHARACTERS = 40
LABEL_CHARACTERS = 200
LONGEST_SECONDS = 1e10
"""Three hundred years: more is no estimate."""

RATE_WINDOW_SECONDS = 20.0
"""The speed that the time left rests on is that of about this long."""


@dataclass(frozen=True)
class Progress:
    """One report: `step` of `total` (None where unknown) `unit`s, and the seconds left, if known."""

    step: int
    total: int | None = None
    unit: str = "step"
    eta_seconds: float | None = None
    label: str | None = None


class ProgressFile:
    """Writes reports, and estimates the time left from the recent speed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: Progress | None = None
        self._written_at = 0.0
        self._phase: tuple[str, str | None, int | None] | None = None
        self._marks: list[tuple[float, int]] = []

    def report(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
        """Record that `step` of `total` is done; cheap enough for every step of a training loop.

        A total that is no number, or infinite, counts as unknown; a step that is none, as no report.
        """
        counted, total = _count(step), _count(total)
        if counted is None:
            return
        step, unit, label = counted, str(unit), None if label is None else str(label)
        now = time.monotonic()
        phase = (unit, label, total)
        fresh = phase != self._phase
        if fresh:
            self._phase, self._marks = phase, [(now, step)]
        done = total is not None and step >= total
        if not fresh and not done and now - self._written_at < WRITE_INTERVAL_SECONDS:
            self._pending = Progress(step, total, unit, None, label)
            return
        self._write(Progress(step, total, unit, self._eta_seconds(now, step, total), label), now)

    def flush(self) -> None:
        """Write the last report, where the interval held it back."""
        if self._pending is not None:
            now = time.monotonic()
            last = self._pending
            eta = self._eta_seconds(now, last.step, last.total)
            self._write(Progress(last.step, last.total, last.unit, eta, last.label), now)

    def _eta_seconds(self, now: float, step: int, total: int | None) -> float | None:
        marks = self._marks
        if now - marks[-1][0] >= 1.0:
            marks.append((now, step))
        while len(marks) > 2 and now - marks[1][0] > RATE_WINDOW_SECONDS:
            marks.pop(0)
        elapsed, steps = now - marks[0][0], step - marks[0][1]
        if total is None or steps <= 0 or elapsed <= 0:
            return None
        return round(max(total - step, 0) * elapsed / steps, 1)

    def _write(self, progress: Progress, now: float) -> None:
        self._pending, self._written_at = None, now
        partial = self.path.with_suffix(".tmp")
        try:
            partial.write_text(json.dumps(asdict(progress)))
            os.replace(partial, self.path)
        except OSError:
            # A full or vanished disk must not cost the training (rule 9); the next report tries again.
            return


def read_progress(path: Path) -> Progress | None:
    """Return the last report in `path`, or None where there is none that can be read."""
    return progress_of(read_object(path, LIMIT_BYTES))


def progress_of(content: Any) -> Progress | None:
    """Return the report in JSON of any origin; None where it names no step. A field that is wrong is left out."""
    if not isinstance(content, dict) or not content.keys() <= {one.name for one in fields(Progress)}:
        return None
    step = whole(content.get("step"))
    if step is None:
        return None
    return Progress(
        step,
        whole(content.get("total"), least=0),
        text(content.get("unit"), UNIT_CHARACTERS) or "step",
        number(content.get("eta_seconds"), 0, LONGEST_SECONDS),
        text(content.get("label"), LABEL_CHARACTERS),
    )


def _count(value: Any) -> int | None:
    """Return a number of steps, given as whatever counts: an int, a float, an element of an array or a tensor."""
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return found if -EXACT <= found <= EXACT else None
