"""A process of the runner has the user's limit of open files, not the raised one of the server."""

import os
import resource
import subprocess
import sys

from traindeck.runner.variables import OPEN_FILES, variables_of_limit

SAYS = """
import os, resource
from traindeck.runner.variables import OPEN_FILES, restore_open_files
restore_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], OPEN_FILES in os.environ)
"""


def said(limit: int | None) -> str:
    environment = {**os.environ, **variables_of_limit(limit)}
    return subprocess.run([sys.executable, "-c", SAYS], env=environment, capture_output=True, text=True).stdout.strip()


def test_the_limit_is_restored_and_its_variable_is_gone():
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert said(256) == "256 False"
    assert said(None) == f"{soft} False"
    assert variables_of_limit(512) == {OPEN_FILES: "512"}
