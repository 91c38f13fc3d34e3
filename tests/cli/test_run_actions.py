"""`traindeck cancel`, `retry`, `resume` and `rm`."""

import json
from pathlib import Path

import pytest

from cli.conftest import CommandLine


@pytest.fixture
def ended(traindeck: CommandLine) -> int:
    """The number of a run that has completed, without a checkpoint."""
    run = traindeck.deck.launch("print('done')")
    traindeck.deck.wait_for_status(run["id"], "completed")
    return int(run["id"])


@pytest.fixture
def running(traindeck: CommandLine, programs: Path, tmp_path: Path) -> int:
    """The number of a run that would go on for ever."""
    run = traindeck.deck.launch(script={"path": str(programs / "waits.py"), "args": [str(tmp_path / "never")]})
    traindeck.deck.wait_for_line(run["id"], "waiting")
    return int(run["id"])


def test_a_run_is_cancelled_and_cancelling_it_again_is_no_error(traindeck: CommandLine, running: int) -> None:
    done = traindeck("cancel", running)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Run {running}  ")
    traindeck.deck.wait_for_status(running, "cancelled")
    assert json.loads(traindeck("cancel", "--json", running).stdout)["status"] == "cancelled"


def test_what_can_be_done_is_done_and_the_rest_is_said_and_gives_the_exit_code(
    traindeck: CommandLine, running: int, ended: int
) -> None:
    done = traindeck("cancel", ended, 999_999, running)
    assert done.returncode == 5
    assert f"Run {ended} has ended already" in done.stderr
    assert "There is no run 999999" in done.stderr
    assert done.stdout.startswith(f"Run {running}  ")
    traindeck.deck.wait_for_status(running, "cancelled")


def test_a_retry_makes_another_attempt_and_json_has_a_line_for_each_run(traindeck: CommandLine, ended: int) -> None:
    other = traindeck.deck.launch("print('other')")["id"]
    traindeck.deck.wait_for_status(other, "completed")
    answers = [json.loads(line) for line in traindeck("retry", "--json", ended, other).stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [ended, other]
    assert [answer["status"] for answer in answers] == ["queued", "queued"]
    assert traindeck.deck.wait_for_status(ended, "completed", "queued", "starting", "running")["id"] == ended
    assert traindeck("logs", "-f", ended).returncode == 0
    assert traindeck.deck.run(ended)["attempt"] == 2


def test_a_run_without_a_checkpoint_cannot_be_resumed(traindeck: CommandLine, ended: int) -> None:
    done = traindeck("resume", ended)
    assert done.returncode == 5
    assert "no checkpoint" in done.stderr


SAVES = "import pathlib; p = pathlib.Path('checkpoints'); p.mkdir(); (p / 'last.pt').touch()"


def test_a_script_that_would_not_read_its_checkpoint_cannot_be_resumed(traindeck: CommandLine) -> None:
    run = traindeck.deck.launch(SAVES)
    traindeck.deck.wait_for_status(run["id"], "completed")
    done = traindeck("resume", run["id"])
    assert done.returncode == 5
    assert f"traindeck rerun {run['id']} --resume-arg=--resume" in " ".join(done.stderr.split())
    assert traindeck.deck.run(run["id"])["attempt"] == 1


def test_a_run_with_a_checkpoint_is_resumed(traindeck: CommandLine) -> None:
    run = traindeck.deck.launch(f"{SAVES}; import os; os.environ.get('TRAINDECK_RESUME_FROM')")
    traindeck.deck.wait_for_status(run["id"], "completed")
    done = traindeck("resume", run["id"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("queued")


def test_nothing_is_deleted_where_nobody_can_be_asked(traindeck: CommandLine, ended: int) -> None:
    done = traindeck("rm", ended)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert traindeck.deck.run(ended)["id"] == ended


def test_runs_are_deleted_with_their_files_and_one_that_runs_is_not(
    traindeck: CommandLine, running: int, ended: int
) -> None:
    done = traindeck("rm", "-y", running, ended)
    assert (done.returncode, done.stdout) == (5, f"Run {ended} deleted\n")
    assert traindeck("show", ended).returncode == 4
    assert not (traindeck.deck.home / "runs" / str(ended)).exists()
    traindeck("cancel", running)


@pytest.mark.parametrize(("answer", "exit_code"), [("n\n", 1), ("y\n", 0)])
def test_on_a_terminal_it_asks_first(traindeck: CommandLine, ended: int, answer: str, exit_code: int) -> None:
    screen = traindeck.on_terminal("rm", ended)
    screen.wait_for(f"Delete run {ended}, with all files?")
    screen.type(answer)
    assert screen.end() == exit_code
    assert traindeck("show", ended).returncode == (0 if exit_code else 4)


@pytest.mark.parametrize("number", ["0", "-1", "one", "1.5"])
def test_what_is_no_number_of_a_run_is_refused(traindeck: CommandLine, number: str) -> None:
    assert traindeck("cancel", "--", number).returncode == 2
