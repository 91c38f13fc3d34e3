"""Event files are found wherever they are made, and looking for them has its limits."""

import os
from pathlib import Path

import pytest

from traindeck.events.finder import FOLDERS_LIMIT, EventFileFinder

NAME = "events.out.tfevents.1.h.1.0"


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_files_nearer_to_the_top_come_first(tmp_path: Path) -> None:
    for folder in ("b/c/d", "b", "a/z", "."):
        touch(tmp_path / folder / NAME)
    assert EventFileFinder(tmp_path).find() == [NAME, f"b/{NAME}", f"a/z/{NAME}", f"b/c/d/{NAME}"]


@pytest.mark.parametrize("place", ["", "logs/", "logs/new/", "new/"])
def test_a_file_made_later_is_found_also_where_a_folder_was_long_unchanged(tmp_path: Path, place: str) -> None:
    touch(tmp_path / "logs" / "other")
    for folder in (tmp_path / "logs", tmp_path):
        os.utime(folder, (1e9, 1e9))
    finder = EventFileFinder(tmp_path)
    assert finder.find() == finder.find() == []
    touch(tmp_path / place / NAME)
    assert finder.find() == [f"{place}{NAME}"]


def test_two_files_made_in_one_tick_of_the_clock_are_both_found(tmp_path: Path) -> None:
    finder = EventFileFinder(tmp_path)
    for place in range(200):
        touch(tmp_path / f"{place:03}.tfevents")
        assert len(finder.find()) == place + 1


def test_too_many_folders_are_left_out_and_said(tmp_path: Path) -> None:
    touch(tmp_path / "a" / NAME)
    for place in range(FOLDERS_LIMIT + 5):
        (tmp_path / f"image {place}").mkdir()
    finder = EventFileFinder(tmp_path)
    assert finder.find() == [f"a/{NAME}"]
    assert finder.problem == f"event files were looked for in the first {FOLDERS_LIMIT} folders only"


def test_folders_of_tools_and_links_are_not_entered(tmp_path: Path) -> None:
    touch(tmp_path / "node_modules" / NAME)
    touch(tmp_path / "logs" / NAME)
    (tmp_path / "link").symlink_to("logs")
    (tmp_path / "self").symlink_to(".")
    finder = EventFileFinder(tmp_path)
    assert (finder.find(), finder.problem) == ([f"logs/{NAME}"], None)


def test_a_working_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    finder = EventFileFinder(tmp_path / "gone")
    assert (finder.find(), finder.problem) == ([], None)
