"""Where event files are looked for, and where not."""

import os
from pathlib import Path

from traindeck.boards.folders import EventFolders

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
