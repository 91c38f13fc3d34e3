"""What a run wrote, read without following anything out of its folder."""

import os
from pathlib import Path

import pytest

from traindeck.runs.files import remove_tree
from traindeck.runs.written import list_written, open_written


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "deep" / "er").mkdir(parents=True)
    (work / "a.txt").write_text("a")
    (work / "deep" / "er" / "b.txt").write_text("b")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "work-other").mkdir()
    (tmp_path / "work-other" / "c.txt").write_text("c")
    return work


def names(work: Path, limit: int = 100) -> list[str]:
    return [file.path for file in list_written(work, limit)[0]]


def test_files_are_listed_by_path_and_checkpoints_first(work):
    (work / "last.pt").touch()
    assert names(work) == ["last.pt", "a.txt", "deep/er/b.txt"]


def test_a_limit_is_kept_and_said(work):
    found, truncated = list_written(work, 1)
    assert (len(found), truncated) == (1, True)
    assert list_written(work, 2)[1] is False


def test_what_is_listed_can_be_opened(work):
    for name in ["ü ñ.txt", 'quo"te.txt', "new\nline", "-x", "$(id)"]:
        (work / name).write_text("x")
    for name in names(work):
        with open_written(work, name) as file:
            assert file.read() in (b"a", b"b", b"x")


def test_links_hidden_files_pipes_and_names_that_are_no_text_are_left_out(work, tmp_path):
    (work / "link").symlink_to(tmp_path / "secret")
    (work / "folder").symlink_to(tmp_path / "work-other")
    (work / ".env").touch()
    (work / ".git").mkdir()
    (work / ".git" / "config").touch()
    (work / "back\\slash").touch()
    os.mkfifo(work / "pipe")
    open(os.fsencode(work) + b"/\xff", "w").close()
    assert names(work) == ["a.txt", "deep/er/b.txt"]


@pytest.mark.parametrize(
    "path",
    ["", "..", "../secret", "deep/../../secret", "deep/../a.txt", "./a.txt", "/etc/passwd", "//a.txt", "deep//er/b.txt",
     "a.txt/", "deep", "..\\secret", "a.txt\0", "../work-other/c.txt", "%2e%2e/secret", "x" * 300, "a/" * 5000, ".env",
     "link", "folder/c.txt", "pipe", "none.txt", "a.txt/more"],
)  # fmt: skip
def test_what_leads_out_or_is_no_plain_file_cannot_be_opened(work, tmp_path, path):
    (work / ".env").write_text("x")
    (work / "link").symlink_to(tmp_path / "secret")
    (work / "folder").symlink_to(tmp_path / "work-other")
    os.mkfifo(work / "pipe")
    assert open_written(work, path) is None


def test_a_working_folder_that_was_swapped_for_a_link_shows_nothing(work, tmp_path):
    work.rename(tmp_path / "moved")
    work.symlink_to(tmp_path / "work-other")
    assert names(work) == []
    assert open_written(work, "c.txt") is None


def test_a_run_that_has_written_nothing_has_no_files(tmp_path):
    assert list_written(tmp_path / "none", 10) == ([], False)


def test_folders_a_thousand_deep_are_listed_and_removed(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("dd", dir_fd=here)
        inner = os.open("dd", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)
    assert [name.count("/") for name in names(tmp_path)] == [1100]
    remove_tree(tmp_path / "dd")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_removed_is_logged(tmp_path, caplog, monkeypatch):
    (tmp_path / "d" / "inner").mkdir(parents=True)
    monkeypatch.setattr(os, "unlink", refuse)
    (tmp_path / "d" / "file").touch()
    remove_tree(tmp_path / "d")
    assert [record.message for record in caplog.records] == [f"{tmp_path / 'd'} could not be removed as a whole"]


def refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")
