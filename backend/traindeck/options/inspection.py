"""Inspections: the script to inspect, the options that it declares, and a cache of the results on disk."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from traindeck.runner.program import Program

WITHOUT_FORM = ("absl", "fire", "hydra", "docopt", "gin", "sacred", "cyclopts", "tyro")
MOST = 1000
LATE_SECONDS = 60.0
"""How long a script that did not reach its parser is left alone the first time; then twice as long each time."""
VERSION = 2


@dataclass(slots=True)
class Sources:
    """The files of a script, by path with their SHA-256, and what was found in them.

    `digest` is of all that its options depend on.
    """

    files: dict[str, str] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    calls: int = 0
    found: bool = False
    argv: bool = False
    formless: set[str] = field(default_factory=set)
    problem: str = ""
    digest: str = ""

    def reason(self) -> str:
        """Why the script need not be run for its options; "" where it has to be."""
        if self.problem or (self.found and not self.formless):
            return self.problem
        others = sorted(self.formless) or [name for name in WITHOUT_FORM if name in self.libraries]
        if others:
            return f"its options are declared with {others[0]}, which has no form here; argparse, click and Typer have"
        return "it has no parser of argparse, click or Typer"


@dataclass(frozen=True, slots=True)
class Target:
    """A script as it would be started.

    `source` is the file to read it from, or `content` what would stand in it, and `file` what it believes its path to
    be; a module has none of these. `path0` comes first in its `sys.path`; without it, the script's own folder is empty.
    `sources` is what was read of it already.
    """

    program: Program
    path0: Path | None = None
    source: Path | None = None
    content: bytes | None = None
    file: str = ""
    sources: Sources | None = field(default=None, compare=False)

    @property
    def base(self) -> Path | None:
        """The folder that its relative paths mean, None for an empty one."""
        return Path(self.program.cwd) if self.program.cwd else None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a script declares: `schema` (see options/schema.py), or None and the `reason` why it has no form.

    `seconds` is what it took, next to nothing where it was `cached`. `late`: the script did not reach its parser
    in time, and may have one.
    """

    schema: dict[str, Any] | None
    reason: str = ""
    seconds: float = 0.0
    cached: bool = False
    late: bool = False
    target: Target | None = None

    @property
    def parser(self) -> str | None:
        """argparse, click or typer."""
        return self.schema["x-parser"] if self.schema else None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the script's own parser made of arguments: `values`, an object for each command, the top one first; or the
    `refusal` in its words; or that help was asked for (`early`). `args` are those that the script gave to its parser,
    which need not be its own. `passed`: with these arguments it did not reach its parser, and did not fail either.
    All empty where it could not be asked."""

    values: list[dict[str, Any]] | None = None
    extras: list[str] = field(default_factory=list)
    refusal: str | None = None
    early: bool = False
    args: list[str] | None = None
    passed: bool = False


class Parsing(Protocol):
    """Has the script itself parse arguments."""

    def parse(self, target: Target, args: Sequence[str]) -> Parsed:
        """What its parser makes of them."""


class Inspections(Parsing, Protocol):
    """Has scripts declare their options."""

    def inspect(self, target: Target) -> Inspection:
        """What a script declares; it is asked where that is not known."""

    def known(self, target: Target) -> Inspection | None:
        """What is known of it; None where it would have to be asked."""

    def inspect_within(self, target: Target, seconds: float) -> Inspection:
        """As `inspect`; `late` where it takes longer than this."""

    def begin(self, target: Target) -> Future[Inspection]:
        """Ask in a thread of its own."""


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
        # Without a cache the script is asked again, which gives the same answer.
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
