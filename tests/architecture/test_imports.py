"""Imports point one way."""

import ast
import re
from pathlib import Path

from architecture.modules import imports, layer, sources

DRAWING = Path(__file__).parents[2] / "docs" / "development.md"
LINE = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(\w+)`|the (package)")


def drawn() -> dict[str, set[str]]:
    """The layers that each layer may import, as the table in the docs says; "" is the package itself."""
    lines = LINE.findall(DRAWING.read_text().partition("## The processes")[0])
    return {"": set()} | {name: {layer or "" for layer, _ in NAMED.findall(lower)} for name, lower in lines}


MAY_IMPORT = drawn()
WEB = {"fastapi", "starlette", "uvicorn", "sse_starlette", "httpx"}
PROCESSES = {"subprocess", "multiprocessing"}
NEVER = {
    "db": WEB | PROCESSES,
    "runs": WEB | PROCESSES,
    "events": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch"},
    "progressbars": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch", "tqdm", "rich"},
    "pages": PROCESSES | {"fastapi", "starlette", "sqlalchemy", "sqlmodel"},
    "launches": WEB | PROCESSES | {"torch", "tensorboard", "alembic"},
    "api": PROCESSES | {"torch", "tensorboard", "alembic"},
    "sources": WEB | {"sqlalchemy", "sqlmodel", "torch", "multiprocessing"},
    "scheduling": WEB | PROCESSES | {"torch", "tensorboard", "psutil", "pynvml"},
    "executors": WEB | {"sqlalchemy", "sqlmodel", "torch", "tensorboard"},
    "provenance": WEB | {"torch", "tensorboard"},
    "options": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch"},
    "runner": WEB | {"sqlalchemy", "sqlmodel", "pydantic"},
    "trainers": WEB | {"sqlalchemy", "sqlmodel"},
    "app": {"torch", "tensorboard", "numpy"},
    "server": {"torch", "tensorboard", "numpy"},
}
MODULES = sorted(sources())


def layers_of(tree: ast.AST) -> set[str]:
    """The layers of the package that code imports from."""
    return {layer(name) for name in imports(tree) if name.partition(".")[0] == "traindeck"}


def roots_of(tree: ast.AST) -> set[str]:
    return {name.partition(".")[0] for name in imports(tree)}


def test_every_module_imports_only_what_lies_below_it():
    assert {
        module: above
        for module in MODULES
        if (above := layers_of(sources()[module]) - {layer(module)} - MAY_IMPORT[layer(module)])
    } == {}


def test_every_module_leaves_alone_the_libraries_of_other_layers():
    assert {
        module: libraries
        for module in MODULES
        if (libraries := roots_of(sources()[module]) & NEVER.get(layer(module), set()))
    } == {}


def test_every_layer_is_drawn():
    assert {layer(module) for module in MODULES} == set(MAY_IMPORT)


def test_no_direction_is_drawn_that_no_module_takes():
    taken: dict[str, set[str]] = {name: set() for name in MAY_IMPORT}
    for module in MODULES:
        taken[layer(module)] |= layers_of(sources()[module])
    assert {name: unused for name, lower in MAY_IMPORT.items() if (unused := lower - taken[name])} == {}


def test_the_permitted_directions_have_no_circle():
    def above(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        for lower in MAY_IMPORT[name]:
            above(lower, (*path, name))

    for name in MAY_IMPORT:
        above(name, ())


HEAVY_FOR_A_COMMAND = {
    "app",
    "api",
    "boards",
    "db",
    "executors",
    "scheduling",
    "pages",
    "runs",
    "runner",
    "server",
    "trainers",
}


def test_the_command_line_imports_what_serves_only_when_a_command_runs():
    found = {}
    for module in MODULES:
        if layer(module) == "cli" and ".checks" not in module:
            body = [node for node in sources()[module].body if isinstance(node, ast.Import | ast.ImportFrom)]
            found[module] = layers_of(ast.Module(body, [])) & HEAVY_FOR_A_COMMAND
    assert {module: heavy for module, heavy in found.items() if heavy} == {}


OF_PROCESSES = {"pid", "pids", "pidfd", "boot_id", "shim", "nvml", "signal_all", "marked", "proc"}
"""Names of what only an executor knows about."""


def test_the_scheduler_knows_executors_by_their_protocol_alone():
    for module in MODULES:
        if layer(module) == "scheduling":
            tree = sources()[module]
            below = {name for name in imports(tree) if layer(name) in {"executors", "runner"}}
            named = {getattr(node, kind, None) for node in ast.walk(tree) for kind in ("id", "attr", "arg", "name")}
            texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
            assert below <= {"traindeck.executors.protocol"}, module
            assert not named & OF_PROCESSES, module
            assert not [text for text in texts if text in ("exit.json", "process.json") or "/proc" in str(text)], module
