"""Imports point one way."""

import ast

import pytest

from architecture.modules import imports, layer, sources

MAY_IMPORT = {
    "": set(),
    "counting": set(),
    "errors": {"unknown"},
    "logs": set(),
    "openfiles": set(),
    "ports": set(),
    "settings": set(),
    "unknown": set(),
    "db": {"errors", ""},
    "runs": {"code", "db", "errors", "runner", "unknown"},
    "events": set(),
    "progress": set(),
    "trainers": {"counting", "runner", "unknown"},
    "runner": {"trainers"},
    "boards": {"events", "runner"},
    "flags": {"counting", "errors", "trainers", "", "unknown"},
    "dispatch": {"code", "db", "errors", "events", "progress", "flags", "openfiles", "runner", "runs"},
    "code": {"errors", "runner"},
    "records": {"code", "db", "dispatch", "errors", "runner", "runs"},
    "pages": {"counting", "runs", ""},
    "api": {"boards", "code", "counting", "db", "dispatch", "errors", "events", "flags", "pages", "records", "runner", "runs", "settings",
            "trainers", "", "unknown"},
    "app": {"api", "boards", "code", "db", "dispatch", "errors", "pages", "records", "runs", "settings", "trainers", ""},
    "serve": {"api", "app", "counting", "errors", "openfiles", "pages", "ports", "runs", "settings"},
    "cli": {"app", "boards", "counting", "db", "dispatch", "errors", "logs", "pages", "ports", "runs", "runner", "serve", "settings",
            "trainers", "unknown", ""},
}  # fmt: skip
WEB = {"fastapi", "starlette", "uvicorn", "sse_starlette", "httpx"}
PROCESSES = {"subprocess", "multiprocessing"}
NEVER = {
    "db": WEB | PROCESSES,
    "runs": WEB | PROCESSES,
    "events": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch"},
    "progress": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch", "tqdm", "rich"},
    "pages": PROCESSES | {"fastapi", "starlette", "sqlalchemy", "sqlmodel"},
    "api": PROCESSES | {"torch", "tensorboard", "alembic"},
    "code": WEB | {"sqlalchemy", "sqlmodel", "torch", "multiprocessing"},
    "dispatch": WEB | {"torch", "tensorboard"},
    "records": WEB | {"torch", "tensorboard"},
    "flags": WEB | PROCESSES | {"sqlalchemy", "sqlmodel", "torch"},
    "runner": WEB | {"sqlalchemy", "sqlmodel", "pydantic"},
    "trainers": WEB | {"sqlalchemy", "sqlmodel"},
    "app": {"torch", "tensorboard", "numpy"},
    "serve": {"torch", "tensorboard", "numpy"},
}
MODULES = sorted(sources())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module):
    own = layer(module)
    reached = {layer(name) for name in imports(sources()[module]) if name.partition(".")[0] == "traindeck"}

    assert reached - {own} <= MAY_IMPORT[own]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_leaves_alone_the_libraries_of_other_layers(module):
    libraries = {name.partition(".")[0] for name in imports(sources()[module])}

    assert not libraries & NEVER.get(layer(module), set())


def test_the_permitted_directions_have_no_circle():
    def above(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        # A run's process is made of both: the runner starts a trainer, a trainer is given the runner's context.
        for lower in MAY_IMPORT[name] - ({"runner"} if name == "trainers" else set()):
            above(lower, (*path, name))

    for name in MAY_IMPORT:
        above(name, ())


HEAVY_FOR_A_COMMAND = {"app", "api", "boards", "db", "dispatch", "pages", "runs", "runner", "serve", "trainers"}


@pytest.mark.parametrize("module", [name for name in MODULES if layer(name) == "cli" and ".checks" not in name])
def test_the_command_line_imports_what_serves_only_when_a_command_runs(module):
    top = ast.Module([node for node in sources()[module].body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    reached = {layer(name) for name in imports(top) if name.partition(".")[0] == "traindeck"}

    assert not reached & HEAVY_FOR_A_COMMAND
