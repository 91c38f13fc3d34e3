"""Modules are named for one noun, say what they are for, and print nothing."""

import ast

import pytest

from architecture.modules import PACKAGE, sources

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_named_for_one_noun(path):
    assert path.stem not in VAGUE


@pytest.mark.parametrize("module", sorted(sources()))
def test_a_module_of_the_package_prints_nothing(module):
    for node in ast.walk(sources()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"line {node.lineno}"


@pytest.mark.parametrize("module", sorted(sources()))
def test_a_module_says_what_it_is_for(module):
    tree = sources()[module]
    assert ast.get_docstring(tree) or not tree.body
