"""Runs the `git` program: without its repository's say in what is run, without a question, for a bounded time."""

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

CHUNK_BYTES = 65_536
TOTAL_SECONDS = 2.0
SETTINGS = (
    # A repository's own settings name programs, and a repository may come from anybody. What it names under other
    # names (filters) is found and turned off by who calls this.
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


class GitFailed(Exception):
    """Git is not there, refuses, or takes too long."""


@dataclass(slots=True)
class GitProgram:
    """Git in one folder; all calls together have until `deadline` (of time.monotonic)."""

    folder: Path
    settings: list[str] = field(default_factory=lambda: list(SETTINGS))
    deadline: float = field(default_factory=lambda: time.monotonic() + TOTAL_SECONDS)

    def run(self, *arguments: str, limit: int = 1_000_000) -> tuple[bytes, bool]:
        """What git prints, at most `limit` bytes of it; True where there was more.

        Raises:
            GitFailed: it is not there, or has not ended well in time.
        """
        settings = [part for setting in self.settings for part in ("-c", setting)]
        # Variables like GIT_DIR would lead to another repository than the one that the folder lies in.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        try:
            process = subprocess.Popen(
                ["git", "--no-optional-locks", "--no-pager", *settings, *arguments],
                cwd=self.folder,
                env={**inherited, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise GitFailed(str(error)) from error
        return self._output(process, limit)

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
