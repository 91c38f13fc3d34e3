"""What a run starts where it is no trainer: one value, from the request to the process.

A field that is added to it is stored, answered, repeated and handed to the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

ProgramKind = Literal["path", "source", "module", "command", "upload"]
"""How a program was given."""


@dataclass(frozen=True)
class Program:
    """The script of a run: where it came from, and how it is started."""

    filename: str = field(
        default="", metadata={"description": "The script's name, or its path within what was uploaded"}
    )
    kind: ProgramKind = field(default="path", metadata={"description": "How it was given"})
    path: str | None = field(
        default=None, metadata={"description": "Where it lay on the server's machine, if it came from there"}
    )
    module: str | None = field(default=None, metadata={"description": "The module of `python -m`"})
    command: tuple[str, ...] = field(default=(), metadata={"description": "A program and its arguments"})
    cwd: str | None = field(default=None, metadata={"description": "The folder that relative paths are meant from"})
    args: tuple[str, ...] = ()
    python: str | None = field(
        default=None, metadata={"description": "The interpreter, where it is not the deck's own"}
    )
    cold: bool = field(default=False, metadata={"description": "It was asked to start in a fresh interpreter"})
    resume_arg: str | None = field(
        default=None, metadata={"description": "The option by which it takes a checkpoint to go on from"}
    )
    unchecked: str | None = field(
        default=None, metadata={"description": "Why its options were not checked; in the record", "exclude": True}
    )

    @property
    def starts_cold(self) -> bool:
        """True where the program is executed afresh, not forked from a process that has imported torch."""
        return self.cold or self.python is not None or self.kind == "command"

    def argv(self, python: str, file: str) -> list[str]:
        """Return the words that start it; `python` where it names no interpreter, `file` where a file is started."""
        if self.kind == "command":
            return list(self.command)
        what = ["-m", self.module or self.filename] if self.kind == "module" else [file]
        return [self.python or python, *what, *self.args]

    def as_json(self) -> dict[str, Any]:
        """Return what the database, spec.json and order.json keep of it."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def start(self) -> dict[str, Any]:
        """Return what was asked of its start, whatever it is: a request has these fields under the same names."""
        return {name: value for name, value in self.as_json().items() if name in START}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Program:
        """Return the program that was kept. What this release does not know of it is left out."""
        values = {one.name: content[one.name] for one in fields(cls) if one.name in content}
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        # Decks that knew paths and sources only did not say which it was.
        values.setdefault("kind", "path" if values.get("path") else "source")
        return cls(**values)


IDENTITY = frozenset({"filename", "kind", "path", "module", "command", "unchecked"})
START = tuple(one.name for one in fields(Program) if one.name not in IDENTITY)
