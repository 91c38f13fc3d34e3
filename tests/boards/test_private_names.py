"""What boards use of TensorBoard beyond what it offers to others. pyproject.toml bounds its version because of these."""

import ast
import inspect
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from tensorboard.backend.event_processing import (
    data_provider,
    plugin_event_accumulator,
    plugin_event_multiplexer,
    reservoir,
)
from tensorboard.compat.tensorflow_stub import compat
from tensorboard.plugins.hparams import download_data
from tensorboard.plugins.projector import projector_plugin

from architecture.modules import layer, sources

PRIVATE = {
    plugin_event_accumulator.EventAccumulator: (
        "_GetTensorReservoirSize", "_ProcessEvent", "_ProcessTensor", "_first_event_timestamp", "_generator", "_graph",
        "_tensors_by_tag_lock",
    ),
    plugin_event_multiplexer.EventMultiplexer: ("_accumulators", "_accumulators_mutex", "_paths"),
    reservoir.Reservoir: ("_buckets",),
    reservoir._ReservoirBucket: ("_num_items_seen", "_random"),
    data_provider.MultiplexerDataProvider: (
        "_index", "_multiplexer", "_validate_context", "_validate_downsample", "_validate_experiment_id",
    ),
    projector_plugin.ProjectorPlugin: (
        "_configs", "_get_embedding", "_is_active", "_read_latest_config_files", "_thread_for_determining_is_active",
    ),
}  # fmt: skip
"""Methods that are called or replaced, and attributes that are read or set, by the class that has them."""

REPLACED = {compat: "as_bytes", download_data: "Handler"}
"""Functions and classes in whose place boards put their own."""


@cache
def private_names_of(owner: type) -> frozenset[str]:
    """The names with one underscore that a class defines, or sets on its objects."""
    set_on_objects = re.findall(r"self\.(_[A-Za-z]\w*)\b", inspect.getsource(owner))
    return frozenset(name for name in (*vars(owner), *set_on_objects) if re.match(r"_[A-Za-z]", name))


def source_of(module: str) -> str:
    """The text of a module that warns when it is imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def used_of(owner: type) -> set[str]:
    """The names that boards use in their own kinds of a class, or, where they have none, anywhere."""
    trees = [tree for name, tree in sources().items() if layer(name) == "boards"]
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    derived: list[ast.AST] = [node for node in classes.values() if _derives(node, owner.__name__, classes)]
    nodes = [node for tree in derived or trees for node in ast.walk(tree)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def _derives(node: ast.ClassDef, name: str, classes: dict[str, ast.ClassDef]) -> bool:
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    return name in bases or any(_derives(classes[base], name, classes) for base in bases if base in classes)


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner, names in PRIVATE.items() for name in names])
def test_the_installed_tensorboard_has_it(owner: type, name: str) -> None:
    assert name in private_names_of(owner)


@pytest.mark.parametrize(("module", "name"), REPLACED.items(), ids=lambda one: str(one))
def test_tensorboard_looks_up_what_boards_replace_where_they_replace_it(module: object, name: str) -> None:
    assert callable(getattr(module, name))


def test_the_table_of_hyperparameters_asks_for_the_handler_at_each_download() -> None:
    assert "download_data.Handler(" in source_of("tensorboard.plugins.hparams.hparams_plugin")


def test_a_web_app_still_takes_middleware() -> None:
    assert "experimental_middlewares=None" in source_of("tensorboard.backend.application")


@pytest.mark.parametrize("owner", PRIVATE, ids=lambda one: one.__name__)
def test_the_list_is_what_boards_use(owner: type) -> None:
    assert private_names_of(owner) & used_of(owner) == set(PRIVATE[owner])
