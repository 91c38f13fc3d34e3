"""The forkserver may die at any time: what runs goes on, what comes next starts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.executors.local.forkserver_client import PROGRAM


@pytest.fixture
def warm_deck(tmp_path: Path) -> Iterator[ServedDeck]:
    deck = ServedDeck(tmp_path / "home", cpus=2, grace_seconds=1)
    deck.start()
    deck.wait_until_warm()
    yield deck
    deck.end()


def forkserver_of(deck: ServedDeck) -> psutil.Process | None:
    assert deck.process is not None
    for child in psutil.Process(deck.process.pid).children():
        if str(PROGRAM) in child.cmdline():
            return child
    return None


def test_runs_survive_the_forkserver_and_the_next_launch_works(warm_deck: ServedDeck, stubs: Path) -> None:
    running = warm_deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
    warm_deck.wait_for_line(running, "hanging")
    first = forkserver_of(warm_deck)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    after = warm_deck.launch("print('after')")["id"]
    warm_deck.wait_for_status(after, "completed")
    assert warm_deck.run(running)["status"] == "running"
    second = forkserver_of(warm_deck)
    assert second is not None
    assert second.pid != first.pid


def test_a_launch_that_the_forkserver_took_with_it_is_made_again_once(warm_deck: ServedDeck) -> None:
    forkserver = forkserver_of(warm_deck)
    assert forkserver is not None
    os.kill(forkserver.pid, signal.SIGSTOP)
    run_id = warm_deck.launch("print('once')")["id"]
    warm_deck.wait_for_status(run_id, "starting")
    os.kill(forkserver.pid, signal.SIGKILL)
    run = warm_deck.wait_for_status(run_id, "completed")
    assert warm_deck.log_of(run_id) == "once\n"
    assert run["attempt"] == 1


def test_the_forkserver_ends_with_its_server(warm_deck: ServedDeck) -> None:
    forkserver = forkserver_of(warm_deck)
    assert forkserver is not None
    warm_deck.kill()
    wait_for(lambda: not forkserver.is_running(), "the forkserver noticed that its server is gone")


def test_a_warm_run_has_torch_imported_before_it_asks_for_it(warm_deck: ServedDeck) -> None:
    run_id = warm_deck.launch("import sys\nprint('torch' in sys.modules, 'torchvision' in sys.modules)")["id"]
    warm_deck.wait_for_status(run_id, "completed")
    assert warm_deck.log_of(run_id) == "True True\n"
