"""Stop a script where its parser would parse: replace the parsers of argparse, click, and Typer.

A parser that ignores unknown arguments may be the first of several, such as one for a configuration file. The code that
the script has yet to run says so; it is read, not executed. Where options have types of the script's own, the script's
own parser reads the arguments.
"""

from __future__ import annotations

import argparse
import dis
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from traindeck.runner.inspecting import clicked, declared
from traindeck.runner.inspecting.clicked import unset_as_none
from traindeck.runner.inspecting.declared import text_of

PARSE_CALLS = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"})
DEEPEST = 4
"""Calls that are followed from a function to the next."""
PATIENCE_SECONDS = 2.0
"""How long a second parser may take to come after a first one that left arguments to it."""


class _Refused(Exception):
    pass


class _Early(Exception):
    """Help or a version was asked for."""


def parse_with_argparse(parser: Any, name: str, args: list[str], split: bool) -> dict[str, Any]:
    """What the parser makes of arguments: {"values"} by name, {"refusal": message}, or {"early": true}.

    With `split`, others than this parser read some of the arguments, so nobody can tell.
    """
    if split:
        return {}
    # Sub-parsers are of the same class, or of one that inherits from it.
    argparse.ArgumentParser.error = _refuse  # type: ignore[method-assign, assignment]
    argparse.ArgumentParser.exit = _exit  # type: ignore[method-assign, assignment]
    argparse.ArgumentParser._get_value = _naming(argparse.ArgumentParser._get_value)  # type: ignore[method-assign]
    try:
        known = name.replace("parse_args", "parse_known_args").replace("parse_intermixed", "parse_known_intermixed")
        namespace, extras = getattr(parser, known)(args)
    except _Early:
        return {"early": True}
    except (_Refused, argparse.ArgumentError, SystemExit) as error:
        return {"refusal": text_of(error) or type(error).__name__}
    except Exception as error:
        return {"refusal": type(error).__name__ + ": " + text_of(error)}
    if extras and "known" not in name:
        return {"refusal": "unrecognized arguments: " + " ".join(map(text_of, extras))}
    return {"values": {key: unset_as_none(value) for key, value in _values(parser, namespace)}, "extras": extras}


def _values(parser: Any, namespace: Any) -> Iterator[tuple[str, Any]]:
    """What was read, by name. An option called `model.width` may have become a field of an object called `model`."""
    yield from vars(namespace).items()
    for action in parser._actions:
        first, *fields = str(action.dest).split(".")
        value = getattr(namespace, first, None) if fields and not hasattr(namespace, action.dest) else None
        for name in fields:
            value = getattr(value, name, None)
        if value is not None:
            yield action.dest, value


def _naming(get_value: Callable[..., Any]) -> Callable[..., Any]:
    """As the parser's own, but a type that fails in an unforeseen way is told with its option, too."""

    def named(parser: Any, action: Any, text: Any) -> Any:
        try:
            return get_value(parser, action, text)
        except argparse.ArgumentError:
            raise
        except Exception as error:
            raise argparse.ArgumentError(action, type(error).__name__ + ": " + text_of(error)) from error

    return named


def _refuse(_parser: argparse.ArgumentParser, message: str) -> Any:
    raise _Refused(message)


def _exit(_parser: argparse.ArgumentParser, status: int = 0, message: str | None = None) -> Any:
    raise _Refused(message) if status else _Early


def parse_with_click(command: Any, args: list[str]) -> dict[str, Any]:
    """As `parse_with_argparse`, for a click or Typer command; values are a list, one object for each command."""
    levels = []
    context, name, rest = None, command.name or "", list(args)
    try:
        while True:
            context = command.make_context(name, rest, parent=context)
            levels.append({key: unset_as_none(value) for key, value in context.params.items()})
            rest = [*getattr(context, "_protected_args", []), *context.args]
            if not rest or not hasattr(command, "resolve_command"):
                return {"levels": levels, "extras": rest}
            name, command, rest = command.resolve_command(context, rest)
            levels[-1][""] = name
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        if kind in ("Exit", "NoArgsIsHelpError") or (isinstance(error, SystemExit) and not error.code):
            return {"early": True}
        if kind == "Abort":
            return {"refusal": "it asks for a value, and nobody answers in a run"}
        said = text_of(error.format_message() if hasattr(error, "format_message") else error)
        return {"refusal": said or kind}


class Ahead:
    """The calls of parsers that are left in the script's own code, which is all that lies below `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip(os.sep) + os.sep
        self._seen: set[types.CodeType] = set()

    def has_parser(self, frame: types.FrameType | None) -> bool:
        """Return True where `frame`, or what has called it, names a call of a parser after the place where it is."""
        self._seen.clear()
        while frame is not None:
            if self._is_own(frame.f_code) and self._leads(frame.f_code, frame.f_lasti, frame.f_globals, DEEPEST):
                return True
            frame = frame.f_back
        return False

    def _leads(self, code: types.CodeType, after: int, names_of: dict[str, Any], depth: int) -> bool:
        names = set(_names(code, after))
        if names & PARSE_CALLS:
            return True
        called = [one for name in names for one in _functions(names_of.get(name), names)] if depth else []
        return any(self._is_new(one) and self._leads(one.__code__, -1, one.__globals__, depth - 1) for one in called)

    def _is_new(self, function: types.FunctionType) -> bool:
        new = self._is_own(function.__code__) and function.__code__ not in self._seen
        self._seen.add(function.__code__)
        return new

    def _is_own(self, code: types.CodeType) -> bool:
        return os.path.abspath(code.co_filename).startswith(self._folder)  # noqa: PTH100


def _names(code: types.CodeType, after: int) -> Iterator[str]:
    """The names in a code behind a place, and in the functions that it defines there."""
    for instruction in dis.get_instructions(code):
        if instruction.offset > after and instruction.opcode in dis.hasname:
            yield str(instruction.argval)
        elif instruction.offset > after and isinstance(instruction.argval, types.CodeType):
            yield from _names(instruction.argval, -1)


def _functions(value: Any, names: set[str]) -> Iterator[types.FunctionType]:
    """The functions that a global name may stand for: itself, a class's, or those of a module that are named, too."""
    if isinstance(value, types.FunctionType):
        yield value
    elif isinstance(value, type):
        for base in value.__mro__:
            yield from (one for one in vars(base).values() if isinstance(one, types.FunctionType))
    elif isinstance(value, types.ModuleType):
        for name in names & set(vars(value)):
            if not isinstance(vars(value)[name], types.ModuleType):
                yield from _functions(vars(value)[name], names)


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
