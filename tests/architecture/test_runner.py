"""The runner works in other people's environments: the standard library alone, as Python 3.9 has it."""

import ast
import builtins
import sys
from collections.abc import Iterator

import pytest

from architecture.modules import imports, sources

OLDEST = (3, 9)
PACKAGE = "traindeck.runner"
BY_NAME = {"traindeck.trainers.running"}
"""Modules of other layers that the runner names in a string, and imports where a run needs them."""
LIBRARIES = {"psutil": "elsewhere than on Linux, where each shim is a fresh Python of the deck's own"}
"""What functions of the runner import beyond the standard library, and when."""

REMOVED = {"asynchat", "asyncore", "cgi", "crypt", "distutils", "imp", "nntplib", "pipes", "smtpd", "telnetlib", "uu"}
"""Modules that a later Python no longer has."""
LATER_MODULES = {"annotationlib", "compression", "tomllib"}
LATER = {
    "asyncio": {"Barrier", "Runner", "TaskGroup", "timeout", "timeout_at"},
    "builtins": {"BaseExceptionGroup", "EncodingWarning", "ExceptionGroup", "PythonFinalizationError", "aiter", "anext"},
    "contextlib": {"aclosing", "chdir"},
    "copy": {"replace"},
    "dataclasses": {"KW_ONLY"},
    "datetime": {"UTC"},
    "enum": {"EnumCheck", "FlagBoundary", "ReprEnum", "StrEnum", "global_enum", "member", "nonmember", "verify"},
    "hashlib": {"file_digest"},
    "inspect": {"BufferFlags", "get_annotations", "getmembers_static", "markcoroutinefunction"},
    "io": {"Reader", "Writer", "text_encoding"},
    "itertools": {"batched", "pairwise"},
    "logging": {"getHandlerByName", "getHandlerNames", "getLevelNamesMapping"},
    "math": {"cbrt", "exp2", "fma", "sumprod"},
    "operator": {"call"},
    "os": {"eventfd", "eventfd_read", "eventfd_write", "login_tty", "posix_openpt", "process_cpu_count", "setns",
           "splice", "timerfd_create", "unshare"},
    "pathlib": {"UnsupportedOperation"},
    "random": {"binomialvariate"},
    "re": {"NOFLAG", "PatternError"},
    "sys": {"exception", "monitoring", "stdlib_module_names"},
    "threading": {"getprofile", "gettrace", "setprofile_all_threads", "settrace_all_threads"},
    "types": {"CapsuleType", "EllipsisType", "NoneType", "NotImplementedType", "UnionType", "get_original_bases"},
    "typing": {"Concatenate", "LiteralString", "Never", "NoDefault", "NotRequired", "ParamSpec", "ReadOnly", "Required",
               "Self", "TypeAlias", "TypeAliasType", "TypeGuard", "TypeIs", "TypeVarTuple", "Unpack", "assert_never",
               "assert_type", "dataclass_transform", "override", "reveal_type"},
    "warnings": {"deprecated"},
}  # fmt: skip
"""Names that came after 3.9, by module."""
LATER_METHODS = {"add_note", "bit_count", "from_uri", "full_match", "hardlink_to", "is_junction", "subgroup"}
LATER_ARGUMENTS = {
    "NamedTemporaryFile": {"delete_on_close"},
    "Popen": {"pipesize", "process_group"},
    "TemporaryDirectory": {"delete", "ignore_cleanup_errors"},
    "bisect_left": {"key"},
    "bisect_right": {"key"},
    "dataclass": {"kw_only", "match_args", "slots", "weakref_slot"},
    "exists": {"follow_symlinks"},
    "field": {"kw_only"},
    "glob": {"include_hidden"},
    "map": {"strict"},
    "rmtree": {"dir_fd", "onexc"},
    "run": {"pipesize", "process_group"},
    "write_text": {"newline"},
    "zip": {"strict"},
}
"""Arguments that came after 3.9, by the name of the function."""

MODULES = {name: tree for name, tree in sources().items() if name == PACKAGE or name.startswith(f"{PACKAGE}.")}


def found_in(tree: ast.Module) -> list[str]:
    """What a module has that the standard library of Python 3.9 has not."""
    return [*_libraries(tree), *_names(tree), *_arguments(tree), *_unions(tree)]


def _libraries(tree: ast.Module) -> Iterator[str]:
    top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    for name in imports(tree):
        first = name.partition(".")[0]
        own = name == PACKAGE or name.startswith(f"{PACKAGE}.")
        lazy = first in LIBRARIES and name not in imports(top)
        standard = first in sys.stdlib_module_names - REMOVED - LATER_MODULES
        if not (own or lazy or standard):
            yield f"import {name}"


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{one.name}" for one in node.names if one.name in LATER.get(node.module, ()))
        elif isinstance(node, ast.Attribute):
            module = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in LATER.get(module, LATER_METHODS):
                yield f"{module}.{node.attr}"
        elif isinstance(node, ast.Name) and node.id in LATER["builtins"]:
            yield node.id


def _arguments(tree: ast.Module) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        yield from (f"{name}({one.arg}=)" for one in call.keywords if one.arg in LATER_ARGUMENTS.get(name, ()))


def _unions(tree: ast.Module) -> Iterator[str]:
    """`X | Y` of types that is evaluated: outside of annotations, or in them where they are no strings."""
    annotations = [] if _has_string_annotations(tree) else list(_annotations(tree))
    evaluated = [one for annotation in annotations for one in ast.walk(annotation)]
    ignored = {id(one) for annotation in _annotations(tree) for one in ast.walk(annotation)}
    nodes = [*evaluated, *(node for node in ast.walk(tree) if id(node) not in ignored)]
    for node in nodes:
        joins = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)
        if joins and any(map(_is_type, (node.left, node.right))):
            yield ast.unparse(node)


def _has_string_annotations(tree: ast.Module) -> bool:
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    return any(one.name == "annotations" for node in futures for one in node.names)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
        if annotation is not None:
            yield annotation


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    if isinstance(node, ast.Constant):
        return node.value is None
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return isinstance(getattr(builtins, name, None), type) or (name[:1].isupper() and not name.isupper())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_of_the_runner_has_the_syntax_of_the_oldest_python(module: str) -> None:
    ast.parse(ast.unparse(MODULES[module]), feature_version=OLDEST)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_of_the_runner_uses_the_standard_library_of_that_python_alone(module: str) -> None:
    assert found_in(MODULES[module]) == []


def test_the_runner_names_one_module_of_another_layer() -> None:
    nodes = [node for tree in MODULES.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = {node.value for node in nodes if isinstance(node.value, str) and " " not in node.value}
    assert {text for text in texts if text.startswith("traindeck.") and not text.startswith(PACKAGE)} == BY_NAME


@pytest.mark.parametrize(
    "source",
    [
        "import numpy",
        "import psutil",
        "def f():\n    import torch",
        "from traindeck.runs import status",
        "import tomllib",
        "from distutils import core",
        "from enum import StrEnum",
        "import datetime\ndatetime.UTC",
        "raise ExceptionGroup('', [])",
        "zip(a, b, strict=True)",
        "@dataclasses.dataclass(slots=True)\nclass A: pass",
        "(3).bit_count()",
        "Text = str | None",
        "isinstance(1, int | float)",
        "def f(a: int | None): pass",
        "def f() -> dict[str, int] | None: pass",
    ],
)
def test_what_such_a_python_lacks_is_seen(source: str) -> None:
    assert found_in(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import psutil",
        "import os\nos.O_RDONLY | os.O_CLOEXEC",
        "known = {'a'} | LATER",
        "from __future__ import annotations\ndef f(a: int | None) -> str | None: pass",
        "from traindeck.runner.order import Order",
    ],
)
def test_what_it_has_is_not(source: str) -> None:
    assert found_in(ast.parse(source)) == []


def test_newer_syntax_is_refused() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match a:\n    case 1: pass", feature_version=OLDEST)
