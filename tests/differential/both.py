"""Runs one case by plain `python`, or through a deck, and tells what it did."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef

from differential.cases import Case
from support.served import ServedDeck

CHOSEN = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"), "1")  # fmt: skip
"""What a deck sets for a run of one CPU slot, as docs/scripts.md says."""
TIMEOUT_SECONDS = 240
EVENT_FILE = "events.out.tfevents."


@dataclass(frozen=True)
class Result:
    """What can be seen of a program that has ended: a negative code is a signal; bytes, or event records, by file."""

    code: int
    output: str
    files: dict[str, Any]


def copied(case: Case, folder: Path) -> Path:
    """A fresh folder with the files of a case."""
    if case.copied.is_dir():
        return Path(shutil.copytree(case.copied, folder, symlinks=True))
    folder.mkdir(parents=True)
    shutil.copy(case.copied, folder)
    return folder


def by_python(case: Case, folder: Path, python: str = sys.executable) -> Result:
    before = _files(copied(case, folder), folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRAINDECK_")}
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        done = subprocess.run(
            [python, *case.command_in(folder)], cwd=folder, env={**environment, **CHOSEN}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, timeout=TIMEOUT_SECONDS, check=False, start_new_session=True,
            preexec_fn=_hear_signals,
        )  # fmt: skip
    files = _new(before, _files(folder, folder))
    return Result(done.returncode, _same_everywhere(log.read_bytes(), folder), files)


def _hear_signals() -> None:
    """As in a terminal, whatever started the tests: nohup has everything below it ignore SIGHUP, a shell's & others."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def launch(case: Case, folder: Path, deck: ServedDeck, **how: Any) -> int:
    """Queue the case; the number of the run."""
    copied(case, folder)
    what = {"module": case.entry, "cwd": str(folder)} if case.module else {"path": str(folder / case.entry)}
    return deck.launch(script={**what, "args": list(case.args), **how})["id"]


def by_deck(run_id: int, folder: Path, deck: ServedDeck) -> Result:
    """What the run did, once it has ended."""
    deck.wait_until_ended(run_id, seconds=TIMEOUT_SECONDS)
    attempt = deck.home / f"runs/{run_id}/attempt-1"
    ending = json.loads((attempt / "exit.json").read_text())
    code = -ending["signal"] if ending["signal"] else ending["exit_code"]
    output = _same_everywhere((attempt / "output.log").read_bytes(), attempt / "work", folder)
    files = _new(_files(folder, folder), _files(attempt / "work", folder))
    return Result(code, output, files)


def differences(seen: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What differs between the files of two ways, in full: what happens once in a thousand times must be readable."""
    found = [f"only one has {name}" for name in sorted({*seen} ^ {*expected})]
    for name in sorted({*seen} & {*expected}):
        if seen[name] != expected[name]:
            lines = (_lines(content) for content in (expected[name], seen[name]))
            found += unified_diff(*lines, f"{name} by python", f"{name} by the deck", lineterm="")
    return found


def _lines(content: Any) -> list[str]:
    return (
        content.decode(errors="replace").splitlines() if isinstance(content, bytes) else "".join(content).splitlines()
    )


def _same_everywhere(content: bytes, *folders: Path) -> str:
    """The output without what differs between any two starts: the folder, process numbers, addresses."""
    text = content.decode(errors="replace")
    for folder in folders:
        text = text.replace(str(folder), "HERE")
    text = re.sub(r"\b(pid:? ?=?|tid |Thread )\d+", r"\1N", text)
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)


def _new(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {path: content for path, content in after.items() if before.get(path) != content}


def _files(folder: Path, source: Path) -> dict[str, Any]:
    """What the regular files below a folder hold; links lead to what was there before."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = str(path.relative_to(folder))
        if EVENT_FILE in name:
            name, content = name.partition(EVENT_FILE)[0] + EVENT_FILE, _records(path)
            found.setdefault(name, []).extend(content)
        else:
            found[name] = path.read_bytes().replace(bytes(source), b"HERE")
    return found


def _records(path: Path) -> list[str]:
    """The records of an event file, in order, without the times at which they were made."""
    records = []
    for raw in RawEventFileLoader(str(path)).Load():
        event = Event.FromString(raw)
        event.wall_time = 0
        # Attributes of a node have no order; as text they are sorted.
        graph = str(GraphDef.FromString(event.graph_def))
        if graph:
            event.ClearField("graph_def")
        records.append(str(event) + graph)
    return records
