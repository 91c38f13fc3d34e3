"""Read the commit, the branch and the uncommitted changes of a project from git.

The `git` program runs no program that the repository names, asks no question, and has limited time.
"""

import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

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
MAX_DIFF_BYTES = 1_000_000
MAX_UNTRACKED = 200
LISTED_BYTES = 4_000_000
TOKEN = re.compile(
    r"\A(?:x-access-token|oauth2|(?:gh[pousr]_|github_pat_|glpat-|hf_|sk-).+|(?=.*\d)[\w-]{20,})", re.IGNORECASE
)
"""What stands for a user in an address, and is none."""
OWN_SCOPES = (b"local", b"worktree")
PROGRAMS = {b"filter": (b"clean", b"smudge", b"process"), b"diff": (b"command", b"textconv")}
"""Settings that name a program, by section; between both stands a name of the repository's own: any bytes, or none."""


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
        # It has ended already, or the system forbids it: its time and its output are bounded in any case.
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


@dataclass(frozen=True, slots=True)
class GitState:
    """A repository at one moment; None for what could not be learned in time.

    Attributes:
        folder: The project's folder, below the top of the repository; "" for the top itself.
        untracked: Files and folders that git does not know, below the top; at most 200.
        diff_bytes: The size of what was kept of the uncommitted changes; 0 where there are none.
        read_at: When git was asked, in UTC: shortly after the launch.
    """

    commit: str | None
    branch: str | None
    dirty: bool | None
    remote: str | None
    folder: str
    untracked: list[str] = field(default_factory=list)
    untracked_truncated: bool = False
    diff_bytes: int | None = None
    diff_truncated: bool = False
    read_at: str = ""

    def as_json(self) -> dict[str, Any]:
        """The content of git.json."""
        return asdict(self)


def repository_of(folder: Path) -> Path | None:
    """The top of the repository that a folder lies in, found without asking git; None where it lies in none."""
    return next((above for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), None)


def read_git(folder: Path, git: GitProgram | None = None) -> tuple[GitState, bytes] | None:
    """What git says of the repository around `folder`, and the uncommitted changes against its last commit.

    Takes at most two seconds. None where there is no repository, or no git, or one that it refuses (safe.directory).
    """
    top = repository_of(folder)
    if top is None:
        return None
    git = git or GitProgram(folder)
    read_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        remote = _settings(git, top)
        inside, _ = git.run("rev-parse", "--show-prefix")
    except GitFailed:
        return None
    prefix = inside.decode(errors="replace").rstrip("\n").rstrip("/")
    commit, branch = _head(git)
    state = GitState(commit, branch, None, remote, prefix, read_at=read_at)
    try:
        return _changes(git, state)
    except GitFailed:
        return state, b""


def public_url(url: str) -> str:
    """The address of a repository without passwords and tokens."""
    if "://" not in url:
        return _public_scp(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    # Over ssh the name is part of the address; over http it may be a token.
    user = f"{parts.username}@" if parts.username and "ssh" in parts.scheme else ""
    return urlunsplit((parts.scheme, f"{user}{host}{port}", parts.path, "", ""))


def _public_scp(url: str) -> str:
    """The same for `user@host:path`, and for a path: a password goes, and a user that looks like a token."""
    user, at, rest = url.partition("@")
    if not at or "/" in user:
        return url
    name, colon, _ = user.partition(":")
    return rest if (colon and not name) or TOKEN.fullmatch(name) else f"{name}@{rest}"


def _settings(git: GitProgram, top: Path) -> str | None:
    """Turn off the programs that the repository's own settings name; the address of its remote.

    Raises:
        GitFailed: they cannot be turned off.
    """
    listed, more = git.run("config", "--list", "--show-scope", "-z", limit=LISTED_BYTES)
    if more:
        raise GitFailed("the settings of the repository have no end")
    fields = listed.split(b"\0")
    remotes, scopes = {}, {}
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        name, _, value = setting.partition(b"\n")
        scopes[name] = scope
        if scope in OWN_SCOPES:
            git.overrides.update(_without_programs(name))
            if name == b"core.worktree":
                # It may be any folder, whose files would be taken for changes.
                git.variables["GIT_WORK_TREE"] = str(top)
        if name.startswith(b"remote.") and name.endswith(b".url"):
            remotes[name[7:-4]] = value.decode(errors="replace")
    if scopes.get(MARK) != b"command":
        raise GitFailed("git is older than 2.31: the programs that a repository names cannot be turned off")
    url = remotes.get(b"origin") or next(iter(remotes.values()), None)
    return public_url(url) if url else None


def _without_programs(name: bytes) -> dict[bytes, bytes]:
    """The settings that turn off the program which a setting of this name would have git run; none for others."""
    driver, _, variable = name.rpartition(b".")
    section = driver.partition(b".")[0].lower()
    if b"." not in driver or variable.lower() not in PROGRAMS.get(section, ()):
        return {}
    programs = {driver + b"." + one: b"" for one in PROGRAMS[section]}
    return {**programs, driver + b".required": b"false"} if section == b"filter" else programs


def _head(git: GitProgram) -> tuple[str | None, str | None]:
    return _line(git, "rev-parse", "--verify", "--quiet", "HEAD"), _line(git, "symbolic-ref", "-q", "--short", "HEAD")


def _line(git: GitProgram, *arguments: str) -> str | None:
    """What git answers in one line; None where it has nothing to say, as of a branch that has no commit."""
    try:
        return git.run(*arguments)[0].decode(errors="replace").strip() or None
    except GitFailed:
        return None


def _changes(git: GitProgram, state: GitState) -> tuple[GitState, bytes]:
    status, _ = git.run(
        "status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all", "--no-renames",
        limit=LISTED_BYTES,
    )  # fmt: skip
    entries = status.decode(errors="replace").rstrip("\0").split("\0") if status else []
    untracked = [entry[3:] for entry in entries if entry.startswith("??")]
    changed = len(entries) > len(untracked)
    diff, cut = _diff(git, state) if changed else (b"", False)
    content = {
        **asdict(state),
        "dirty": changed,
        "untracked": untracked[:MAX_UNTRACKED],
        "untracked_truncated": len(untracked) > MAX_UNTRACKED,
        "diff_bytes": len(diff) if diff is not None else None,
        "diff_truncated": cut,
    }
    return GitState(**content), diff or b""


def _diff(git: GitProgram, state: GitState) -> tuple[bytes | None, bool]:
    try:
        # Where there is no commit yet, what is staged is all that can be told.
        against = ["HEAD"] if state.commit else ["--cached"]
        return git.run(
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=all",
            *against, "--", ":/", limit=MAX_DIFF_BYTES,
        )  # fmt: skip
    except GitFailed:
        return None, False
