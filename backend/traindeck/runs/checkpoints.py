"""Find the checkpoint from which an attempt would continue, without loading files, and give it to the program."""

import json
import logging
import os
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from traindeck.db.tables import Run
from traindeck.runner.program import Program
from traindeck.runs.files import AttemptFiles, DeckFiles, read_json
from traindeck.runs.written import CHECKPOINT_SUFFIXES, WrittenFile, open_written, walk_written
from traindeck.sources.runcode import CODE, code_of
from traindeck.system.wholefiles import write_whole

logger = logging.getLogger(__name__)

VERSION = 1
DIGITS = re.compile(r"(\d+)")
SHORT_WALK_SECONDS = 0.1
"""A walk that takes no longer is repeated each time, so that it also finds files that were added later."""
WALK_SECONDS = 20.0
KEEP_WALK_SECONDS = 120.0
FOLDERS_KEPT = 50
FILES_KEPT = 5
"""In each of those folders: this many of the best, and as many of the newest."""
PRUNED_AFTER = 20_000
LAST_STEMS = ("last", "latest")
"""Programs use these names for the checkpoint to continue from. Newer files beside it may be the best of all epochs."""
TRAINER_STATE = "trainer_state.json"
"""Hugging Face's Trainer continues from a whole folder, and writes this file last."""
STEP_FOLDER = "checkpoint-"
ZIP_START, ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
ZIP_TAIL_BYTES = 65_557
"""The record at the end of a ZIP archive with the longest comment; see APPNOTE.TXT 4.3.16."""
VARIABLE = "TRAINDECK_RESUME_FROM"
MOST_FILES = 200
MOST_BYTES = 1_000_000
"""The most code of a program that is searched for the variable."""
REMEMBERED = 1000


def last_checkpoint(files: DeckFiles, run: Run) -> str | None:
    """Return the path of the newest checkpoint of the newest attempt that has one, or None.

    This walks the working folders, which may take seconds: do not call it in a transaction.
    """
    for number in range(run.attempt, 0, -1):
        attempt = files.run(run.id or 0).attempt(number)
        found = _newest_of(attempt)
        if found is not None:
            return str(attempt.work / found)
    return None


def keep_checkpoints(attempt: AttemptFiles) -> None:
    """List the checkpoints of an ended attempt in a file beside its working folder, if walking the folder takes long.

    Raises:
        OSError: the list cannot be written.
    """
    begun = time.monotonic()
    found = _walk(attempt.work, begun + KEEP_WALK_SECONDS)
    if time.monotonic() - begun > SHORT_WALK_SECONDS:
        _keep(attempt, found)


@dataclass(frozen=True, slots=True)
class _Found:
    """The checkpoints below a working folder, by folder, and the folders that contain a trainer's state."""

    folders: dict[str, list[WrittenFile]]
    whole: set[str]


def _newest_of(attempt: AttemptFiles) -> str | None:
    kept = _read_kept(attempt)
    newest = _newest(attempt.work, kept) if kept is not None else None
    if newest is not None:
        return newest
    begun = time.monotonic()
    found = _walk(attempt.work, begun + WALK_SECONDS)
    if time.monotonic() - begun > SHORT_WALK_SECONDS and attempt.exit.exists():
        try:
            _keep(attempt, found)
        except OSError as error:
            logger.warning("%s cannot be written, and will be looked for again: %s", attempt.checkpoints, error)
    return _newest(attempt.work, found)


def _walk(work: Path, until: float) -> _Found:
    found = _Found(defaultdict(list), set())
    count = 0
    for file in walk_written(work, _counts, until):
        folder, _, name = file.path.rpartition("/")
        if name == TRAINER_STATE:
            found.whole.add(folder)
            continue
        found.folders[folder].append(file)
        count += 1
        if count % PRUNED_AFTER == 0:
            _prune(found)
    _prune(found)
    return found


def _counts(name: str) -> bool:
    return name == TRAINER_STATE or name.endswith(CHECKPOINT_SUFFIXES)


def _prune(found: _Found) -> None:
    """Keep the best files of the newest folders: those that may be chosen, and some more in case these are deleted."""
    for folder in sorted(found.folders, key=lambda folder: _newest_age(found.folders[folder]))[:-FOLDERS_KEPT]:
        del found.folders[folder]
    for folder, files in found.folders.items():
        kept = [*_ordered(files)[:FILES_KEPT], *sorted(files, key=_age)[-FILES_KEPT:]]
        found.folders[folder] = list(dict.fromkeys(kept))
    if len(found.whole) > FOLDERS_KEPT * FILES_KEPT:
        found.whole.intersection_update(found.folders)


def _keep(attempt: AttemptFiles, found: _Found) -> None:
    files = [[file.path, file.size, file.modified_ns] for files in found.folders.values() for file in files]
    whole = sorted(found.whole & found.folders.keys())
    content = {"version": VERSION, "files": files, "whole": whole}
    write_whole(attempt.checkpoints, json.dumps(content).encode(), sync=False)


def _read_kept(attempt: AttemptFiles) -> _Found | None:
    """Return the stored list; None if there is none, or it cannot be used."""
    content = read_json(attempt.checkpoints)
    if content is None or content.get("version") != VERSION:
        return None
    found = _Found(defaultdict(list), set())
    try:
        for path, size, modified_ns in content["files"]:
            file = WrittenFile(str(path), int(size), int(modified_ns), checkpoint=True)
            found.folders[file.path.rpartition("/")[0]].append(file)
        found.whole.update(map(str, content["whole"]))
    except (KeyError, TypeError, ValueError):
        return None
    return found


def _newest(work: Path, found: _Found) -> str | None:
    """Return the newest checkpoint below a working folder: a file, or a folder of Hugging Face's Trainer.

    Within one folder, a file called "last" is preferred. Incomplete files are skipped.
    """
    folders, whole = found.folders, found.whole
    by_time = sorted(folders, key=lambda folder: _newest_age(folders[folder]), reverse=True)
    later: list[str] = []
    for folder in by_time:
        if folder in whole and _is_step(folder) and (work / folder / TRAINER_STATE).is_file():
            return folder
        if best := _best_of(work, folders[folder]):
            if not _is_step(folder):
                return best
            # From a trainer that stores no state there, or that was killed while writing.
            later.append(best)
    # An empty file is the last choice; the script may know what it means.
    ordered = (file for folder in by_time for file in sorted(folders[folder], key=_age) if not file.size)
    empty = [file.path for file in ordered if (work / file.path).is_file()]
    return next(iter([*later, *empty[-1:]]), None)


def _is_step(folder: str) -> bool:
    return folder.rpartition("/")[2].startswith(STEP_FOLDER)


def _best_of(work: Path, files: list[WrittenFile]) -> str | None:
    return next((file.path for file in _ordered(files) if _is_whole(work, file)), None)


def _ordered(files: list[WrittenFile]) -> list[WrittenFile]:
    """Return the files of one folder, the preferred one first."""
    newest_first = sorted(files, key=_age, reverse=True)
    return sorted(newest_first, key=lambda file: _stem(file.path) not in LAST_STEMS)


def _stem(path: str) -> str:
    """Return the name without its suffix: "last" for last.pth.tar."""
    name = path.rpartition("/")[2]
    longest = max((suffix for suffix in CHECKPOINT_SUFFIXES if name.endswith(suffix)), key=len, default="")
    return name.removesuffix(longest).lower()


def _newest_age(files: list[WrittenFile]) -> tuple[int, tuple[object, ...]]:
    return max(map(_age, files))


def _age(file: WrittenFile) -> tuple[int, tuple[object, ...]]:
    # Two files of the same tick of the file system's clock are ordered by number: epoch=10 is newer than epoch=9.
    return file.modified_ns, natural_key(file.path)


def _is_whole(work: Path, file: WrittenFile) -> bool:
    """Return whether a file is complete: not empty, and not a ZIP archive of torch.save without its end."""
    opened = open_written(work, file.path)
    if opened is None:
        return False
    with opened:
        start = opened.read(len(ZIP_START))
        if start != ZIP_START:
            return bool(start)
        opened.seek(max(opened.seek(0, os.SEEK_END) - ZIP_TAIL_BYTES, 0))
        return ZIP_END in opened.read(ZIP_TAIL_BYTES)


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which "epoch=10" comes after "epoch=9"."""
    parts = DIGITS.split(text)
    return tuple((0, int(part[:18]), "") if place % 2 else (1, 0, part) for place, part in enumerate(parts))


def way_to_resume(script: Program | None, run_folder: Path) -> str | None:
    """Return how a program is given its checkpoint: its option, or `VARIABLE`, or "" for a trainer, which needs none.

    Return None if nothing shows that the program reads a checkpoint: it would start from the beginning.
    """
    if script is None:
        return ""
    return script.resume_arg or (VARIABLE if _names_variable(run_folder) else None)


# The kept code of a run does not change.
@lru_cache(REMEMBERED)
def _names_variable(run_folder: Path) -> bool:
    tree = code_of(run_folder)
    files = [file.path for file in tree.files if file.size <= MOST_BYTES] if tree else []
    return any(VARIABLE.encode() in _content(run_folder / CODE / path) for path in files[:MOST_FILES])


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def resumed(program: Program, checkpoint: str | None) -> Program:
    """Return the program with the checkpoint in its arguments, or unchanged without an option or a checkpoint.

    A command is a program with its arguments.
    """
    option = program.resume_arg
    if not option or not checkpoint:
        return program
    if program.kind == "command":
        return replace(program, command=_with_checkpoint(program.command, option, checkpoint))
    return replace(program, args=_with_checkpoint(program.args, option, checkpoint))


def _with_checkpoint(args: tuple[str, ...], option: str, checkpoint: str) -> tuple[str, ...]:
    """Return the arguments with the checkpoint after `option`.

    A value that the option has already is replaced. An option that ends in "=" takes its value in one word
    ("ckpt="), and so does one that was given so before ("--resume=last.pt").
    """
    joined = option if option.endswith("=") else f"{option}="
    for at, word in enumerate(args):
        if word.startswith(joined):
            return (*args[:at], joined + checkpoint, *args[at + 1 :])
        if word == option:
            return (*args[: at + 1], checkpoint, *args[at + 1 + _has_value(args, at) :])
    added = [joined + checkpoint] if option.endswith("=") else [option, checkpoint]
    return (*args, *added)


def _has_value(args: Sequence[str], at: int) -> int:
    """Return 1 if the word after the option is its value, and 0 if it is another option or missing."""
    return int(at + 1 < len(args) and not args[at + 1].startswith("-"))
