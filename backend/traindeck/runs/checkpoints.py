"""The checkpoint that an attempt would go on from. Files are looked at from outside, and never loaded."""

import os
from collections import defaultdict
from itertools import islice
from pathlib import Path

from traindeck.db.tables import Run
from traindeck.runs.files import DeckFiles
from traindeck.runs.natural import natural
from traindeck.runs.written import WrittenFile, open_written, walk_written

FILES_LIMIT = 20_000
LAST_STEMS = ("last", "latest")
"""By these names programs keep what to go on from; what lies beside it may be newer, and the best of all epochs."""
TRAINER_STATE = "trainer_state.json"
"""Hugging Face's Trainer goes on from a whole folder, in which this is written last."""
STEP_FOLDER = "checkpoint-"
ZIP_START, ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
ZIP_TAIL_BYTES = 65_557
"""The record at the end of a ZIP archive with the longest comment; see APPNOTE.TXT 4.3.16."""


def last_checkpoint(files: DeckFiles, run: Run) -> str | None:
    """The path of the newest checkpoint of the newest attempt that has one, or None."""
    for number in range(run.attempt, 0, -1):
        work = files.run(run.id or 0).attempt(number).work
        found = newest_checkpoint(work)
        if found is not None:
            return str(work / found)
    return None


def newest_checkpoint(work: Path) -> str | None:
    """The newest checkpoint anywhere below a working folder: a file, or a folder of Hugging Face's Trainer.

    Within one folder the one called "last" is taken. One that its writer did not finish is passed over.
    """
    folders: dict[str, list[WrittenFile]] = defaultdict(list)
    whole: set[str] = set()
    for file in islice(walk_written(work), FILES_LIMIT):
        folder, _, name = file.path.rpartition("/")
        if file.checkpoint:
            folders[folder].append(file)
        elif name == TRAINER_STATE:
            whole.add(folder)
    by_time = sorted(folders, key=lambda folder: max(map(_age, folders[folder])), reverse=True)
    later: list[str] = []
    for folder in by_time:
        if folder in whole and _is_step(folder):
            return folder
        if found := _best_of(work, folders[folder]):
            if not _is_step(folder):
                return found
            # Of a trainer that keeps no state there, or of one that was killed while it wrote.
            later.append(found)
    # An empty file is nothing to go on from, but all that there is: the script may know what it means.
    empty = [file.path for folder in by_time for file in sorted(folders[folder], key=_age) if not file.size]
    return next(iter([*later, *empty[-1:]]), None)


def _is_step(folder: str) -> bool:
    return folder.rpartition("/")[2].startswith(STEP_FOLDER)


def _best_of(work: Path, files: list[WrittenFile]) -> str | None:
    newest_first = sorted(files, key=_age, reverse=True)
    ordered = sorted(newest_first, key=lambda file: Path(file.path).stem.lower() not in LAST_STEMS)
    return next((file.path for file in ordered if _is_whole(work, file)), None)


def _age(file: WrittenFile) -> tuple[int, tuple[object, ...]]:
    # Of two from the same tick of the file system's clock, the one with the greater number: epoch=10 after epoch=9.
    return file.modified_ns, natural(file.path)


def _is_whole(work: Path, file: WrittenFile) -> bool:
    """False for what is empty, or begins as torch.save does and was cut off: its writer was killed meanwhile."""
    opened = open_written(work, file.path)
    if opened is None:
        return False
    with opened:
        start = opened.read(len(ZIP_START))
        if start != ZIP_START:
            return bool(start)
        opened.seek(max(opened.seek(0, os.SEEK_END) - ZIP_TAIL_BYTES, 0))
        return ZIP_END in opened.read(ZIP_TAIL_BYTES)
