"""How an attempt ended, as its shim saw it: exit.json."""

import errno
import json
import os
import re
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

NAME = "exit.json"
TAIL_BYTES = 16_384
MAX_REASON_CHARACTERS = 500
TRACEBACK = "Traceback (most recent call last)"
SYNTAX_ERROR = re.compile(r"(Syntax|Indentation|Tab)Error: ")
"""A script that cannot be compiled has no traceback, only this."""
OUR_WORD = "traindeck: "
"""How the log's last line begins where the program could not be started."""
RETRY_SECONDS = 1.0
OOM_COUNTERS = ("/proc/vmstat", "/sys/fs/cgroup/memory.events")


@dataclass(frozen=True, slots=True)
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
    ) -> Self:
        """The ending that a wait status tells of."""
        code = os.waitstatus_to_exitcode(wait_status)
        return cls(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            finished_at=finished_at,
            seconds=round(seconds, 3),
            stop_asked=stop_asked,
            killed=killed,
            out_of_memory=out_of_memory and code == -signal.SIGKILL,
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
    """The content of exit.json, or None where the attempt has not ended, or nobody saw it end."""
    try:
        return Ending(**json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def oom_kills() -> int:
    """How often the kernel has killed for want of memory, where it can be read."""
    total = 0
    for path in OOM_COUNTERS:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total


def last_error_line(log: Path) -> str | None:
    """The line of the last traceback in the log that names the exception ("ValueError: …"), or None.

    Where the program could not be started, what the log says of that.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    if lines and lines[-1].startswith(OUR_WORD):
        return lines[-1].removeprefix(OUR_WORD)[:MAX_REASON_CHARACTERS]
    headers = [number for number, line in enumerate(lines) if line.startswith(TRACEBACK)]
    # Below the header frames are indented; the exception is not, though its message may go on for many lines.
    candidates = lines[headers[-1] + 1 :] if headers else [line for line in lines if SYNTAX_ERROR.match(line)]
    named = next((line for line in candidates if line and not line[0].isspace()), None)
    return named.strip()[:MAX_REASON_CHARACTERS] if named else None


def _write(folder: Path, ending: Ending) -> None:
    partial = folder / f".{NAME}.partial"
    with partial.open("w") as file:
        json.dump(asdict(ending), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / NAME)
