"""Checkpoints as files: found by name and time, never half written."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from traindeck.db.tables import Run
from traindeck.runs import checkpoints
from traindeck.runs.checkpoints import last_checkpoint
from traindeck.runs.files import AttemptFiles, DeckFiles


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


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".safetensors", ".pth.tar"])
def test_the_newest_is_the_one_written_last(tmp_path, suffix):
    put(tmp_path, f"zz{suffix}", 1)
    newest = put(tmp_path, f"aa{suffix}", 2)
    assert newest_checkpoint(tmp_path) == newest


@pytest.mark.parametrize("last", ["last.pt", "Latest.ckpt", "last.pth.tar"])
def test_last_wins_over_a_newer_best(tmp_path, last):
    path = put(tmp_path, last, 1)
    put(tmp_path, "best.pt", 2)
    put(tmp_path, "model_best.pth.tar", 3)
    assert newest_checkpoint(tmp_path) == path


@pytest.mark.parametrize("name", ["data.tar", "a.tar", "pth.tar"])
def test_an_archive_is_no_checkpoint(tmp_path, name):
    put(tmp_path, name, 1)
    assert newest_checkpoint(tmp_path) is None


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


def fill(folder: Path, files: int, suffix: str = "") -> None:
    folder.mkdir(parents=True)
    for number in range(files):
        os.close(os.open(folder / f"{number}{suffix}", os.O_CREAT | os.O_WRONLY))


@pytest.mark.parametrize("where", ["zz/last.pt", "aa/last.pt", "last.pt"])
def test_a_checkpoint_is_found_beside_any_number_of_files(tmp_path, where):
    newest = put_at(tmp_path, where, 5)
    fill(newest.parents[where.count("/")] / "images", 21_000)
    assert newest_checkpoint(tmp_path) == newest


def test_of_very_many_checkpoints_the_newest_is_found_and_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PRUNED_AFTER", 100)
    monkeypatch.setattr(checkpoints, "SHORT_WALK_SECONDS", -1.0)
    for folder in range(120):
        for number in range(3):
            put_at(tmp_path, f"{folder:03}/epoch={number}.ckpt", 1000 + (folder * 7) % 120)
    newest = put_at(tmp_path, "017/epoch=9.ckpt", 5000)
    assert newest_checkpoint(tmp_path) == newest
    attempt = DeckFiles(tmp_path).run(1).attempt(1)
    checkpoints.keep_checkpoints(attempt)
    kept = json.loads(attempt.checkpoints.read_text())["files"]
    assert 0 < len(kept) <= checkpoints.FOLDERS_KEPT * checkpoints.FILES_KEPT * 2
    assert newest_checkpoint(tmp_path) == newest


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttemptFiles:
    """An attempt with checkpoints whose working folder is taken to be long to walk."""
    put_at(tmp_path, "out/epoch1.pt", 1, archive())
    put_at(tmp_path, "out/epoch2.pt", 2, archive())
    monkeypatch.setattr(checkpoints, "SHORT_WALK_SECONDS", -1.0)
    attempt = DeckFiles(tmp_path).run(1).attempt(1)
    checkpoints.keep_checkpoints(attempt)
    return attempt


def forbid_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(*_: object) -> None:
        raise AssertionError("it walked")

    monkeypatch.setattr(checkpoints, "walk_written", walk)


def test_what_was_kept_at_the_end_is_found_without_a_walk(tmp_path, kept, monkeypatch):
    forbid_walks(monkeypatch)
    assert newest_checkpoint(tmp_path) == kept.work / "out/epoch2.pt"


def test_a_kept_checkpoint_that_is_deleted_or_cut_off_is_passed_over(tmp_path, kept, monkeypatch):
    forbid_walks(monkeypatch)
    (kept.work / "out/epoch2.pt").write_bytes(archive()[:-50])
    assert newest_checkpoint(tmp_path) == kept.work / "out/epoch1.pt"
    (kept.work / "out/epoch2.pt").unlink()
    assert newest_checkpoint(tmp_path) == kept.work / "out/epoch1.pt"


def test_where_nothing_kept_is_left_the_folder_is_walked_again(tmp_path, kept):
    for name in ("epoch1.pt", "epoch2.pt"):
        (kept.work / "out" / name).unlink()
    other = put_at(tmp_path, "moved/epoch3.pt", 3)
    assert newest_checkpoint(tmp_path) == other


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 1}', '{"version": 1, "files": [[1]], "whole": []}', '{"version": 9}']
)
def test_a_note_that_cannot_be_used_is_not(tmp_path, kept, content):
    kept.checkpoints.write_text(content)
    assert newest_checkpoint(tmp_path) == kept.work / "out/epoch2.pt"


@pytest.mark.parametrize("path", ["../../../outside.pt", "/etc/hostname", "out/link.pt", "a\u0000b.pt"])
def test_a_note_leads_nowhere_but_into_the_working_folder(tmp_path, kept, path):
    put_at(tmp_path, "../../../outside.pt", 9)
    (kept.work / "out/link.pt").symlink_to("/etc/hostname")
    kept.checkpoints.write_text(json.dumps({"version": 1, "files": [[path, 1, 9]], "whole": []}))
    assert newest_checkpoint(tmp_path) == kept.work / "out/epoch2.pt"


def test_of_a_short_walk_nothing_is_kept_so_that_what_is_added_later_counts(tmp_path):
    put_at(tmp_path, "out/epoch1.pt", 1)
    attempt = DeckFiles(tmp_path).run(1).attempt(1)
    checkpoints.keep_checkpoints(attempt)
    assert not attempt.checkpoints.exists()
