"""`traindeck launch --follow`."""

import json
import re
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from support.served import ServedDeck

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def newest(deck: ServedDeck) -> dict:
    return deck.client.get("/runs", params={"limit": 1}).json()["items"][0]


@pytest.mark.parametrize(("code", "exit_code", "status"), [(0, 0, "completed"), (3, 10, "failed")])
def test_the_exit_code_says_how_the_run_ended(
    traindeck: CommandLine, programs: Path, tmp_path: Path, code: int, exit_code: int, status: str
) -> None:
    (tmp_path / "go").touch()
    done = traindeck("launch", "-f", programs / "waits.py", tmp_path / "go", code)
    assert done.returncode == exit_code
    assert re.fullmatch(rf"Run (\d+)  .*\nRun \1 {status} after .*\n", done.stdout)


def test_following_as_json_gives_the_ended_run_and_nothing_else(traindeck: CommandLine, programs: Path) -> None:
    done = traindeck("launch", "--follow", "--json", programs / "prints.py")
    run = json.loads(done.stdout)
    assert run == traindeck.deck.run(run["id"])
    assert run["status"] == "completed"


def test_a_pipe_gets_a_line_for_what_is_new_and_no_control_sequences(
    traindeck: CommandLine, programs: Path, tmp_path: Path
) -> None:
    following = traindeck.beside("launch", "-f", programs / "waits.py", tmp_path / "go")
    assert following.stderr is not None
    lines = iter(following.stderr.readline, b"")
    assert any(line.startswith(b"running") and b"45 %" in line for line in lines)
    (tmp_path / "go").touch()
    out, rest = following.communicate(timeout=60)
    assert following.returncode == 0
    assert b"\x1b" not in out + rest


@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_shows_status_bar_and_progress_on_a_line_that_fits(
    traindeck: CommandLine, programs: Path, tmp_path: Path, columns: int
) -> None:
    screen = traindeck.on_terminal(
        "launch", "-f", "--name", "a\x1b[2Jb", programs / "waits.py", tmp_path / "go", columns=columns
    )
    screen.wait_for("45 %")
    (tmp_path / "go").touch()
    assert screen.end() == 0
    assert "completed after" in screen.text
    assert "\x1b[2J" not in screen.text
    assert ("━" in screen.text) == (columns == 100)
    frames = [COLOUR.sub("", line) for line in re.split(r"[\r\n]+|\x1b\[2K", screen.text) if "45 %" in line]
    assert frames
    assert all(len(frame) <= columns for frame in frames)


def test_no_color_and_a_dumb_terminal_are_heeded(traindeck: CommandLine, programs: Path, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    command = ("launch", "-f", programs / "waits.py", tmp_path / "go", 1)
    plain = traindeck.on_terminal(*command, NO_COLOR="1")
    assert plain.end() == 10
    assert not re.search(r"\x1b\[(?:3|4|9)\d", plain.text)
    dumb = traindeck.on_terminal(*command, TERM="dumb")
    assert dumb.end() == 10
    assert "\x1b" not in dumb.text


def test_ctrl_c_leaves_the_run_running_and_says_so(traindeck: CommandLine, programs: Path, tmp_path: Path) -> None:
    screen = traindeck.on_terminal("launch", "-f", programs / "waits.py", tmp_path / "go")
    screen.wait_for("45 %")
    screen.interrupt()
    assert screen.end() == 130
    run = newest(traindeck.deck)
    assert f"Run {run['id']} keeps running" in screen.text
    assert run["status"] == "running"
    (tmp_path / "go").touch()
    assert traindeck.deck.wait_until_ended(run["id"])["status"] == "completed"


def test_a_run_that_somebody_cancels_ends_the_following(traindeck: CommandLine, programs: Path, tmp_path: Path) -> None:
    following = traindeck.beside("launch", "-f", programs / "waits.py", tmp_path / "never")
    assert following.stdout is not None
    number = following.stdout.readline().split()[1].decode()
    traindeck.deck.wait_for_line(int(number), "waiting")
    assert traindeck("cancel", number).returncode == 0
    out, _ = following.communicate(timeout=60)
    assert following.returncode == 11
    assert f"Run {number} cancelled" in out.decode()


def test_a_run_that_is_retried_is_followed_to_the_end_of_its_last_attempt(
    traindeck: CommandLine, programs: Path, tmp_path: Path
) -> None:
    done = traindeck("launch", "-f", "--max-retries", 1, programs / "fails_once.py", tmp_path / "mark")
    assert done.returncode == 0
    assert newest(traindeck.deck)["attempt"] == 2


def test_following_goes_on_over_a_restart_of_the_deck_at_another_address(
    deck: ServedDeck, programs: Path, tmp_path: Path
) -> None:
    command = CommandLine(deck, tmp_path)
    following = command.beside("launch", "-f", programs / "waits.py", tmp_path / "go")
    assert following.stdout is not None
    number = int(following.stdout.readline().split()[1])
    deck.wait_for_line(number, "waiting")
    before = deck.url
    deck.kill()
    deck.start()
    assert deck.url != before
    deck.wait_for_status(number, "running")
    (tmp_path / "go").touch()
    out, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    assert f"Run {number} completed" in out.decode()


def test_following_a_run_that_is_deleted_ends_with_not_found(
    traindeck: CommandLine, programs: Path, tmp_path: Path
) -> None:
    blocking = traindeck.deck.launch(
        script={"path": str(programs / "waits.py"), "args": [str(tmp_path / "go")]}, resources={"cpus": 2}
    )
    following = traindeck.beside("launch", "-f", "--cpus", 2, programs / "prints.py")
    assert following.stdout is not None
    assert following.stderr is not None
    number = following.stdout.readline().split()[1].decode()
    assert following.stderr.readline().startswith(b"queued")
    assert traindeck("rm", "--yes", number).returncode == 0
    _, complaint = following.communicate(timeout=60)
    assert following.returncode == 4
    assert f"run {number} has been deleted" in complaint.decode()
    (tmp_path / "go").touch()
    traindeck.deck.wait_for_status(blocking["id"], "completed")
