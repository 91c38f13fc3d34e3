"""Each executor keeps what the protocol says."""

import inspect
import json

import pytest

from traindeck.executors.local.executor import LocalExecutor
from traindeck.executors.memory import MemoryExecutor
from traindeck.executors.protocol import Executor, NotStarted

METHODS = [name for name in vars(Executor) if not name.startswith("_") and name != "name"]


@pytest.mark.parametrize("executor", [LocalExecutor, MemoryExecutor])
@pytest.mark.parametrize("name", METHODS)
def test_an_executor_has_the_methods_of_the_protocol_with_their_parameters(executor, name):
    asked, given = getattr(Executor, name), getattr(executor, name)
    if isinstance(asked, property):
        assert isinstance(given, property)
    else:
        assert list(inspect.signature(given).parameters) == list(inspect.signature(asked).parameters)


def test_a_handle_of_the_executor_in_memory_is_json_and_examining_it_gives_the_attempt_up():
    executor = MemoryExecutor()
    handle = executor.reserve(3, 1)
    assert json.loads(json.dumps(handle.content)) == handle.content
    assert isinstance(executor.examine(handle), NotStarted)
