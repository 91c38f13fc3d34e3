"""Inspects a script in an interpreter of its own, which need not have Traindeck installed.

    python .../traindeck/runner/inspecting/start.py REQUEST

The package is found beside this file, and is not in the way of the script: `sys.path` stays the interpreter's own.
"""

import json
import os
import sys
import types


def main(path: str) -> None:
    """Read the request in the file `path`, and do it."""
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    if sys.path[:1] == [folder]:
        del sys.path[0]
    for name, levels in (("traindeck", 2), ("traindeck.runner", 1)):
        package = types.ModuleType(name)
        package.__path__ = [os.path.normpath(os.path.join(folder, *[os.pardir] * levels))]  # noqa: PTH118
        sys.modules[name] = package
    from traindeck.runner.inspecting.script import inspect

    for name in [one for one in sys.modules if one.partition(".")[0] == "traindeck"]:
        del sys.modules[name]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        request = json.load(file)
    inspect(request)


if __name__ == "__main__":
    main(sys.argv[1])
