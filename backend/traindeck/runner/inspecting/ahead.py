"""Tells whether a script that has asked one parser is going to ask another, from the code that it has left to run.

A parser that passes over what it does not know may be the first of several: one for a configuration file, or a stage of
a parser that gets more options. Only what can be read is looked at; nothing is run.
"""

from __future__ import annotations

import dis
import os
import types
from collections.abc import Iterator
from typing import Any

PARSE_CALLS = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args"})
DEEPEST = 4
"""Calls that are followed from a function to the next."""


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
