"""`traindeck launch`."""

import json
import sys
from pathlib import Path

import pytest

from cli.conftest import CommandLine


def launched(traindeck: CommandLine, *arguments: object) -> dict:
    """The run that a launch with --json answers."""
    done = traindeck("launch", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture
def busy(traindeck: CommandLine, programs: Path, tmp_path: Path):
    """All slots are taken, so that what is launched stays queued."""
    run = launched(traindeck, "--cpus", 2, "--priority", 1000, programs / "waits.py", tmp_path / "go")
    yield run
    (tmp_path / "go").touch()
    traindeck.deck.wait_until_ended(run["id"])


def test_everything_after_a_script_goes_to_it_untouched(traindeck: CommandLine, programs: Path) -> None:
    arguments = ["--lr", "0.1", "--name", "x", "-f", "--help", "--", "-p", "a=b", "", "é ü"]
    run = launched(traindeck, "--name", "mine", programs / "prints.py", *arguments)
    assert run["name"] == "mine"
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert json.loads(traindeck("logs", run["id"]).stdout)["args"] == arguments


def test_a_script_is_found_from_the_folder_of_the_caller(traindeck: CommandLine, programs: Path) -> None:
    (traindeck.folder / "train.py").write_text((programs / "prints.py").read_text())
    assert launched(traindeck, "train.py")["script"]["path"] == str(traindeck.folder / "train.py")
    (traindeck.folder / "plain").write_text("pass")
    assert launched(traindeck, "./plain")["script"]["path"] == str(traindeck.folder / "plain")


def test_options_before_a_script_are_those_of_the_run(traindeck: CommandLine, programs: Path) -> None:
    options = ["--tag", "a", "--tag=b c", "--notes", "why", "--priority", 7, "--cpus", 2, "--max-retries", 1]
    run = launched(traindeck, *options, "--env", "GREETING=hello = you", programs / "prints.py")
    assert (run["tags"], run["notes"], run["priority"]) == (["a", "b c"], "why", 7)
    assert run["resources"] == {"cpus": 2, "gpus": 0}
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert json.loads(traindeck("logs", run["id"]).stdout)["greeting"] == "hello = you"


def test_a_launch_prints_number_name_and_address(traindeck: CommandLine, programs: Path) -> None:
    done = traindeck("launch", "--name", "mine", programs / "prints.py")
    word, number, name, address = done.stdout.split()
    assert (word, name, address) == ("Run", "mine", f"{traindeck.deck.url}/runs/{number}")
    assert traindeck.deck.client.get(address).json()["name"] == "mine"


def test_a_trainers_parameters_are_options_on_either_side_of_its_name(traindeck: CommandLine, busy: dict) -> None:
    options = ["--tag", "x", "mnist", "--epochs", "2", "--lr", "1e-4", "--channels-last", "--name", "y"]
    run = launched(traindeck, *options, "-p", "batch_size=32", "--param", "optimizer=sgd")
    traindeck("cancel", run["id"])
    asked = {name: run["params"][name] for name in ("epochs", "lr", "channels_last", "batch_size")}
    assert asked == {"epochs": 2, "lr": 1e-4, "channels_last": True, "batch_size": 32}
    assert (run["trainer"], run["params"]["optimizer"], run["name"], run["tags"]) == ("mnist", "sgd", "y", ["x"])


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["mnits"], 4, "there is no trainer \"mnits\"; did you mean 'mnist'?"),
        (["mnist", "--epoch", "3"], 2, "did you mean '--epochs'?"),
        (["mnist", "--epochs", "0"], 2, "epochs is 0, but must be at least 1"),
        (["mnist", "-p", "epoch=3"], 2, "there is no parameter \"epoch\"; did you mean 'epochs'?"),
        (["mnist", "--epochs"], 2, "--epochs needs a value"),
        (["missing.py"], 2, "does not exist"),
        (["-p", "a=b", "missing.py"], 2, "does not exist"),
        (["-p", "a=b", "--", "bash"], 2, "-p needs a script whose options are known"),
        (["--gpus", "99", "mnist"], 2, "resources.gpus is 99"),
        (["--env", "A", "mnist"], 2, "--env must be NAME=VALUE"),
        (["--folow", "mnist"], 2, "No such option: --folow"),
        ([], 2, "Missing argument"),
        (["--url", "http://127.0.0.1:9", "mnist"], 3, "no deck answers at http://127.0.0.1:9"),
        (["--url", "nonsense", "mnist"], 2, "is not an address"),
    ],
)
def test_a_refusal_says_on_stderr_what_would_be_right(
    traindeck: CommandLine, arguments: list[str], exit_code: int, message: str
) -> None:
    done = traindeck("launch", *arguments)
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (exit_code, "")


def test_a_file_that_is_named_like_a_trainer_is_hinted_at(traindeck: CommandLine) -> None:
    (traindeck.folder / "train").write_text("pass")
    assert "to launch the file, write ./train" in traindeck("launch", "train").stderr


def test_an_argument_that_is_not_utf_8_is_refused_in_words(traindeck: CommandLine, programs: Path) -> None:
    done = traindeck("launch", programs / "prints.py", b"\xff".decode(errors="surrogateescape"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_module_is_found_from_the_folder_of_the_caller_and_gets_what_follows(
    traindeck: CommandLine, programs: Path
) -> None:
    package = traindeck.folder / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "train.py").write_text((programs / "prints.py").read_text())
    run = launched(traindeck, "--name", "mine", "-m", "pkg.train", "--name", "its own", "-f", "--", "-m")
    assert (run["name"], run["script"]["module"], run["script"]["cwd"]) == ("mine", "pkg.train", str(traindeck.folder))
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert json.loads(traindeck("logs", run["id"]).stdout)["args"] == ["--name", "its own", "-f", "--", "-m"]


@pytest.mark.parametrize(
    "words", [["--", "bash", "-c", "echo $0 $1", "--name", "-f"], ["bash", "-c", "echo $0 $1", "--name", "-f"]]
)
def test_a_command_is_what_follows_two_dashes_or_an_executable(traindeck: CommandLine, words: list[str]) -> None:
    run = launched(traindeck, "--name", "mine", *words)
    assert (run["name"], run["script"]["command"], run["start"]) == ("mine", words[-5:], "cold")
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert traindeck("logs", run["id"]).stdout == "--name -f\n"


def test_a_command_is_told_from_a_trainer_by_the_deck_that_the_environment_names(
    traindeck: CommandLine, tmp_path: Path
) -> None:
    elsewhere = {"TRAINDECK_HOME": str(tmp_path / "none"), "TRAINDECK_URL": traindeck.deck.url}
    done = traindeck("launch", "bash", "-c", "echo here", **elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Run ")


def test_a_file_that_the_system_executes_is_a_command_and_one_of_python_a_script(traindeck: CommandLine) -> None:
    shell, python = traindeck.folder / "run.sh", traindeck.folder / "train"
    shell.write_text("#!/bin/sh\necho shell $1\n")
    python.write_text("#!/usr/bin/env python3\nprint('python')\n")
    for path in (shell, python):
        path.chmod(0o755)
    command, script = launched(traindeck, "./run.sh", "--lr"), launched(traindeck, "./train")
    assert (command["script"]["kind"], script["script"]["kind"]) == ("command", "path")
    traindeck.deck.wait_for_status(command["id"], "completed")
    assert traindeck("logs", command["id"]).stdout == "shell --lr\n"


def test_a_script_starts_cold_with_another_interpreter_and_resumes_by_its_option(
    traindeck: CommandLine, programs: Path
) -> None:
    (traindeck.folder / "venv" / "bin").mkdir(parents=True)
    (traindeck.folder / "venv" / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    options = ["--python", "venv", "--cold", "--resume-arg", "--resume"]
    run = launched(traindeck, *options, programs / "prints.py", "--python", "x")
    script = run["script"]
    assert (script["python"], script["cold"]) == (str(traindeck.folder / "venv/bin/python"), True)
    assert (script["resume_arg"], script["args"], run["start"]) == ("--resume", ["--python", "x"], "cold")
    assert script["cwd"] == str(traindeck.folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--python", "nowhere", "train.py"], "is no Python interpreter"),
        (["--python", "x", "mnist"], "--python works for scripts"),
        (["--python", "x", "--", "bash"], "--python works for scripts"),
        (["--cold", "mnist"], "--cold works for scripts only"),
        (["--", "no-such-program"], "is not on the server's PATH"),
        (["-m", "not a module"], "script.module"),
        (["-m"], "requires an argument"),
        (["--"], "Missing argument"),
    ],
)
def test_a_start_that_cannot_be_is_refused_in_words(
    traindeck: CommandLine, programs: Path, arguments: list[str], message: str
) -> None:
    (traindeck.folder / "train.py").touch()
    done = traindeck("launch", *arguments)
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (2, "")


OPTIONS = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--amp", action="store_true")
print(json.dumps(vars(parser.parse_args())))
"""


def test_options_that_a_script_declares_are_given_by_name_and_checked(traindeck: CommandLine) -> None:
    (traindeck.folder / "train.py").write_text(OPTIONS)
    run = launched(traindeck, "-p", "lr=0.5", "-p", "amp=yes", "train.py")
    assert run["params"] == {"lr": 0.5, "amp": True}
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert json.loads(traindeck("logs", run["id"]).stdout) == run["params"]
    unknown, wrong = traindeck("launch", "-p", "lrr=1", "train.py"), traindeck("launch", "train.py", "--lr", "fast")
    assert "did you mean 'lr'?" in unknown.stderr
    assert "--lr" in wrong.stderr
    assert (unknown.returncode, wrong.returncode) == (2, 2)


def test_a_folder_is_sent_without_what_it_does_not_need(traindeck: CommandLine, programs: Path) -> None:
    project = traindeck.folder / "project"
    for name in (".git", "__pycache__", "pkg", "venv"):
        (project / name).mkdir(parents=True)
        (project / name / "file.py").write_text("WORD = 'sent'")
    (project / "venv" / "pyvenv.cfg").touch()
    (project / "train.py").write_text("import sys\nfrom pkg.file import WORD\nprint(WORD, *sys.argv[1:])")
    run = launched(traindeck, "--name", "mine", "--upload", "--entry", "train.py", "project", "--name", "x")
    assert (run["name"], run["script"]["kind"], run["script"]["filename"]) == ("mine", "upload", "train.py")
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert traindeck("logs", run["id"]).stdout == "sent --name x\n"
    kept = traindeck.deck.client.get(f"/runs/{run['id']}/code").json()["files"]
    assert [one["path"] for one in kept] == ["pkg/file.py", "train.py"]


def test_a_file_is_sent_and_one_that_is_not_there_is_refused(traindeck: CommandLine, programs: Path) -> None:
    run = launched(traindeck, "--upload", programs / "prints.py", "--lr", "1")
    traindeck.deck.wait_for_status(run["id"], "completed")
    assert json.loads(traindeck("logs", run["id"]).stdout)["args"] == ["--lr", "1"]
    done = traindeck("launch", "--upload", "nowhere.py")
    assert (done.returncode, "nowhere.py cannot be sent: No such file" in done.stderr) == (2, True)
