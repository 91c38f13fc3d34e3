"""How far a board is: what lies on disk, what of it was read, and that a look takes in what is new."""

from pathlib import Path

import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from boards.waiting import wait_until
from traindeck.boards.boardreader import BoardReader
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.state import BoardDisk, BoardPhase, BoardState


def written(folder: Path, steps: range) -> int:
    """Write one scalar for each step; the size of all event files of the folder."""
    writer = EventFileWriter(str(folder))
    for step in steps:
        event = event_pb2.Event(wall_time=step, step=step)
        event.summary.value.add(tag="loss", simple_value=step)
        writer.add_event(event)
    writer.close()
    return sum(file.stat().st_size for file in folder.glob("*tfevents*"))


@pytest.fixture
def board(tmp_path: Path) -> BoardSpec:
    return BoardSpec("run-1", {"": tmp_path / "work"})


@pytest.fixture
def work(board: BoardSpec) -> Path:
    folder = board.folders[""]
    folder.mkdir()
    return folder


def current(reader: BoardReader) -> BoardState:
    """The state once everything that is on disk was read."""
    wait_until(lambda: reader.state().state is BoardPhase.CURRENT)
    return reader.state()


def test_a_board_without_a_folder_is_gone(board: BoardSpec) -> None:
    assert BoardDisk().look(board) == BoardState(BoardPhase.GONE)


def test_a_folder_without_event_files_is_empty(board: BoardSpec, work: Path) -> None:
    (work / "notes.txt").write_text("nothing")
    assert BoardDisk().look(board) == BoardState(BoardPhase.EMPTY)


def test_a_file_that_only_tells_its_version_is_empty(board: BoardSpec, work: Path) -> None:
    size = written(work / "logs", range(0))
    assert BoardDisk().look(board) == BoardState(BoardPhase.EMPTY, size)


def test_the_first_record_makes_it_a_board_that_can_be_opened(board: BoardSpec, work: Path) -> None:
    disk = BoardDisk()
    assert disk.look(board).state is BoardPhase.EMPTY
    size = written(work / "logs", range(1))
    assert disk.look(board) == BoardState(BoardPhase.CLOSED, size)


def test_files_behind_links_do_not_count(board: BoardSpec, work: Path, tmp_path: Path) -> None:
    written(tmp_path / "elsewhere", range(3))
    (work / "logs").symlink_to(tmp_path / "elsewhere")
    (work / "events.out.tfevents.1").symlink_to(next((tmp_path / "elsewhere").iterdir()))
    assert BoardDisk().look(board) == BoardState(BoardPhase.EMPTY)


def test_an_open_board_has_read_every_byte(board: BoardSpec, work: Path) -> None:
    size = written(work / "logs", range(100))
    assert current(BoardReader(board)) == BoardState(BoardPhase.CURRENT, size, size, 99)


def test_asking_again_takes_in_what_is_new(board: BoardSpec, work: Path) -> None:
    written(work / "logs", range(10))
    reader = BoardReader(board)
    current(reader)
    size = written(work / "more", range(10, 20))
    wait_until(lambda: reader.state().last_step == 19)
    assert current(reader).read_bytes == current(reader).disk_bytes > size


def test_a_damaged_end_is_left_unread(board: BoardSpec, work: Path) -> None:
    size = written(work, range(10))
    with next(work.glob("*tfevents*")).open("ab") as file:
        file.write(bytes(range(100)))
    assert current(BoardReader(board)) == BoardState(BoardPhase.CURRENT, size + 100, size, 9)


def test_a_state_comes_back_from_its_encoding() -> None:
    state = BoardState(BoardPhase.READING, 12, 7, 3, "a reason")
    assert BoardState.decode(state.encode()) == state
