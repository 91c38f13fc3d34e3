"""Modules are named for one noun, say what they are for, and print nothing."""

import ast

from architecture.modules import PACKAGE, sources

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def prints(tree: ast.AST) -> list[int]:
    """The lines in which code prints."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


def test_every_module_is_named_for_one_noun():
    assert [path for path in PACKAGE.rglob("*.py") if path.stem in VAGUE] == []


def test_no_module_of_the_package_prints():
    assert [f"{module}:{line}" for module, tree in sources().items() for line in prints(tree)] == []


def test_every_module_says_what_it_is_for():
    assert [module for module, tree in sources().items() if tree.body and not ast.get_docstring(tree)] == []
