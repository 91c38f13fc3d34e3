"""`traindeck launch`."""

import json
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
        (["-p", "a=b", "missing.py"], 2, "-p goes with a trainer"),
        (["--gpus", "99", "mnist"], 2, "resources.gpus is 99"),
        (["--env", "A", "mnist"], 2, "must be NAME=VALUE"),
        (["--folow", "mnist"], 2, "No such option: --folow"),
        ([], 2, "Missing argument"),
        (["--url", "http://127.0.0.1:9", "mnist"], 3, "no deck answers at http://127.0.0.1:9"),
        (["--url", "nonsense", "mnist"], 2, "is no address"),
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
