"""Where event files are looked for, and where not."""

import os
from pathlib import Path

import pytest

from traindeck.events.folders import FOLDERS_LIMIT, EventFolders

EVENTS = "events.out.tfevents.1.host"


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_folders_with_event_files_are_found_at_any_depth(tmp_path: Path) -> None:
    write(tmp_path / EVENTS)
    write(tmp_path / "runs" / "a" / "b" / EVENTS, "xyz")
    write(tmp_path / "checkpoints" / "last.pt")
    assert EventFolders(tmp_path).scan() == {".": ((EVENTS, 1),), "runs/a/b": ((EVENTS, 3),)}


def test_linked_folders_and_files_and_pipes_are_left_out(tmp_path: Path) -> None:
    work, data = tmp_path / "work", tmp_path / "data"
    write(data / "deep" / EVENTS)
    work.mkdir()
    (work / "data").symlink_to(data)
    (work / EVENTS).symlink_to(data / "deep" / EVENTS)
    os.mkfifo(work / "pipe.tfevents")
    assert EventFolders(work).scan() == {}


def test_a_later_scan_sees_what_has_come_grown_and_gone(tmp_path: Path) -> None:
    folders = EventFolders(tmp_path)
    assert folders.scan() == {}
    write(tmp_path / "logs" / EVENTS)
    assert folders.scan() == {"logs": ((EVENTS, 1),)}
    write(tmp_path / "logs" / EVENTS, "longer")
    write(tmp_path / "logs" / "sub" / EVENTS)
    assert folders.scan() == {"logs": ((EVENTS, 6),), "logs/sub": ((EVENTS, 1),)}
    (tmp_path / "logs" / EVENTS).unlink()
    assert folders.scan() == {"logs/sub": ((EVENTS, 1),)}


def test_a_new_file_is_seen_in_a_folder_that_was_old(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    os.utime(tmp_path / "logs", (1, 1))
    folders = EventFolders(tmp_path)
    assert folders.scan() == {}
    write(tmp_path / "logs" / EVENTS)
    assert folders.scan() == {"logs": ((EVENTS, 1),)}


def test_a_root_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert EventFolders(tmp_path / "gone").scan() == {}


def test_files_nearer_to_the_top_come_first(tmp_path: Path) -> None:
    for folder in ("b/c/d", "b", "a/z", "."):
        write(tmp_path / folder / EVENTS)
    assert EventFolders(tmp_path).find() == [EVENTS, f"b/{EVENTS}", f"a/z/{EVENTS}", f"b/c/d/{EVENTS}"]


@pytest.mark.parametrize("place", ["", "logs/", "logs/new/", "new/"])
def test_a_file_made_later_is_found_also_where_a_folder_was_long_unchanged(tmp_path: Path, place: str) -> None:
    write(tmp_path / "logs" / "other")
    for folder in (tmp_path / "logs", tmp_path):
        os.utime(folder, (1e9, 1e9))
    folders = EventFolders(tmp_path)
    assert folders.find() == folders.find() == []
    write(tmp_path / place / EVENTS)
    assert folders.find() == [f"{place}{EVENTS}"]


def test_two_files_made_in_one_tick_of_the_clock_are_both_found(tmp_path: Path) -> None:
    folders = EventFolders(tmp_path)
    for place in range(200):
        write(tmp_path / f"{place:03}.tfevents")
        assert len(folders.find()) == place + 1


def test_too_many_folders_are_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path / "a" / EVENTS)
    for place in range(FOLDERS_LIMIT + 5):
        (tmp_path / f"image {place}").mkdir()
    folders = EventFolders(tmp_path)
    assert folders.find() == [f"a/{EVENTS}"]
    assert folders.problem == f"event files were looked for in the first {FOLDERS_LIMIT} folders only"


def test_folders_of_tools_and_links_are_not_entered(tmp_path: Path) -> None:
    write(tmp_path / "node_modules" / EVENTS)
    write(tmp_path / "logs" / EVENTS)
    (tmp_path / "link").symlink_to("logs")
    (tmp_path / "self").symlink_to(".")
    folders = EventFolders(tmp_path)
    assert (folders.find(), folders.problem) == ([f"logs/{EVENTS}"], None)


def test_a_working_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    folders = EventFolders(tmp_path / "gone")
    assert (folders.find(), folders.problem) == ([], None)
