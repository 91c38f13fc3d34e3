"""Runs `pip install`, and says in a line or two what it is at: `install.py TITLE ARGUMENT…`.

pip's own output is a line or more for each of a hundred packages, or nothing for minutes. It is shown where pip fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from importlib.metadata import version

DOWNLOADING = re.compile(r"\s*Downloading (?:\S+/)?([A-Za-z0-9._]+?-[0-9][^-\s]*)\S* \((\S+ (.)B)\)")
PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
PACKAGE = re.compile(r"Collecting ([A-Za-z0-9._-]+)")
STEPS = {
    "Installing build dependencies": "getting what builds the package",
    "Building editable": "building the package and its pages",
    "Installing collected packages": "unpacking",
}
COUNTS_BYTES = (24, 1)
"""The first pip that says how much of a file it has. An older one says only which it fetches, and how large that is."""
KEPT_LINES = 40


def main(title: str, arguments: list[str]) -> int:
    """Install; return pip's exit code."""
    progress = "raw" if pip_version() >= COUNTS_BYTES else "off"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    say(title)
    began = time.monotonic()
    said: deque[str] = deque(maxlen=KEPT_LINES)
    with subprocess.Popen(
        [*pip, "--progress-bar", progress, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        show(states(line for line in process.stdout if not said.append(line)), live=sys.stdout.isatty())
    if process.returncode:
        sys.stderr.writelines(line for line in said if not PROGRESS.match(line))
        return process.returncode
    say(f"  done in {time.monotonic() - began:.0f} s")
    return 0


def pip_version() -> tuple[int, ...]:
    """The version of the pip that is run."""
    return tuple(int(part) for part in version("pip").split(".")[:2])


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def states(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """What pip is at, from what it says; and whether that is worth a line of its own where no line can be redrawn."""
    fetched, name = 0, ""
    for line in lines:
        if found := DOWNLOADING.match(line):
            name = found[1]
            yield f"fetching {name}, {found[2]}", found[3] in "MG"
        elif found := PROGRESS.match(line):
            part, whole = int(found[1]), int(found[2])
            yield f"fetching {name}, {megabytes(part)} of {megabytes(whole)}; {megabytes(fetched + part)} in all", False
            fetched += whole if part == whole else 0
        elif found := PACKAGE.match(line):
            yield f"looking for {found[1]}", False
        else:
            yield from ((state, True) for step, state in STEPS.items() if line.strip().startswith(step))


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"


def show(stream: Iterable[tuple[str, bool]], *, live: bool) -> None:
    """Redraw one line on a terminal; elsewhere write those that are worth it."""
    for state, worth in stream:
        if live:
            sys.stdout.write(f"\r\033[K  {state[:76]}")
        elif worth:
            sys.stdout.write(f"  {state}\n")
        sys.stdout.flush()
    if live:
        sys.stdout.write("\r\033[K")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
