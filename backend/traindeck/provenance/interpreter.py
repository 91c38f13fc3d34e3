"""Query a Python interpreter for its version and installed packages, and cache the answer until these change."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from traindeck.provenance.masking import mask_text

ANSWER_SECONDS = 10.0
"""How long an interpreter may take. Listing 200 packages takes 0.3 s, and several seconds from a cold disk."""
MAX_ANSWER_BYTES = 16_000_000
MAX_CACHED = 32
SEARCH_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "HOME")
"""The variables that determine in which folders an interpreter finds packages."""
FACTS_SCRIPT = Path(__file__).with_name("python_facts.py")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter and its packages, sorted by name, each with name, version, editable and origin."""

    version: str
    implementation: str
    executable: str
    prefix: str
    torch: dict[str, str | None] | None
    packages: list[dict[str, Any]]
    folders: tuple[str, ...]


class Interpreters:
    """A cache of queried interpreters, for use by one thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[Interpreter, tuple[int, ...]]] = {}

    def query(self, executable: str, variables: Mapping[str, str]) -> Interpreter | None:
        """Return the facts about an interpreter with these environment variables; None if it does not answer.

        This starts the interpreter, unless the cached answer is current: nothing was installed or removed since.
        """
        key = (executable, *(variables.get(name, "") for name in SEARCH_VARIABLES))
        known = self._known.get(key)
        if known is not None and known[1] == _changed_ns(executable, known[0].folders):
            return known[0]
        self._known.pop(key, None)
        began_ns = time.time_ns()
        found = _read(_answer(executable, variables))
        if found is None:
            return None
        changed_ns = _changed_ns(executable, found.folders)
        # The answer may or may not include what was installed while it was written: do not cache it.
        if max(changed_ns) < began_ns:
            self._known[key] = (found, changed_ns)
        while len(self._known) > MAX_CACHED:
            self._known.pop(next(iter(self._known)))
        return found


def _changed_ns(executable: str, folders: tuple[str, ...]) -> tuple[int, ...]:
    """Return when the interpreter and each folder of packages last changed. Installing a package changes a folder."""
    return tuple(_modified_ns(path) for path in (executable, *folders))


def _modified_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


@cache
def _script() -> str:
    return FACTS_SCRIPT.read_text()


def _answer(executable: str, variables: Mapping[str, str]) -> bytes:
    # A file and not a pipe, because child processes of the interpreter may keep a pipe open after its end.
    with TemporaryFile() as answer:
        try:
            process = subprocess.Popen(
                [executable, "-c", _script()],
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={**variables, "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        except (OSError, ValueError):
            return b""
        try:
            process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return b""
        answer.seek(0)
        return answer.read(MAX_ANSWER_BYTES)


def _read(answer: bytes) -> Interpreter | None:
    # The last line; start-up files of the interpreter may print before it.
    try:
        content = json.loads(answer.rpartition(b"\n")[2])
        return Interpreter(
            version=str(content["version"]),
            implementation=str(content["implementation"]),
            executable=str(content["executable"]),
            prefix=str(content["prefix"]),
            torch=content["torch"],
            packages=[{**one, "origin": one["origin"] and mask_text(one["origin"])} for one in content["packages"]],
            folders=tuple(content["folders"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
