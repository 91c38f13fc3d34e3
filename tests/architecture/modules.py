"""The modules of the package, and what each imports, read without importing any."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "backend" / "traindeck"


@cache
def sources() -> dict[str, ast.Module]:
    """Every module by its dotted name."""
    return {_name(path): ast.parse(path.read_text(), str(path)) for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> str:
    """The first name below the package: "runs" for traindeck.runs.queue, "" for the package itself."""
    return module.removeprefix("traindeck").lstrip(".").partition(".")[0]


def imports(tree: ast.AST) -> set[str]:
    """Every module that code imports, wherever the import stands; those for type checkers alone are left out."""
    return set(_imports(tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"a relative import in line {node.lineno}"
            yield from _named(node)
        else:
            yield from _imports(node)


def _named(node: ast.ImportFrom) -> Iterator[str]:
    # "from traindeck.runs import commands" imports a module, "from traindeck.runs.queue import Capacity" does not.
    for alias in node.names:
        whole = f"{node.module}.{alias.name}"
        yield whole if whole in _names() else str(node.module)


@cache
def _names() -> frozenset[str]:
    return frozenset(_name(path) for path in PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
