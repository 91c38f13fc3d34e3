"""Keeps the deck's frames below a script out of what it says: `warnings` looks up the stack for a caller.

It passes over frames of the import system, which it knows by the name of the file. Where no other frame is left, a
warning is of `sys:1`, as it is under `python script.py`.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = " importlib._bootstrap"
"""Both words stand in the names of files that are passed over."""


def unseen(function: Function) -> Function:
    """Return the function, whose frames `warnings` does not take for the caller of a script."""
    function.__code__ = _renamed(function.__code__)
    return function


def is_unseen(code: CodeType) -> bool:
    """Return True for the code of such a function."""
    return code.co_filename.endswith(MARK)


def _renamed(code: CodeType) -> CodeType:
    inner = tuple(_renamed(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=code.co_filename + MARK, co_consts=inner)
