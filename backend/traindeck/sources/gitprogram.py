"""Runs the `git` program: without its repository's say in what is run, without a question, for a bounded time."""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from traindeck.runner.variables import plain_environment

CHUNK_BYTES = 65_536
TOTAL_SECONDS = 2.0
SETTINGS = (
    # A repository's own settings name programs, and a repository may come from anybody. What it names under names of
    # its own (filters) is found by `read_git`, and turned off by `overrides`.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "core.untrackedCache=false",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
)
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    # No transport at all: a repository may name a program as the place to fetch a missing object from.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "LC_ALL": "C",
}


MARK = b"traindeck.mark"
"""Set for every call: a git that does not list it is older than 2.31, and would not know of `overrides` either."""
MEMORY_BYTES = 1_000_000_000
"""What git may allocate. Its maps of large packs are none of that."""


class GitFailed(Exception):
    """Git is not there, refuses, or takes too long."""


@dataclass(slots=True)
class GitProgram:
    """Git in one folder; all calls together have until `deadline` (of time.monotonic).

    `overrides` are settings by name, whatever characters the name has; `variables` are added to its environment.
    """

    folder: Path
    overrides: dict[bytes, bytes] = field(default_factory=lambda: {MARK: b"1"})
    variables: dict[str, str] = field(default_factory=dict)
    deadline: float = field(default_factory=lambda: time.monotonic() + TOTAL_SECONDS)

    def run(self, *arguments: str, limit: int = 1_000_000) -> tuple[bytes, bool]:
        """What git prints, at most `limit` bytes of it; True where there was more.

        Raises:
            GitFailed: it is not there, or has not ended well in time.
        """
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        try:
            process = subprocess.Popen(
                ["git", "--no-optional-locks", "--no-pager", *settings, *arguments],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise GitFailed(str(error)) from error
        _limit_memory(process)
        return self._output(process, limit)

    def _environment(self) -> dict[str, str]:
        # Variables like GIT_DIR would lead to another repository than the one that the folder lies in.
        kept = {name: value for name, value in plain_environment().items() if not name.startswith("GIT_")}
        variables = {**kept, **ENVIRONMENT, **self.variables}
        # Not by `-c`: there, a name ends at its first "=".
        variables["GIT_CONFIG_COUNT"] = str(len(self.overrides))
        for number, (name, value) in enumerate(self.overrides.items()):
            variables[f"GIT_CONFIG_KEY_{number}"] = os.fsdecode(name)
            variables[f"GIT_CONFIG_VALUE_{number}"] = os.fsdecode(value)
        return variables

    def _output(self, process: subprocess.Popen[bytes], limit: int) -> tuple[bytes, bool]:
        assert process.stdout is not None
        with process:
            try:
                output, ended = self._read(process.stdout.fileno(), limit)
                if not ended:
                    return output, True
                code = process.wait(max(self.deadline - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired as error:
                raise GitFailed("git takes too long") from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        if code:
            raise GitFailed(f"git ended with exit code {code}")
        return output, False

    def _read(self, descriptor: int, limit: int) -> tuple[bytes, bool]:
        """The output, and True where that is all of it."""
        output = bytearray()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while len(output) <= limit:
            left = self.deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise GitFailed("git takes too long")
            chunk = os.read(descriptor, CHUNK_BYTES)
            if not chunk:
                return bytes(output), True
            output += chunk
        return bytes(output[:limit]), False


def _limit_memory(process: subprocess.Popen[bytes]) -> None:
    """Bound what git allocates: its settings may name a file without an end, which it would read as one line."""
    if sys.platform == "linux":
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
