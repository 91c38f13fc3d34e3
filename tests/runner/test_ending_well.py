"""A run's process ends in a twentieth of the time that Python takes, and loses nothing by it."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from support.served import ServedDeck


def finished(deck: ServedDeck, source: str) -> tuple[int | None, str]:
    run = deck.wait_until_ended(deck.launch(source)["id"])
    return run["exit_code"], deck.log_of(run["id"])


def test_the_last_scalar_of_a_writer_that_was_never_closed_is_kept(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch(
        "from torch.utils.tensorboard import SummaryWriter\n"
        "writer = SummaryWriter('logs', flush_secs=600)\n"
        "for step in range(1000):\n    writer.add_scalar('Loss/train', 1 / (step + 1), step)\n"
        "writer.add_scalar('Loss/Epochs', 0.5, 0)\n"
    )
    shared_deck.wait_for_status(run["id"], "completed")
    events = EventAccumulator(str(shared_deck.home / f"runs/{run['id']}/attempt-1/work/logs"), {"scalars": 0})
    events.Reload()
    assert [len(events.Scalars(tag)) for tag in ("Loss/train", "Loss/Epochs")] == [1000, 1]


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("import atexit\natexit.register(print, 'atexit')", "atexit\n"),
        ("open('kept.txt', 'w').write('x' * 10)\nf = open('kept.txt', 'w')\nf.write('y' * 9)\nimport os, atexit", ""),
        ("class C:\n    def __del__(self):\n        print('deleted')\nc = C()", "deleted\n"),
        ("class C:\n    def __del__(self):\n        print('cycle')\nc = C()\nc.me = c", "cycle\n"),
        ("import sys\nsys.stdout.write('no newline')", "no newline"),
        ("import ctypes\nctypes.CDLL(None).printf(b'from C')", "from C"),
        (
            "import threading\n"
            "def late():\n    threading.main_thread().join()\n    print('thread')\n"
            "threading.Thread(target=late).start()\nprint('main')",
            "main\nthread\n",
        ),
        ("import multiprocessing as m\nif __name__ == '__main__':\n    m.Process(target=print, args=('child',)).start()",
         "child\n"),
    ],
)  # fmt: skip
def test_what_a_script_leaves_to_the_interpreter_is_done(shared_deck: ServedDeck, source: str, output: str) -> None:
    assert finished(shared_deck, source) == (0, output)


def test_a_file_that_was_never_closed_is_written(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("f = open('kept.txt', 'w')\nf.write('kept')")
    shared_deck.wait_for_status(run["id"], "completed")
    assert shared_deck.client.get(f"/runs/{run['id']}/files/kept.txt").content == b"kept"


def test_an_exit_code_set_while_threads_end_is_kept(shared_deck: ServedDeck) -> None:
    source = "import atexit, sys\natexit.register(print, 'cleaned')\nsys.exit(4)"
    assert finished(shared_deck, source) == (4, "cleaned\n")


def test_a_broken_exit_handler_is_told_and_harms_nothing(shared_deck: ServedDeck) -> None:
    code, output = finished(shared_deck, "import atexit\natexit.register(lambda: 1 / 0)")
    assert code == 0
    assert "ZeroDivisionError" in output


def test_a_run_may_leave_its_folder_or_remove_it(shared_deck: ServedDeck) -> None:
    source = "import os, shutil\nhere = os.getcwd()\nos.chdir('/')\nshutil.rmtree(here)\nprint('gone')"
    assert finished(shared_deck, source) == (0, "gone\n")


def test_a_run_may_close_its_streams(shared_deck: ServedDeck) -> None:
    assert finished(shared_deck, "import sys\nprint('before')\nsys.stdout.close()") == (0, "before\n")
