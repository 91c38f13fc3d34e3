"""Inspections by what they depend on, kept on disk: a script is asked once."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

from traindeck.options.inspection import Inspection

MOST = 1000
LATE_SECONDS = 60.0
"""How long a script that did not reach its parser is left alone the first time; then twice as long each time."""
VERSION = 2


class InspectionCache:
    """A folder of inspections, and in memory those that came to nothing in time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._late: dict[str, tuple[float, float, Inspection]] = {}
        self._lock = threading.Lock()

    def get(self, digest: str) -> Inspection | None:
        """What was kept under a digest, or None."""
        with self._lock:
            until, _, late = self._late.get(digest, (0.0, 0.0, None))
        if late is not None and time.monotonic() < until:
            return replace(late, cached=True, seconds=0.0)
        path = self._path(digest)
        try:
            kept = json.loads(path.read_bytes())
            os.utime(path)
        except (OSError, ValueError):
            return None
        if kept.get("version") != VERSION:
            return None
        return Inspection(kept["schema"], kept["reason"], cached=True)

    def put(self, digest: str, inspection: Inspection) -> None:
        """Keep an inspection. A disk that is full or gone costs the next one some time, no more."""
        if inspection.late:
            with self._lock:
                _, seconds, _ = self._late.get(digest, (0.0, LATE_SECONDS / 2, None))
                self._late[digest] = (time.monotonic() + 2 * seconds, 2 * seconds, inspection)
            return
        content = {"version": VERSION, "schema": inspection.schema, "reason": inspection.reason}
        path = self._path(digest)
        partial = path.with_name(f".{path.name}.{threading.get_ident()}")
        with contextlib.suppress(OSError):
            # No parents: where the home is gone, nothing may come into its place.
            self.folder.parent.mkdir(mode=0o700, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            partial.write_bytes(json.dumps(content).encode(errors="replace"))
            os.replace(partial, path)
            self._tidy()

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"

    def _tidy(self) -> None:
        """Let go of those that were not asked for the longest."""
        kept = list(self.folder.glob("*.json"))
        if len(kept) <= MOST:
            return
        kept.sort(key=lambda path: path.stat().st_mtime)
        for path in kept[: len(kept) - MOST * 9 // 10]:
            path.unlink(missing_ok=True)
