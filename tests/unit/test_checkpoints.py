"""Checkpoints as files: found by name and time, never half written."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from traindeck.db.tables import Run
from traindeck.runs.checkpoints import last_checkpoint
from traindeck.runs.files import DeckFiles


def newest_checkpoint(home: Path) -> Path | None:
    found = last_checkpoint(DeckFiles(home), Run(id=1, name="one", attempt=1))
    return Path(found) if found else None


def put(home: Path, name: str, seconds: int) -> Path:
    return put_at(home, f"checkpoints/{name}", seconds)


def put_at(home: Path, where: str, seconds: int, content: bytes = b"x") -> Path:
    path = DeckFiles(home).run(1).attempt(1).work / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
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


def archive() -> bytes:
    """What torch.save writes begins and ends as this does."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("archive/data.pkl", b"x" * 100_000)
    return content.getvalue()


def test_a_checkpoint_is_found_however_deep_it_lies(tmp_path):
    put(tmp_path, "last.pt", 1)
    newest = put_at(tmp_path, "lightning_logs/version_0/checkpoints/epoch=9-step=90.ckpt", 2)
    assert newest_checkpoint(tmp_path) == newest


def test_of_two_from_the_same_second_the_later_epoch_is_taken(tmp_path):
    put_at(tmp_path, "out/epoch=9.ckpt", 5)
    tenth = put_at(tmp_path, "out/epoch=10.ckpt", 5)
    assert newest_checkpoint(tmp_path) == tenth


def test_one_that_was_cut_off_is_passed_over(tmp_path):
    whole = put_at(tmp_path, "out/epoch1.pt", 1, archive())
    put_at(tmp_path, "out/epoch2.pt", 2, archive()[:-50])
    put_at(tmp_path, "out/epoch3.pt", 3, b"")
    assert newest_checkpoint(tmp_path) == whole


def test_a_trainers_checkpoint_folder_is_taken_whole_once_it_is_complete(tmp_path):
    complete = put_at(tmp_path, "output/checkpoint-500/trainer_state.json", 1).parent
    put_at(tmp_path, "output/checkpoint-500/optimizer.pt", 1)
    put_at(tmp_path, "output/checkpoint-1000/optimizer.pt", 2)
    assert newest_checkpoint(tmp_path) == complete


def test_links_and_copies_of_the_users_own_files_are_none(tmp_path):
    copied = put_at(tmp_path, "pretrained.pt", 5)
    (copied.parent / "link.pt").symlink_to(put_at(tmp_path / "elsewhere", "base.pt", 9))
    inputs = {"pretrained.pt": [1, copied.stat().st_mtime_ns]}
    copied.parent.with_name("inputs.json").write_text(json.dumps(inputs))
    assert newest_checkpoint(tmp_path) is None
    os.utime(copied, (6, 6))
    assert newest_checkpoint(tmp_path) == copied


def test_a_fifo_called_like_a_checkpoint_is_not_opened(tmp_path):
    os.mkfifo(put_at(tmp_path, "out/a.txt", 1).with_name("last.pt"))
    assert newest_checkpoint(tmp_path) is None
