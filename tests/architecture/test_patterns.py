"""No pattern of the package takes more than linear time, whatever text it meets."""

import ast
import importlib
import math
import re
import re._constants as constants
import re._parser as parser
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from architecture.modules import sources

SIZES = (16, 24, 400, 4_000)
"""Small ones first: what takes exponential time must not be met with a long text."""
SLOW_SECONDS = 0.002
"""Below this a time says nothing of how it grows. At the largest size a quadratic pattern takes several times as long."""
ROUNDS = 8
GROWTH_LIMIT = 3.2
"""Twice the text takes a linear pattern twice the time, and a quadratic one four times."""
CALLS = frozenset({"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"})
WHOLE_TEXT = frozenset({"match", "fullmatch"})
HUGE = 50


def patterns() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Every pattern of the package: where it is, the pattern, and the one method that it is used by, or "search"."""
    methods = _methods()
    for module, tree in sources().items():
        if "sitecustomize" in module or "__main__" in module:
            continue
        calls = [node for node in ast.walk(tree) if _is_pattern_call(node)]
        for node in calls:
            if node.func.attr != "compile" and isinstance(node.args[0], ast.Constant):
                yield f"{module}:{node.args[0].value!r}", re.compile(node.args[0].value), node.func.attr
        if any(node.func.attr == "compile" for node in calls):
            for name in _assigned(tree):
                value = getattr(importlib.import_module(module), name)
                if isinstance(value, re.Pattern):
                    used = methods[name]
                    yield f"{module}.{name}", value, "match" if used and used <= WHOLE_TEXT else "search"


def _is_pattern_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CALLS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )


def _assigned(tree: ast.Module) -> list[str]:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _methods() -> dict[str, set[str]]:
    """By which methods a name is used, in all modules together: a pattern may be tried at the beginning of a text only."""
    used: dict[str, set[str]] = defaultdict(set)
    for tree in sources().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used[node.value.id].add(node.attr)
    return used


def hostile_texts(pattern: re.Pattern[Any]) -> list[tuple[Any, Any, Any]]:
    """Beginning, what is repeated, and end of texts that the pattern may stumble over."""
    # `re` compiles, and so parses, patterns of bytes as text of the same numbers.
    tree = parser.parse(
        pattern.pattern,
        pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags & ~re.DEBUG,
    )
    atoms = list(dict.fromkeys(_atoms(tree)))
    samples = list(dict.fromkeys(_samples(tree)))
    repeated = list(dict.fromkeys([*atoms, *samples, *(a + b for a in atoms[:6] for b in atoms[:6] if a != b)]))[:25]
    beginnings = ["", *list(dict.fromkeys(sample[:end] for sample in samples[:2] for end in _cuts(sample)))]
    texts = [(begin, pump, "\x00") for begin in beginnings[:6] for pump in repeated]
    if isinstance(pattern.pattern, bytes):
        return [tuple(part.encode("latin-1", "ignore") for part in text) for text in texts]
    return texts


def _cuts(sample: str) -> list[int]:
    return list(range(1, min(len(sample), 12) + 1))


def _atoms(tree: Any) -> Iterator[str]:
    """Characters that some place of the pattern takes."""
    for code, argument in tree:
        if code in {constants.LITERAL, constants.NOT_LITERAL}:
            yield chr(argument) if code is constants.LITERAL else _other(chr(argument))
        elif code is constants.IN:
            yield _member(argument)
        elif code is constants.ANY:
            yield "x"
        else:
            for part in _parts(argument):
                yield from _atoms(part)


def _parts(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for one in argument:
            yield from _parts(one)


def _samples(tree: Any) -> Iterator[str]:
    """Texts that the pattern matches: with each repetition as short as it may be, once, and twice."""
    for times in (0, 1, 2):
        yield "".join(_text(node, times) for node in tree)


def _text(node: Any, times: int) -> str:
    code, argument = node
    if code in {constants.LITERAL, constants.NOT_LITERAL}:
        return chr(argument) if code is constants.LITERAL else _other(chr(argument))
    if code is constants.IN:
        return _member(argument)
    if code is constants.ANY:
        return "x"
    if code in {constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT}:
        least, most, part = argument
        return "".join(_text(one, times) for one in part) * max(least, min(times, most, HUGE))
    if code is constants.BRANCH:
        return "".join(_text(one, times) for one in argument[1][min(times, len(argument[1]) - 1)])
    if code is constants.SUBPATTERN:
        return "".join(_text(one, times) for one in argument[-1])
    return ""


def _member(members: Any) -> str:
    negated = any(code is constants.NEGATE for code, _ in members)
    if negated:
        return next(one for one in "x 1-/|.\n" if not _is_in(one, members))
    code, argument = members[0]
    if code is constants.LITERAL:
        return chr(argument)
    if code is constants.RANGE:
        return chr(argument[0])
    return {constants.CATEGORY_DIGIT: "1", constants.CATEGORY_SPACE: " ", constants.CATEGORY_WORD: "a"}.get(
        argument, "x"
    )


def _is_in(character: str, members: Any) -> bool:
    for code, argument in members:
        if code is constants.LITERAL and ord(character) == argument:
            return True
        if code is constants.RANGE and argument[0] <= ord(character) <= argument[1]:
            return True
        if code is constants.CATEGORY:
            is_of = {
                constants.CATEGORY_DIGIT: character.isdigit(),
                constants.CATEGORY_SPACE: character.isspace(),
                constants.CATEGORY_WORD: character.isalnum() or character == "_",
                constants.CATEGORY_NOT_DIGIT: not character.isdigit(),
                constants.CATEGORY_NOT_SPACE: not character.isspace(),
                constants.CATEGORY_NOT_WORD: not (character.isalnum() or character == "_"),
            }
            if is_of.get(argument, False):
                return True
    return False


def _other(character: str) -> str:
    return "y" if character == "x" else "x"


def _seconds(pattern: re.Pattern[Any], method: str, text: Any) -> float:
    """Processor time that the pattern takes to go through a text."""
    begun = time.thread_time()
    if method in WHOLE_TEXT:
        getattr(pattern, method)(text)
    else:
        for _ in pattern.finditer(text):
            pass
    return time.thread_time() - begun


def _repeated(text: tuple[Any, Any, Any], size: int) -> Any:
    begin, pump, end = text
    return begin + pump * (size // len(pump)) + end


def slow_text(pattern: re.Pattern[Any], method: str) -> str | None:
    """A text whose time grows faster than its length; None where there is none among the hostile ones."""
    for text in hostile_texts(pattern):
        if not text[1]:
            continue
        slow = (size for size in SIZES if _seconds(pattern, method, _repeated(text, size)) >= SLOW_SECONDS)
        size = next(slow, None)
        if size is None:
            continue
        once = twice = math.inf
        # A busy machine may make one measurement long, but not the shortest of several.
        for _ in range(ROUNDS):
            once = min(once, _seconds(pattern, method, _repeated(text, size // 2)))
            twice = min(twice, _seconds(pattern, method, _repeated(text, size)))
            if twice <= GROWTH_LIMIT * once:
                break
        else:
            return f"{text[0]!r} + {text[1]!r} * n + {text[2]!r}: {once:.3f} s, and {twice:.3f} s for twice the length"
    return None


def test_every_pattern_takes_time_in_proportion_to_the_text() -> None:
    found = {where: slow_text(pattern, method) for where, pattern, method in patterns()}
    assert len(found) > 50
    assert {where: text for where, text in found.items() if text} == {}


@pytest.mark.parametrize("slow", [r"\[[^\]]*\]", r"1+ms/step", r"(a|b|ab)*c", r"x*x*y"])
def test_a_pattern_that_does_not_is_found(slow: str) -> None:
    assert slow_text(re.compile(slow), "search") is not None
