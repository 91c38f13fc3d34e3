"""Stops a script where its parser would parse: the parsers of argparse, click and Typer, replaced from outside."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, NoReturn

from traindeck.runner.inspecting import clicked, declared
from traindeck.runner.inspecting.ahead import Ahead
from traindeck.runner.inspecting.parsing import parse_with_argparse, parse_with_click
from traindeck.runner.inspecting.values import text_of

PATIENCE_SECONDS = 2.0
"""How long a second parser may take to come after a first one that left arguments to it."""


class Hooks:
    """The replaced parsers; what the script does before the first of them is called is its own business."""

    def __init__(
        self, answer: Callable[[dict[str, Any]], NoReturn], args: list[str] | None, calls: int, folder: str
    ) -> None:
        """`answer` writes an answer down and ends the process; `args` are to be parsed, if not None; `calls` is how
        many calls of a parser the source was seen to have; the script's own modules lie below `folder`."""
        self.answer = answer
        self.args = args
        self.calls = calls
        self.ahead = Ahead(folder)
        self.main_process = os.getpid()
        self.first: dict[str, Any] | None = None
        self.passed = 0
        self.parsing = False

    def install(self, libraries: list[str]) -> None:
        """Replace what parses; a library that cannot be imported fails in the script too, if it needs it."""
        self._hook_argparse()
        for name in libraries:
            try:
                if name in ("click", "typer"):
                    self._hook_click(__import__(name + ".core", fromlist=["core"]))
            except Exception:  # noqa: S112 (the script says it better)
                continue

    def _hook_argparse(self) -> None:
        for name in ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"):
            self._replace(argparse.ArgumentParser, name, self._at_argparse)

    def _hook_click(self, core: Any) -> None:
        for name in ("Command", "BaseCommand", "TyperCommand", "TyperGroup"):
            owner = core.__dict__.get(name)
            if (
                owner is not None
                and "main" in owner.__dict__
                and not getattr(owner.main, "__isabstractmethod__", False)
            ):
                self._replace(owner, "main", self._at_click)

    def _replace(self, owner: Any, name: str, stop: Callable[..., Any]) -> None:
        original = owner.__dict__[name]

        def replaced(this: Any, *args: Any, **kwargs: Any) -> Any:
            # A process that the script has forked is not the one that is asked.
            if os.getpid() == self.main_process and not self.parsing:
                self.parsing = True
                stop(this, name, args, kwargs, sys._getframe(1))
            try:
                return original(this, *args, **kwargs)
            finally:
                self.parsing = False

        setattr(owner, name, replaced)

    def _at_argparse(self, parser: Any, name: str, args: Any, kwargs: Any, caller: types.FrameType) -> None:
        lenient = "known" in name
        _complete(parser)
        record = declared.declare(parser, lenient=lenient, intermixed="intermixed" in name)
        given = args[0] if args else kwargs.get("args")
        self.passed += 1
        # Defaults may be asked of a parser first, with no arguments; and a first parser may leave some to a second.
        elsewhere = given is not None and not list(given) and self.first is None and self.passed < self.calls
        first = self.first if lenient or given is not None else None
        split = first is not None and _join(first, record)
        if lenient and self.ahead.has_parser(caller):
            self._go_on(record if given is None or self.first is not None or list(given) == sys.argv[1:] else None)
            return
        if elsewhere:
            self._go_on(None)
            return
        found: dict[str, Any] = {"parser": "argparse", "declaration": record, "fed": given is not None}
        if self.args is not None:
            # What a first parser has left is a part of the arguments, and the declaration is of both.
            read = _read(given)
            found.update(parse_with_argparse(parser, name, read, split), args=None if split else _told(read))
        self.answer(found)

    def _go_on(self, record: dict[str, Any] | None) -> None:
        """A parser that leaves what it does not know to the next: that one is waited for, but not for long."""
        waiting = self.first is not None
        self.first = record or self.first
        if self.first is not None and not waiting:
            timer = threading.Timer(PATIENCE_SECONDS, self.answer_provisionally)
            timer.daemon = True
            timer.start()

    def answer_provisionally(self) -> None:
        """Answer with the first parser's options, where there were any; the second did not come."""
        if self.first is not None:
            self.answer({"parser": "argparse", "declaration": self.first})

    def _at_click(self, command: Any, _name: str, args: Any, kwargs: Any, _caller: Any) -> None:
        parser = "typer" if type(command).__module__.partition(".")[0] == "typer" else "click"
        try:
            found: dict[str, Any] = {"parser": parser, "declaration": clicked.declare(command)}
            found["fed"] = (args[0] if args else kwargs.get("args")) is not None
        except clicked.NoForm as error:
            self.answer({"reason": str(error)})
        if self.args is not None:
            read = _read(args[0] if args else kwargs.get("args"))
            found.update(parse_with_click(command, read), args=_told(read))
        self.answer(found)


def _complete(parser: Any) -> None:
    """Have a parser of simple_parsing add the options of its dataclasses; it does so itself only as it parses."""
    if type(parser).__module__.partition(".")[0] == "simple_parsing" and hasattr(parser, "_preprocessing"):
        parser._preprocessing(args=[], namespace=None)


def _read(given: Any) -> list[Any]:
    """The arguments that a parser reads: those that it is given, or else those that the script has by now."""
    return list(sys.argv[1:] if given is None else given)


def _told(args: list[Any]) -> list[str]:
    return [text_of(arg) for arg in args]


def _join(first: dict[str, Any], record: dict[str, Any]) -> bool:
    """Put the options of an earlier parser before those of a record; True where that has any others."""
    flags = {flag for option in record["options"] for flag in option["flags"]}
    names = {option["name"] for option in record["options"]}
    kept = [at for at, one in enumerate(first["options"]) if one["name"] not in names and not flags & set(one["flags"])]
    for group in record["exclusive"]:
        group["places"] = [place + len(kept) for place in group["places"]]
    if record["commands"]:
        record["commands"]["place"] += len(kept)
    record["exclusive"] += [
        {**group, "places": [kept.index(place) for place in group["places"]]}
        for group in first["exclusive"]
        if set(group["places"]) <= set(kept)
    ]
    record["options"] = [first["options"][at] for at in kept] + record["options"]
    return bool(kept)
