"""The boards process: started when needed, replaced when dead, gone when its server is."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from boards.conftest import Deck, running_deck
from boards.event_logs import write_scalars
from boards.stub_boards import DIES_WHEN_ASKED, EXITS, HANGS, stub
from boards.waiting import DEADLINE_SECONDS, boards_processes, is_alive, wait_until
from traindeck.boards.client import Boards

PARENT = """
import asyncio, sys
from pathlib import Path
from traindeck.boards.client import Boards

async def main():
    boards = Boards(Path(sys.argv[1]))
    boards.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def process_of(deck: Deck, web: httpx.Client, board: str) -> psutil.Process:
    """The deck's boards process, which is running once a board has been opened."""
    before = {process.pid for process in boards_processes()}
    assert web.get(board + "data/runs").status_code == 200
    (mine,) = [process for process in boards_processes() if process.pid not in before]
    return mine


def socket_folder(process: psutil.Process) -> Path:
    """The private folder of a boards process."""
    arguments = process.cmdline()
    return Path(arguments[arguments.index("--socket") + 1]).parent


def test_a_killed_process_is_replaced_at_the_next_request(deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "work" / "logs", [1.0])
    board = deck.show("1", tmp_path / "work")
    first = process_of(deck, web, board)
    folder = socket_folder(first)
    first.kill()
    assert web.get(board + "data/runs").json() == ["logs"]
    assert not is_alive(first)
    assert not folder.exists()


def test_a_process_that_does_not_move_any_more_is_replaced(tmp_path: Path, web: httpx.Client) -> None:
    write_scalars(tmp_path / "work" / "logs", [1.0])
    with running_deck(tmp_path / "deck", answer_seconds=0.5) as deck:
        board = deck.show("1", tmp_path / "work")
        first = process_of(deck, web, board)
        first.suspend()
        assert web.get(board + "data/runs").json() == ["logs"]
        assert not is_alive(first)


def test_the_socket_lies_in_a_private_folder_that_goes_with_the_server(tmp_path: Path, web: httpx.Client) -> None:
    (tmp_path / "work").mkdir()
    with running_deck(tmp_path) as deck:
        process = process_of(deck, web, deck.show("1", tmp_path / "work"))
        folder = socket_folder(process)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "boards.sock").is_socket()
        assert (folder / "boards.sock").stat().st_mode & 0o077 == 0
    assert not is_alive(process)
    assert not folder.exists()


def test_the_process_ends_when_its_server_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "boards.log")]
    with subprocess.Popen(command) as parent:
        wait_until(lambda: boards_processes(parent.pid))
        (process,) = boards_processes(parent.pid)
        wait_until(lambda: (socket_folder(process) / "boards.sock").is_socket())
        folder = socket_folder(process)
        parent.kill()
    wait_until(lambda: not is_alive(process))
    wait_until(lambda: not folder.exists())


def test_a_process_whose_server_is_killed_before_it_is_ready_removes_its_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-P", "-m", "traindeck.boards.process", "--socket", str(folder / "boards.sock")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=writing, timeout=60, check=False)
    os.close(writing)
    assert done.returncode == 0
    assert not folder.exists()


def test_a_closed_board_opens_again_unnoticed(tmp_path: Path, web: httpx.Client) -> None:
    with running_deck(tmp_path / "deck", limit=1) as deck:
        boards = []
        for name in ("a", "b"):
            write_scalars(tmp_path / name / "logs", [1.0])
            boards.append(deck.show(name, {f"attempt-{name}": tmp_path / name}))
        process = process_of(deck, web, boards[0])
        for _ in range(3):
            runs = [web.get(board + "data/runs").json() for board in boards]
            assert runs == [["attempt-a/logs"], ["attempt-b/logs"]]
        trees = socket_folder(process) / "trees"
        assert len(list(trees.iterdir())) == 1


def test_a_board_that_nobody_uses_is_closed_and_opens_again_unnoticed(tmp_path: Path, web: httpx.Client) -> None:
    write_scalars(tmp_path / "work" / "logs", [1.0])
    with running_deck(tmp_path / "deck", idle_seconds=0.5) as deck:
        board = deck.show("1", {"attempt-1": tmp_path / "work"})
        process = process_of(deck, web, board)
        trees = socket_folder(process) / "trees"
        for _ in range(2):
            assert web.get(board + "data/runs").json() == ["attempt-1/logs"]
            wait_until(lambda: not list(trees.iterdir()))
        assert is_alive(process)


def test_a_process_that_cannot_start_is_told_to_the_visitor(tmp_path: Path, web: httpx.Client) -> None:
    with running_deck(tmp_path, python=stub(tmp_path, EXITS)) as deck:
        board = deck.show("1", tmp_path)
        answer = web.get(board)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert "exit code 1" in answer.json()["detail"]
        assert "no room for TensorBoard today" in deck.log_path.read_text()
        page = web.get(board, headers={"Accept": "text/html"})
        assert 'http-equiv="refresh"' in page.text


def test_a_server_that_ends_does_not_wait_for_a_start_that_hangs(tmp_path: Path) -> None:
    async def start_and_stop() -> None:
        boards = Boards(tmp_path / "boards.log", python=stub(tmp_path, HANGS))
        before = boards_processes()
        boards.start()
        await asyncio.to_thread(wait_until, lambda: boards_processes() != before)
        await asyncio.wait_for(boards.stop(), DEADLINE_SECONDS)
        assert boards_processes() == before

    asyncio.run(start_and_stop())


def test_an_interpreter_that_is_not_there_is_told_to_the_visitor(tmp_path: Path, web: httpx.Client) -> None:
    with running_deck(tmp_path, python=str(tmp_path / "no-python")) as deck:
        answer = web.get(deck.show("1", tmp_path))
        assert answer.status_code == 503
        assert "no-python" in answer.json()["detail"]


def test_a_process_that_dies_at_every_request_is_not_started_forever(tmp_path: Path, web: httpx.Client) -> None:
    with running_deck(tmp_path, python=stub(tmp_path, DIES_WHEN_ASKED)) as deck:
        answer = web.get(deck.show("1", tmp_path))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers


def test_a_folder_deleted_under_a_board_leaves_the_others_alone(deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    boards = []
    for name in ("gone", "kept"):
        write_scalars(tmp_path / name / "logs", [1.0])
        boards.append(deck.show(name, tmp_path / name))
        assert web.get(boards[-1] + "data/runs").json() == ["logs"]
    shutil.rmtree(tmp_path / "gone")
    assert web.get(boards[0] + "data/runs").status_code == 404
    assert web.get(boards[1] + "data/runs").json() == ["logs"]


def test_the_server_never_imports_tensorboard() -> None:
    code = "import sys, traindeck.boards.client as _; sys.exit('tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
