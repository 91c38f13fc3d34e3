"""`traindeck runs`, `show` and `trainers`."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from api.conftest import script_that_writes
from cli.conftest import CommandLine
from events.eventfiles import NAME, scalar, version
from support.served import ServedDeck

HOSTILE = "\x1b]0;owned\x07\x1b[31m[bold red]x\u202e" + "long " * 12 + "end"


@pytest.fixture(scope="module")
def hostile(cold_deck: ServedDeck) -> dict[str, Any]:
    """A run whose every text means mischief."""
    run = cold_deck.launch("raise SystemExit('\\x1b[2Jgone')", name=HOSTILE, tags=[HOSTILE], notes=f"a\n{HOSTILE}")
    return cold_deck.wait_for_status(run["id"], "failed")


def test_the_json_of_each_command_is_the_decks_own(traindeck: CommandLine, hostile: dict[str, Any]) -> None:
    for arguments, address in [
        (["runs"], "/runs"),
        (["runs", "-q", "status:failed", "--sort", "name", "--limit", "1"], "/runs?q=status:failed&sort=name&limit=1"),
        (["show", str(hostile["id"])], f"/runs/{hostile['id']}"),
        (["trainers"], "/trainers"),
    ]:
        done = traindeck(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == traindeck.deck.client.get(address).text + "\n"


def test_a_pipe_gets_the_whole_table_without_a_control_character(
    traindeck: CommandLine, hostile: dict[str, Any]
) -> None:
    done = traindeck("runs", "-q", f"id:{hostile['id']}")
    header, row = done.stdout.splitlines()
    assert header.split()[:4] == ["#", "name", "status", "program"]
    assert row.isprintable()
    assert r"\x1b]0;owned\x07\x1b[31m[bold red]x\u202e" in row
    assert row.count("long end") == 2
    assert header.index("status") == row.index("failed")


@pytest.mark.parametrize("columns", [30, 60, 140])
def test_a_terminal_gets_lines_that_fit(traindeck: CommandLine, hostile: dict[str, Any], columns: int) -> None:
    screen = traindeck.on_terminal("runs", "-q", f"id:{hostile['id']}", columns=columns)
    assert screen.end() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.text).splitlines()
    assert len(lines) == 2
    assert all(len(line) <= columns and line.isprintable() for line in lines)
    assert "failed" in lines[1]
    assert ("note" in lines[0]) == (columns == 140)
    assert "time" in lines[0]


def test_show_has_every_field_and_none_of_it_is_obeyed(traindeck: CommandLine, hostile: dict[str, Any]) -> None:
    done = traindeck("show", hostile["id"])
    lines = done.stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    assert set(hostile) <= {line.split()[0] for line in lines if not line.startswith(" ")}
    assert re.search(r"^status +failed$", done.stdout, re.MULTILINE)
    assert re.search(r"^exit_code +1$", done.stdout, re.MULTILINE)


def test_the_key_metric_follows_the_directions_that_were_set(traindeck: CommandLine) -> None:
    events = version() + scalar("train/loss", 1, 0.5) + scalar("val/distance", 1, 7.0)
    run = traindeck.deck.launch(script_that_writes({NAME: events}), name="directed")
    traindeck.deck.wait_until_ended(run["id"])
    commands = (("runs", "-q", f"id:{run['id']}"), ("show", run["id"]))
    assert all(re.search(r"(?m)train/loss 0\.5000( |$)", traindeck(*command).stdout) for command in commands)
    said = {"tag": "val/distance", "better": "lower"}
    try:
        assert traindeck.deck.client.patch("/metric-directions", json=said).is_success
        assert all(re.search(r"(?m)val/distance 7( |$)", traindeck(*command).stdout) for command in commands)
    finally:
        traindeck.deck.client.patch("/metric-directions", json={**said, "better": None})


def test_runs_are_filtered_sorted_and_paged(traindeck: CommandLine) -> None:
    numbers = [traindeck.deck.launch("pass", name=f"paged-{letter}")["id"] for letter in "bca"]
    traindeck.deck.wait_until_ended(numbers[-1])
    first = traindeck("runs", "-q", "paged-", "--sort", "name", "--limit", 2)
    assert re.findall(r"paged-\w", first.stdout) == ["paged-a", "paged-b"]
    assert "2 of 3 runs" in first.stderr
    cursor = json.loads(traindeck("runs", "-q", "paged-", "--sort", "name", "--limit", 2, "--json").stdout)
    rest = traindeck("runs", "-q", "paged-", "--sort", "name", "--cursor", cursor["next_cursor"])
    assert re.findall(r"paged-\w", rest.stdout) == ["paged-c"]
    assert rest.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["runs", "-q", "colour:red"], 2, "'colour' is not a field"),
        (["runs", "--sort", "nmae"], 2, "did you mean 'name'?"),
        (["runs", "--status", "done"], 2, "status"),
        (["runs", "--limit", "501"], 2, 'limit is "501", but must be at most 500'),
        (["show", "999999"], 4, "There is no run 999999"),
        (["trainers", "tuor"], 4, "did you mean 'tour'?"),
        (["trainers", "--url", "http://127.0.0.1:9"], 3, "Start one with `traindeck serve`"),
    ],
)
def test_a_refusal_is_said_on_stderr_alone(
    traindeck: CommandLine, arguments: list[str], exit_code: int, message: str
) -> None:
    done = traindeck(*arguments)
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (exit_code, "")


def test_trainers_are_listed_and_one_is_shown_with_its_parameters(traindeck: CommandLine) -> None:
    assert re.search(r"^mnist +ConvNet on images", traindeck("trainers").stdout, re.MULTILINE)
    shown = traindeck("trainers", "mnist").stdout
    schema = json.loads(traindeck("trainers", "mnist", "--json").stdout)["params_schema"]
    assert set(re.findall(r"^--([\w-]+)", shown, re.MULTILINE)) == {
        name.replace("_", "-") for name in schema["properties"]
    }
    assert re.search(r"^--epochs +3 +integer from 1 to 1000 +How many", shown, re.MULTILINE)


def test_a_broken_trainer_is_listed_with_its_reason_and_cannot_be_launched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "torn-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[traindeck.trainers]\ntorn = torn_to_pieces:trainer\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)
    deck = ServedDeck(tmp_path / "home", cold=True)
    deck.start()
    command = CommandLine(deck, tmp_path)
    listed, launched = command("trainers"), command("launch", "torn")
    deck.end()
    assert listed.returncode == 0
    assert "broken: torn of torn: ModuleNotFoundError" in listed.stderr
    assert launched.returncode == 1
    assert "trainer 'torn' of torn is broken: ModuleNotFoundError" in launched.stderr


def test_the_deck_is_found_by_its_home_by_a_variable_and_by_an_option(traindeck: CommandLine) -> None:
    elsewhere = str(traindeck.folder / "no-home")
    assert traindeck("trainers").returncode == 0
    assert traindeck("trainers", TRAINDECK_HOME=elsewhere, TRAINDECK_URL=traindeck.deck.url).returncode == 0
    assert traindeck("trainers", "--url", f"{traindeck.deck.url}/", TRAINDECK_HOME=elsewhere).returncode == 0
    assert traindeck("trainers", TRAINDECK_HOME=elsewhere, TRAINDECK_PORT="9").returncode == 3
    assert traindeck("trainers", TRAINDECK_HOME=elsewhere, TRAINDECK_PORT="none").returncode == 2


def test_a_terminal_that_has_no_such_letters_gets_their_numbers(
    traindeck: CommandLine, hostile: dict[str, Any]
) -> None:
    run = traindeck.deck.launch("pass", name="学習")
    done = traindeck("runs", "-q", f"id:{run['id']}", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert r"\u5b66\u7fd2" in done.stdout
