"""How an attempt ended, as its shim saw it: exit.json."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from traindeck.runner.claim import LATEST
from traindeck.runner.outside import number, open_file, read_object, text, whole

NAME = "exit.json"
LIMIT_BYTES = 64 << 10
LAST_SIGNAL = 64
TAIL_BYTES = 16_384
MAX_REASON_CHARACTERS = 500
TRACEBACK = "Traceback (most recent call last)"
SYNTAX_ERROR = re.compile(r"(Syntax|Indentation|Tab)Error: ")
"""A script that cannot be compiled has no traceback, only this."""
OUR_WORD = "traindeck: "
"""How the log's last line begins where the program could not be started."""
RETRY_SECONDS = 1.0
MACHINE_COUNTER = "/proc/vmstat"
OWN_CGROUPS = "/proc/self/cgroup"
CGROUP_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
OLD_CGROUP_ROOT = "/sys/fs/cgroup/memory"
KILLED_CODES = (137, 247)
"""128 + 9 of a shell whose command was killed, and -9 of a Python that passes on the code of its child."""
KILL_SIGN = re.compile(
    r"SIGKILL|signal:? 9\b|killed by signal|signal: killed|exit ?code:? -9\b|return ?code -9\b"
    r"|terminated abruptly|exited unexpectedly|^killed$|out of memory|cannot allocate memory|MemoryError",
    re.IGNORECASE | re.MULTILINE,
)
"""What parents say of a killed child: DataLoader, multiprocessing, subprocess, concurrent.futures, torchrun."""


@dataclass(frozen=True)
class Ending:
    """The end of one attempt. `finished_at` is in seconds since the epoch, `seconds` is by a monotonic clock."""

    exit_code: int | None
    signal: int | None
    finished_at: float
    seconds: float
    stop_asked: bool = False
    killed: bool = False
    out_of_memory: bool = False
    last_line: str | None = None

    @classmethod
    def of(
        cls,
        wait_status: int,
        *,
        finished_at: float,
        seconds: float,
        stop_asked: bool,
        killed: bool,
        out_of_memory: bool,
        log: Path,
    ) -> Ending:
        """Return the ending for a wait status. `out_of_memory`: the kernel killed a process for it meanwhile."""
        code = os.waitstatus_to_exitcode(wait_status)
        return cls(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            finished_at=finished_at,
            seconds=round(seconds, 3),
            stop_asked=stop_asked,
            killed=killed,
            out_of_memory=out_of_memory and (code > 0 or code == -signal.SIGKILL),
            last_line=last_error_line(log) if code > 0 else None,
        )


def write_exit(folder: Path, ending: Ending) -> None:
    """Write exit.json; where the disk is full, as soon as there is room."""
    while True:
        try:
            _write(folder, ending)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def read_exit(folder: Path) -> Ending | None:
    """Return the content of exit.json, or None where there is none that can be believed."""
    content = read_object(folder / NAME, LIMIT_BYTES)
    if content is None:
        return None
    finished_at = number(content.get("finished_at"), 0, LATEST)
    if finished_at is None:
        return None
    return Ending(
        exit_code=whole(content.get("exit_code"), 0, 255),
        signal=whole(content.get("signal"), 1, LAST_SIGNAL),
        finished_at=finished_at,
        seconds=number(content.get("seconds"), 0, LATEST) or 0.0,
        stop_asked=content.get("stop_asked") is True,
        killed=content.get("killed") is True,
        out_of_memory=content.get("out_of_memory") is True,
        last_line=text(content.get("last_line"), MAX_REASON_CHARACTERS),
    )


@dataclass(frozen=True)
class OomKills:
    """How often the kernel has killed for want of memory: in this process's cgroup, where that is known, and at all."""

    own: int | None
    machine: int

    def explain(self, before: OomKills, *, code: int, child_killed: bool, log: Path) -> bool:
        """Return whether a kill since `before` is why the attempt ended with `code`, below 0 for a signal.

        The kernel does not say whom it killed: in the own cgroup it was one of the runs, most likely this one.
        On the machine it may have been another's; then the end has to look like it.
        """
        own = self.own is not None and before.own is not None and self.own > before.own
        if own or self.machine == before.machine:
            return own
        if code < 0 or child_killed or code in KILLED_CODES:
            return True
        tail = "\n".join(_last_lines(log))
        return bool(KILL_SIGN.search(tail)) or not any(line in tail for line in (TRACEBACK, OUR_WORD))


def oom_kills() -> OomKills:
    """Read the kernel's counters."""
    cgroups = _text(OWN_CGROUPS)
    own = _first_count(unified_counters(cgroups))
    if own is not None:
        # It has all that was killed in the cgroup and those below it: what the machine has beyond is others'.
        return OomKills(own, 0)
    return OomKills(_first_count(older_counters(cgroups)), _count(MACHINE_COUNTER) or 0)


def unified_counters(cgroups: str) -> Iterator[str]:
    """Yield the files that may count the kills in this process's cgroup; `cgroups` is as in cgroups(7)."""
    for line in cgroups.splitlines():
        if line.startswith("0::"):
            yield from (f"{root}{line[3:].rstrip('/')}/memory.events" for root in CGROUP_ROOTS)


def older_counters(cgroups: str) -> Iterator[str]:
    """Likewise for a hierarchy of version 1, which does not count what is killed in a cgroup below."""
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            # In a container the path may be the host's, and what is mounted the container's own.
            yield f"{OLD_CGROUP_ROOT}{path.rstrip('/')}/memory.oom_control"
            yield f"{OLD_CGROUP_ROOT}/memory.oom_control"


def _first_count(paths: Iterator[str]) -> int | None:
    return next((count for count in map(_count, paths) if count is not None), None)


def _count(path: str) -> int | None:
    lines = (line.split() for line in _text(path).splitlines())
    return next((int(words[1]) for words in lines if words[:1] == ["oom_kill"] and len(words) == 2), None)


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def last_error_line(log: Path) -> str | None:
    """Return the line of the last traceback in the log that names the exception ("ValueError: …"), or None.

    Where the program could not be started, what the log says of that.
    """
    lines = _last_lines(log)
    if lines and lines[-1].startswith(OUR_WORD):
        return lines[-1].removeprefix(OUR_WORD)[:MAX_REASON_CHARACTERS]
    headers = [number for number, line in enumerate(lines) if line.startswith(TRACEBACK)]
    # Below the header frames are indented; the exception is not, though its message may go on for many lines.
    candidates = lines[headers[-1] + 1 :] if headers else [line for line in lines if SYNTAX_ERROR.match(line)]
    named = next((line for line in candidates if line and not line[0].isspace()), None)
    return named.strip()[:MAX_REASON_CHARACTERS] if named else None


def _last_lines(log: Path) -> list[str]:
    try:
        file = open_file(log)
        if file is None:
            return []
        with file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def _write(folder: Path, ending: Ending) -> None:
    partial = folder / f".{NAME}.partial"
    with partial.open("w") as file:
        json.dump(asdict(ending), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / NAME)
