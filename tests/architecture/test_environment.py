"""Only the settings read the environment."""

import ast

from architecture.modules import sources

READS_FOR_A_REASON = {
    "traindeck.runner.child": "a run's process has an environment of its own, which is put in place there",
    "traindeck.runner.variables": "what that environment holds is inherited from the deck's, less its settings",
    "traindeck.runner.forkserver": "what its imports set there is not what a run shall find",
    "traindeck.runner.hook.sitecustomize": "takes away what a module was started with, before the user's code runs",
    "traindeck.runner.inspecting.script": "a script that is asked for its options must not find the deck's settings, "
    "and the folder of temporary files is named there, for any interpreter",
}
NAMES = {"environ", "environb", "getenv", "getenvb", "putenv"}


def reads_environment(tree: ast.AST) -> bool:
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_os(node.value)}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "os"]
    imported = {alias.name for node in froms for alias in node.names}
    return bool((attributes | imported) & NAMES)


def _is_os(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"


READERS = {module for module, tree in sources().items() if reads_environment(tree)}


def test_only_the_settings_read_the_environment_and_the_few_that_are_listed_with_a_reason():
    assert READERS - {"traindeck.settings"} <= set(READS_FOR_A_REASON)


def test_no_exception_is_listed_that_is_not_needed():
    assert set(READS_FOR_A_REASON) <= READERS
