"""`traindeck logs`."""

import json
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from support.served import ServedDeck


@pytest.fixture(scope="module")
def flooded(cold_deck: ServedDeck) -> int:
    """The number of a run that has printed more than a block of bytes that are no text."""
    script = {"path": str(Path(__file__).parent / "stubs" / "floods.py")}
    run = cold_deck.launch(script=script)
    cold_deck.wait_for_status(run["id"], "completed")
    return int(run["id"])


def log_file(deck: ServedDeck, number: int, attempt: int = 1) -> bytes:
    return (deck.home / f"runs/{number}/attempt-{attempt}/output.log").read_bytes()


@pytest.mark.parametrize("options", [(), ("-f",), ("--attempt", 1), ("-f", "--attempt", 1)])
def test_a_log_is_printed_byte_for_byte(traindeck: CommandLine, flooded: int, options: tuple[object, ...]) -> None:
    done = traindeck.bytes_of("logs", flooded, *options)
    assert done.returncode == 0
    assert done.stdout == log_file(traindeck.deck, flooded)
    assert done.stderr == b""


@pytest.mark.parametrize("lines", [0, 1, 2, 40_000, 10_000_000])
def test_a_tail_has_the_last_lines_the_unended_one_included(traindeck: CommandLine, flooded: int, lines: int) -> None:
    expected = log_file(traindeck.deck, flooded).split(b"\n")
    done = traindeck.bytes_of("logs", flooded, "--tail", lines)
    assert done.stdout == b"\n".join(expected[max(len(expected) - lines, 0) :] if lines else [])


def test_a_tail_counts_an_ended_line_once(traindeck: CommandLine, programs: Path) -> None:
    run = traindeck.deck.launch("print('one'); print('two')")
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert traindeck("logs", run["id"], "--tail", 1).stdout == "two\n"


def test_each_attempt_has_its_log_and_a_number_too_high_is_refused(
    traindeck: CommandLine, programs: Path, tmp_path: Path
) -> None:
    done = traindeck("launch", "--json", "--max-retries", 1, programs / "fails_once.py", tmp_path / "mark")
    number = json.loads(done.stdout)["id"]
    # Followed from the first attempt into the second, or from the second on: in either case to the end.
    followed = traindeck("logs", "-f", number)
    assert followed.returncode == 0
    assert followed.stdout.endswith("second\n")
    assert traindeck("logs", number).stdout == "second\n"
    assert traindeck("logs", "--attempt", 1, number).stdout == "first\n"
    assert traindeck("logs", "-f", "--attempt", 1, number).stdout == "first\n"
    refused = traindeck("logs", "--attempt", 3, number)
    assert refused.returncode == 2
    assert "has had 2 attempts" in refused.stderr


def test_following_prints_what_comes_and_ends_with_the_run(
    traindeck: CommandLine, programs: Path, tmp_path: Path
) -> None:
    run = json.loads(traindeck("launch", "--json", programs / "waits.py", tmp_path / "go", 3).stdout)
    following = traindeck.beside("logs", "-f", run["id"])
    assert following.stdout is not None
    assert following.stdout.readline() == b"waiting\n"
    (tmp_path / "go").touch()
    out, _ = following.communicate(timeout=60)
    assert out == b"went on\n"
    assert following.returncode == 10


def test_a_log_that_is_followed_over_a_restart_has_every_byte_once(
    deck: ServedDeck, programs: Path, tmp_path: Path
) -> None:
    command = CommandLine(deck, tmp_path)
    run = deck.launch(script={"path": str(programs / "waits.py"), "args": [str(tmp_path / "go")]})
    following = command.beside("logs", "-f", run["id"])
    assert following.stdout is not None
    assert following.stdout.readline() == b"waiting\n"
    deck.kill()
    (tmp_path / "go").touch()
    deck.start()
    out, _ = following.communicate(timeout=60)
    assert out == b"went on\n"
    assert following.returncode == 0


def test_ctrl_c_ends_the_following_and_not_the_run(traindeck: CommandLine, programs: Path, tmp_path: Path) -> None:
    run = json.loads(traindeck("launch", "--json", programs / "waits.py", tmp_path / "go").stdout)
    screen = traindeck.on_terminal("logs", "-f", run["id"])
    screen.wait_for("waiting")
    screen.interrupt()
    assert screen.end() == 130
    assert traindeck.deck.run(run["id"])["status"] == "running"
    (tmp_path / "go").touch()
    traindeck.deck.wait_for_status(run["id"], "completed")


def test_a_queued_run_has_an_empty_log_and_an_unknown_one_none(traindeck: CommandLine, tmp_path: Path) -> None:
    first = traindeck.deck.launch("input()", resources={"cpus": 2})
    queued = traindeck.deck.launch("pass", resources={"cpus": 2}, priority=-1)
    done = traindeck("logs", queued["id"], "--tail", 3)
    assert (done.returncode, done.stdout) == (0, "")
    assert traindeck("logs", 999_999).returncode == 4
    traindeck.deck.wait_until_ended(first["id"])
