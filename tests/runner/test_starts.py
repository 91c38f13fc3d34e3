"""Each way to start a program: a command, another interpreter, a fresh one; and what all of them have in common."""

import os
import sys
import venv
from pathlib import Path

import pytest

from support.served import ServedDeck

PRINTS_FLUSH = (
    "import {module}\n"
    "print({module}.SummaryWriter('logs').{worker}._flush_secs)\n"
)  # fmt: skip
TENSORBOARD_X = PRINTS_FLUSH.format(module="tensorboardX", worker="file_writer.event_writer._worker")


def run_of(deck: ServedDeck, **script: object) -> tuple[dict, str]:
    run = deck.wait_until_ended(deck.launch(script=script)["id"], seconds=60)
    return run, deck.log_of(run["id"])


def test_a_command_is_executed_without_a_shell(cold_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text('#!/bin/sh\necho "$@"; cat names.txt; echo $0; exit 5\n')
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "names.txt").write_text("one\n")
    run, log = run_of(cold_deck, command=["./run.sh", "$HOME", "a b; ls", "*"], cwd=str(tmp_path))
    assert (run["exit_code"], log) == (5, "$HOME a b; ls *\none\n./run.sh\n")
    assert cold_deck.process_record(run["id"])["start"] == "cold"


def test_a_command_that_is_not_there_says_so(cold_deck: ServedDeck, tmp_path: Path) -> None:
    # The server finds it, and the run, which looks elsewhere, does not.
    run = cold_deck.launch(script={"command": ["ls", "x"]}, env={"PATH": str(tmp_path)})
    run = cold_deck.wait_until_ended(run["id"])
    log = cold_deck.log_of(run["id"])
    assert (run["status"], run["exit_code"]) == ("failed", 127)
    assert log == "traindeck: command not found: ls\n"
    assert run["status_reason"] == "exit code 127: command not found: ls"


def test_a_command_that_may_not_be_executed_says_so(cold_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("text")
    (tmp_path / "plain.txt").chmod(0o755)
    run, log = run_of(cold_deck, command=["./plain.txt"], cwd=str(tmp_path))
    assert (run["exit_code"], log) == (126, "traindeck: ./plain.txt cannot be executed: Exec format error\n")


def test_a_command_is_stopped_with_all_that_it_has_started(cold_deck: ServedDeck, tmp_path: Path) -> None:
    script = tmp_path / "parent.sh"
    script.write_text("echo ready\nsleep 1000 & sleep 1000\n")
    run_id = cold_deck.launch(script={"command": ["bash", "parent.sh"], "cwd": str(tmp_path)})["id"]
    cold_deck.wait_for_line(run_id, "ready")
    cold_deck.client.post(f"/runs/{run_id}/cancel")
    cold_deck.wait_for_status(run_id, "cancelled")


def test_python_scripts_are_found_beside_a_command(cold_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sibling, sys\nprint(sys.argv, sibling.__name__, sys.path[0])\n")
    (tmp_path / "sibling.py").write_text("")
    _, log = run_of(cold_deck, command=[sys.executable, "train.py", "1"], cwd=str(tmp_path))
    assert log == f"['train.py', '1'] sibling {tmp_path}\n"
    assert sorted(os.listdir(tmp_path)) == ["sibling.py", "train.py"]


def test_a_command_has_default_signal_handlers(cold_deck: ServedDeck) -> None:
    # What is ignored survives an exec; a program that writes to a closed pipe would never end.
    _, log = run_of(cold_deck, command=["grep", "SigIgn", "/proc/self/status"])
    assert int(log.split()[1], 16) & (1 << 12 | 1 << 24) == 0


@pytest.mark.parametrize("how", ["command", "python", "cold"])
def test_event_files_are_fresh_in_every_interpreter(cold_deck: ServedDeck, tmp_path: Path, how: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(TENSORBOARD_X)
    by = {
        "command": {"command": ["bash", "-c", f"exec {sys.executable} train.py"], "cwd": str(tmp_path)},
        "python": {"path": str(script), "python": sys.executable},
        "cold": {"path": str(script), "cold": True},
    }
    _, log = run_of(cold_deck, **by[how])
    assert log == "1\n"


def test_event_files_are_fresh_in_a_warm_start_of_tensorboard_x(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch(TENSORBOARD_X)
    shared_deck.wait_for_status(run["id"], "completed")
    assert shared_deck.log_of(run["id"]) == "1\n"


def test_event_files_are_fresh_in_what_torchrun_starts(shared_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import os, sys\nprint(os.environ['RANK'], sys.argv)\n" + TENSORBOARD_X)
    command = [str(Path(sys.executable).with_name("torchrun")), "--standalone", "--nproc_per_node=1", "train.py", "--x"]
    run_id = shared_deck.launch(script={"command": command, "cwd": str(tmp_path)})["id"]
    run = shared_deck.wait_until_ended(run_id, seconds=100)
    assert shared_deck.log_of(run_id).splitlines()[-2:] == ["0 ['train.py', '--x']", "1"]
    assert run["status"] == "completed"


def test_a_sitecustomize_of_the_users_own_still_runs(cold_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.CHOSEN = 'by the user'\n")
    source = "import sys, sitecustomize\nprint(CHOSEN, sitecustomize.__file__, [p for p in sys.path if 'hook' in p])"
    run = cold_deck.launch(source, env={"PYTHONPATH": str(tmp_path)})
    cold_deck.wait_for_status(run["id"], "completed")
    assert cold_deck.log_of(run["id"]) == f"by the user {tmp_path}/sitecustomize.py []\n"


def test_another_interpreter_finds_its_own_packages(cold_deck: ServedDeck, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True, with_pip=False)
    packages = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    (packages / "only_here.py").write_text("VALUE = 5\n")
    script = tmp_path / "train.py"
    script.write_text("import only_here, sys\nprint(only_here.VALUE, sys.prefix, 'traindeck' in sys.modules)\n")
    _, log = run_of(cold_deck, path=str(script), python=str(tmp_path / "venv/bin/python"))
    assert log == f"5 {tmp_path}/venv False\n"


def test_a_variable_that_is_read_at_the_start_makes_the_start_cold(shared_deck: ServedDeck) -> None:
    source = "import sys\nprint(sys.flags.hash_randomization, hash('a'))"
    logs = []
    for _ in range(2):
        run = shared_deck.launch(source, env={"PYTHONHASHSEED": "0"})
        shared_deck.wait_for_status(run["id"], "completed")
        logs.append(shared_deck.log_of(run["id"]))
        assert shared_deck.process_record(run["id"])["start"] == "cold"
    assert logs[0] == logs[1]
    assert logs[0].startswith("0 ")


def test_nothing_is_compiled_beside_the_users_files(shared_deck: ServedDeck, tmp_path: Path) -> None:
    (tmp_path / "sibling.py").write_text("")
    script = tmp_path / "train.py"
    script.write_text("import sibling, subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import sibling'])\n")
    for cold in (False, True):
        run = shared_deck.launch(script={"path": str(script), "cold": cold})
        shared_deck.wait_for_status(run["id"], "completed")
    assert sorted(os.listdir(tmp_path)) == ["sibling.py", "train.py"]


def test_the_record_says_which_way_it_was_started(shared_deck: ServedDeck) -> None:
    starts = []
    for cold in (False, True):
        run = shared_deck.launch(script={"source": "print(1)", "filename": "a.py", "cold": cold})
        shared_deck.wait_for_status(run["id"], "completed")
        starts.append(shared_deck.process_record(run["id"])["start"])
    assert starts == ["warm", "cold"]
