"""Every end of a run is told as what it was, with a reason where it failed."""

from typing import Any

import pytest

from support.served import FINAL, ServedDeck
from support.waiting import wait_for


@pytest.mark.parametrize(
    ("source", "code", "reason"),
    [
        ("raise ValueError('no such column: loss')", 1, "exit code 1: ValueError: no such column: loss"),
        ("raise ValueError('first line\\nsecond line')", 1, "exit code 1: ValueError: first line"),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError:\n    open('/no/such')",
            1,
            "exit code 1: FileNotFoundError: [Errno 2] No such file or directory: '/no/such'",
        ),
        ("import sys; sys.exit(3)", 3, "exit code 3"),
        ("import sys; sys.exit('bad config')", 1, "exit code 1"),
        ("import os; os._exit(7)", 7, "exit code 7"),
        ("def f(:\n", 1, "exit code 1: SyntaxError: invalid syntax"),
    ],
)
def test_an_exit_code_fails_the_run(shared_deck: ServedDeck, source: str, code: int, reason: str) -> None:
    run = shared_deck.wait_for_status(shared_deck.launch(source)["id"], "failed")
    assert run["exit_code"] == code
    assert run["status_reason"] == reason


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9 (SIGKILL)"),
        ("import os; os.abort()", "killed by signal 6 (SIGABRT)"),
        ("raise KeyboardInterrupt", "killed by signal 2 (SIGINT)"),
    ],
)
def test_a_signal_fails_the_run(shared_deck: ServedDeck, source: str, reason: str) -> None:
    run = shared_deck.wait_for_status(shared_deck.launch(source)["id"], "failed")
    assert run["exit_code"] is None
    assert run["status_reason"] == reason


def test_a_run_that_ends_well_has_times_and_its_whole_log(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("print('a' * 100_000)\nprint('end', end='')")
    run = shared_deck.wait_for_status(run["id"], "completed")
    assert run["exit_code"] == 0
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]
    assert run["log_size"] == 100_004
    assert shared_deck.log_of(run["id"]) == "a" * 100_000 + "\nend"


def _ended_attempt(deck: ServedDeck, run_id: int, attempt: int) -> dict[str, Any] | None:
    run = deck.run(run_id)
    return run if run["attempt"] == attempt and run["status"] in FINAL else None


def test_a_resumed_run_keeps_what_it_measured_before(shared_deck: ServedDeck) -> None:
    source = (
        "import os, pathlib\nfrom torch.utils.tensorboard import SummaryWriter\n"
        "pathlib.Path('checkpoints').mkdir()\npathlib.Path('checkpoints/last.pt').touch()\n"
        "writer = SummaryWriter('logs')\n"
        "first = 'TRAINDECK_RESUME_FROM' not in os.environ\n"
        "writer.add_scalar('Loss/train', 9.0 if first else 1.0, 1 if first else 2)\n"
        "if first:\n    writer.add_scalar('Accuracy', 0.5, 1)\n"
    )
    run_id = shared_deck.launch(source)["id"]
    shared_deck.wait_for_status(run_id, "completed")
    shared_deck.client.post(f"/runs/{run_id}/resume")
    run = wait_for(lambda: _ended_attempt(shared_deck, run_id, 2), "the second attempt has ended")
    assert run["metrics"]["Loss/train"] == {"last": 1.0, "min": 1.0, "max": 9.0, "step": 2}
    assert run["metrics"]["Accuracy"]["last"] == 0.5
