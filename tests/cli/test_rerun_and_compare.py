"""`traindeck rerun` and `traindeck compare`."""

import json
from pathlib import Path

import pytest

from cli.conftest import CommandLine
from support.served import ServedDeck


def answered(traindeck: CommandLine, *arguments: object) -> dict:
    """The JSON that a command prints."""
    done = traindeck(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def first(cold_deck: ServedDeck, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A run of a script that has ended, and whose file has changed since."""
    traindeck = CommandLine(cold_deck, tmp_path_factory.mktemp("first"))
    script = traindeck.folder / "train.py"
    script.write_text((Path(__file__).parent / "stubs" / "prints.py").read_text())
    done = traindeck("launch", "--json", "--name", "first", "--tag", "a", "--env", "GREETING=hi", script, "--lr", "0.1")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    traindeck.deck.wait_for_status(run["id"], "completed")
    script.write_text("raise SystemExit('changed')")
    return run


def test_a_rerun_does_the_same_although_the_file_has_changed(traindeck: CommandLine, first: dict) -> None:
    done = traindeck("rerun", first["id"], "--follow")
    assert done.returncode == 0, done.stderr
    number = int(done.stdout.split()[1])
    run = traindeck.deck.run(number)
    assert (run["rerun_of"], run["name"], run["tags"]) == (first["id"], "first", ["a"])
    assert json.loads(traindeck("logs", number).stdout) == {"args": ["--lr", "0.1"], "greeting": "hi"}


def test_a_rerun_takes_other_options_and_all_arguments_after_two_dashes(traindeck: CommandLine, first: dict) -> None:
    options = ["--name", "again", "--tag", "b", "--notes", "n", "--cpus", 2, "--env", "GREETING=ho", "--max-retries", 1]
    done = traindeck("rerun", first["id"], "--json", *options, "--", "--lr", "0.2", "--", "-p")
    run = json.loads(done.stdout)
    assert (run["name"], run["tags"], run["notes"], run["max_retries"]) == ("again", ["b"], "n", 1)
    assert run["resources"] == {"cpus": 2, "gpus": 0}
    traindeck.deck.wait_for_status(run["id"], "completed")
    printed = json.loads(traindeck("logs", run["id"]).stdout)
    assert printed == {"args": ["--lr", "0.2", "--", "-p"], "greeting": "ho"}


def test_a_trainers_rerun_has_its_parameters_but_for_those_that_are_given(traindeck: CommandLine) -> None:
    asked = ["--epochs", "2", "--lr", "0.5", "--name", "y"]
    first = json.loads(traindeck("launch", "--json", "--priority", -5, "mnist", *asked).stdout)
    run = answered(traindeck, "rerun", first["id"], "--lr", "1e-4", "-p", "batch_size=32", "--channels-last")
    for one in (first, run):
        traindeck("cancel", one["id"])
    assert (run["trainer"], run["rerun_of"], run["priority"]) == ("mnist", first["id"], -5)
    changes = {"lr": 1e-4, "batch_size": 32, "channels_last": True}
    assert run["params"] == {**first["params"], **changes}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["999999"], 4, "There is no run 999999"),
        (["FIRST", "--lr", "0.2"], 2, "has no parameters. Give all of its arguments after --"),
        (["FIRST", "--gpus", "99"], 2, "resources.gpus is 99"),
        (["FIRST", "--name", " "], 2, "name is"),
        (["FIRST", "--env", "A"], 2, "must be NAME=VALUE"),
        (["x"], 2, "Invalid value"),
    ],
)
def test_a_rerun_that_cannot_be_is_refused_in_words(
    traindeck: CommandLine, first: dict, arguments: list[str], exit_code: int, message: str
) -> None:
    done = traindeck("rerun", *[str(first["id"]) if word == "FIRST" else word for word in arguments])
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (exit_code, "")


def test_a_trainers_rerun_refuses_what_is_none_of_its_parameters(traindeck: CommandLine) -> None:
    first = json.loads(traindeck("launch", "--json", "mnist").stdout)
    traindeck("cancel", first["id"])
    unknown, wrong = traindeck("rerun", first["id"], "--epoch", "3"), traindeck("rerun", first["id"], "--epochs", "0")
    assert "did you mean '--epochs'?" in unknown.stderr
    assert "epochs is 0, but must be at least 1" in wrong.stderr
    assert (unknown.returncode, wrong.returncode) == (2, 2)


def test_two_runs_are_compared_by_what_differs(traindeck: CommandLine, first: dict) -> None:
    arguments = ["--json", "--env", "GREETING=\x1b[31m", "--", "--lr", "0.2"]
    second = json.loads(traindeck("rerun", first["id"], *arguments).stdout)
    traindeck.deck.wait_for_status(second["id"], "completed")
    done = traindeck("compare", first["id"], second["id"])
    assert (done.returncode, done.stderr) == (0, "")
    assert any(line.split() == ["arguments", "--lr", "0.1", "--lr", "0.2"] for line in done.stdout.splitlines())
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert "folder" not in done.stdout
    whole = traindeck("compare", "--all", first["id"], second["id"]).stdout
    assert f"folder             {first['script']['cwd']}" in whole
    seen = answered(traindeck, "compare", first["id"], second["id"])
    assert seen["code"][0]["same"] is True


def test_the_code_of_compared_runs_is_shown_as_a_diff(traindeck: CommandLine, first: dict) -> None:
    other = json.loads(traindeck("launch", "--json", first["script"]["path"]).stdout)
    shown = traindeck("compare", first["id"], other["id"]).stdout
    assert f"code of #{first['id']} → #{other['id']}: train.py changed" in shown
    assert "+raise SystemExit('changed')" in shown.splitlines()


def test_a_comparison_of_one_run_is_refused(traindeck: CommandLine, first: dict) -> None:
    done = traindeck("compare", first["id"])
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 to 8 different ones" in done.stderr


def test_show_says_the_command_and_the_commit(traindeck: CommandLine, first: dict) -> None:
    shown = traindeck("show", first["id"]).stdout
    assert f"python {first['script']['path']} --lr 0.1" in shown
    assert "code_digest" in shown
    assert "start" in shown
