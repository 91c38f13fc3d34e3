"""Which script is asked for its options, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from traindeck.runner.program import Program

WITHOUT_FORM = ("absl", "fire", "hydra", "docopt", "gin", "sacred", "cyclopts", "tyro")


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
