"""Checkpoints as files: found by name and time, never half written."""

import os
from pathlib import Path

import pytest

from traindeck.db.tables import Run
from traindeck.runs.commands import last_checkpoint
from traindeck.runs.files import DeckFiles


def newest_checkpoint(home: Path) -> Path | None:
    found = last_checkpoint(DeckFiles(home), Run(id=1, name="one", attempt=1))
    return Path(found) if found else None


def put(home: Path, name: str, seconds: int) -> Path:
    path = DeckFiles(home).run(1).attempt(1).work / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (seconds, seconds))
    return path


def test_an_attempt_without_checkpoints_has_no_newest(tmp_path):
    assert newest_checkpoint(tmp_path) is None


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".safetensors"])
def test_the_newest_is_the_one_written_last(tmp_path, suffix):
    put(tmp_path, f"zz{suffix}", 1)
    newest = put(tmp_path, f"aa{suffix}", 2)
    assert newest_checkpoint(tmp_path) == newest


def test_last_wins_over_a_newer_best(tmp_path):
    last = put(tmp_path, "last.pt", 1)
    put(tmp_path, "best.pt", 2)
    assert newest_checkpoint(tmp_path) == last


def test_what_is_being_written_is_not_found(tmp_path):
    put(tmp_path, ".last.pt.partial", 3)
    put(tmp_path, ".x.pt", 3)
    put(tmp_path, "notes.txt", 3)
    assert newest_checkpoint(tmp_path) is None
