"""Modules and functions stay small enough to be read at once."""

import ast

import pytest

from architecture.modules import PACKAGE, sources

MODULE_LINES = 300
FUNCTION_LINES = 45
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_one_noun_and_fewer_than_300_lines(path):
    assert len(path.read_text().splitlines()) < MODULE_LINES
    assert path.stem not in VAGUE


@pytest.mark.parametrize("module", sorted(sources()))
def test_a_function_has_fewer_than_45_lines_and_prints_nothing(module):
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 < FUNCTION_LINES, node.name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"line {node.lineno}"


@pytest.mark.parametrize("module", sorted(sources()))
def test_a_module_says_what_it_is_for(module):
    tree = sources()[module]
    assert ast.get_docstring(tree) or not tree.body
