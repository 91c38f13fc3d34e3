"""Event files that a run makes outside of its working folder are noted in its attempt's folder, and read as its own."""

import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from events.eventfiles import NAME, scalar, version, write
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.chain import first_event
from traindeck.boards.state import BoardDisk, BoardPhase
from traindeck.events import elsewhere
from traindeck.events.folders import EventFolders
from traindeck.events.tail import AttemptTail
from traindeck.runner import mirror, writers
from traindeck.runner.variables import HOOK, HOOK_LINK

WRITERS = {
    "tensorboard": "from tensorboard.summary.writer.event_file_writer import EventFileWriter as Writer",
    "tensorboardX": "from tensorboardX.event_file_writer import EventFileWriter as Writer",
}


@pytest.fixture
def attempt(tmp_path: Path) -> Path:
    return new_attempt(tmp_path / "home" / "attempt-1")


def new_attempt(folder: Path) -> Path:
    (folder / "work").mkdir(parents=True)
    (folder / HOOK_LINK).symlink_to(HOOK)
    return folder


@pytest.fixture
def writer(request: pytest.FixtureRequest, attempt: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class of a library that makes event files, in a process of the attempt."""
    names: dict[str, Any] = {}
    exec(WRITERS[getattr(request, "param", "tensorboard")], names)
    monkeypatch.chdir(attempt / "work")
    before = list(sys.meta_path)
    writers.link_event_files(str(attempt))
    yield names["Writer"]
    sys.meta_path[:] = before
    for name, class_name, attribute in writers.MAKERS:
        if name in sys.modules:
            delattr(getattr(sys.modules[name], class_name), attribute)


each_library = pytest.mark.parametrize("writer", WRITERS, indirect=True)


def names_of(attempt: Path) -> set[str]:
    with AttemptTail(attempt / "work", attempt / "scalars") as tail:
        return set(tail.poll(rescan=True).changed)


def noted(attempt: Path) -> list[str]:
    top = attempt / writers.ELSEWHERE
    return sorted(str(path.parent.relative_to(top)) for path in top.rglob("*tfevents*"))


def test_the_names_are_the_same_for_who_makes_them_and_who_reads_them() -> None:
    assert f"../{writers.ELSEWHERE}" == elsewhere.ELSEWHERE
    assert [f"../{writers.ELSEWHERE}/{one}" for one in ("absolute", "beside")] == [elsewhere.ABSOLUTE, elsewhere.BESIDE]
    assert {writers.ELSEWHERE, HOOK_LINK} <= mirror.OWN_NAMES


@each_library
def test_a_file_of_each_library_is_noted_wherever_it_lies(attempt: Path, tmp_path: Path, writer: Any) -> None:
    for where in ("logs", f"{tmp_path}/a b/é", "../up"):
        writer(where).close()
    assert noted(attempt) == [f"absolute{tmp_path}/a b/é", "beside/up"]
    [link, own] = [*attempt.glob("events-elsewhere/absolute/**/*tfevents*"), *(tmp_path / "a b/é").iterdir()]
    assert os.path.samefile(link, own)
    assert link.stat().st_size > 0
    assert list(Path("logs").iterdir()) == [one for one in Path().rglob("*") if one.is_file()]


@each_library
def test_the_deck_leaves_no_frame_in_what_fails(tmp_path: Path, writer: Any) -> None:
    write(tmp_path / "file")
    with pytest.raises(OSError) as refused:  # noqa: PT011
        writer(str(tmp_path / "file" / "logs"))
    assert not [one for one in traceback.extract_tb(refused.value.__traceback__) if "traindeck" in one.filename]


def test_a_writer_works_where_nothing_can_be_noted(attempt: Path, tmp_path: Path, writer: Any) -> None:
    write(attempt / writers.ELSEWHERE)
    writer(str(tmp_path / "logs")).close()
    assert len(list((tmp_path / "logs").iterdir())) == 1


def test_a_python_that_a_run_starts_notes_its_files(attempt: Path, tmp_path: Path) -> None:
    source = f"{WRITERS['tensorboard']}\nWriter('{tmp_path}/logs').close()"
    variables = {**os.environ, "PYTHONPATH": str(attempt / HOOK_LINK)}
    subprocess.run([sys.executable, "-c", source], cwd=attempt / "work", env=variables, check=True)
    assert noted(attempt) == [f"absolute{tmp_path}/logs"]


def test_charts_read_what_was_noted_and_nothing_else_of_the_folder(attempt: Path, tmp_path: Path) -> None:
    other = new_attempt(tmp_path / "home" / "attempt-2")
    for run, file, tag in (
        (attempt, f"exp/{NAME}", "loss"),
        (other, f"exp/{NAME}.2", "theirs"),
        (attempt, f"exp/loss_best/{NAME}", "loss"),
        (attempt, f"val/{NAME}", "loss"),
    ):
        writers.link_event_file(str(run), str(write(tmp_path / file, version(), scalar(tag, 1, 2.0))))
    assert (names_of(attempt), names_of(other)) == ({"loss", "loss/best", "val/loss"}, {"theirs"})


def test_what_was_noted_stays_when_the_script_deletes_its_folder(attempt: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "exp" / NAME, version(), scalar("x", 1, 2.0))
    writers.link_event_file(str(attempt), str(file))
    file.unlink()
    assert names_of(attempt) == {"x"}


@pytest.fixture
def on_another_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("on_another_file_system")
def test_a_file_on_another_file_system_is_read_where_it_lies(attempt: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "exp" / NAME, version(), scalar("x", 1, 2.0))
    writers.link_event_file(str(attempt), str(file))

    board = BoardSpec("run-1", {"": attempt / "work"})
    folder = f"../events-elsewhere/absolute{file.parent}"
    assert os.path.islink(attempt / "work" / folder / file.name)
    assert names_of(attempt) == {"x"}
    assert EventFolders(attempt / "work").scan() == {folder: ((file.name, file.stat().st_size),)}
    assert BoardDisk().look(board).state == BoardPhase.CLOSED
    assert first_event(f"{attempt}/work/{folder}/{file.name}") is not None
    assert elsewhere.unreadable_folders(attempt / "work", 3) == []


def test_a_link_to_another_file_than_its_place_says_is_not_followed(attempt: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret", version(), scalar("x", 1, 2.0))
    for place in (f"absolute{tmp_path}/exp", "beside/logs", "remote"):
        (attempt / "events-elsewhere" / place).mkdir(parents=True)
        (attempt / "events-elsewhere" / place / NAME).symlink_to(secret)
    (attempt / "work" / NAME).symlink_to(secret)
    assert names_of(attempt) == set()
    assert EventFolders(attempt / "work").scan() == {}


@pytest.mark.usefixtures("on_another_file_system")
def test_folders_that_cannot_be_read_are_named(attempt: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "exp" / NAME)
    writers.link_event_file(str(attempt), str(file))
    writers.link_event_file(str(attempt), f"s3://bucket/runs/1/{NAME}")
    file.unlink()
    assert set(elsewhere.unreadable_folders(attempt / "work", 3)) == {str(tmp_path / "exp"), "s3://bucket/runs/1"}
    assert len(elsewhere.unreadable_folders(attempt / "work", 1)) == 1


@pytest.mark.parametrize(
    ("path", "lies", "called"),
    [
        ("logs/e", "logs/e", "logs/e"),
        ("../events-elsewhere/absolute/data/exp/e", "/data/exp/e", "data/exp/e"),
        ("../events-elsewhere/beside/logs/e", "../logs/e", "logs/e"),
        ("/data/exp/e", "/data/exp/e", "data/exp/e"),
        (".", ".", "."),
        ("..odd/e", "..odd/e", "..odd/e"),
    ],
)
def test_a_noted_file_is_called_by_where_it_lies(path: str, lies: str, called: str) -> None:
    assert (elsewhere.original(path), elsewhere.run_name(path)) == (lies, called)
