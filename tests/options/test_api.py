"""`POST /scripts/inspect`, and launches that are checked by what it finds."""

from pathlib import Path
from typing import Any

import pytest

from support.served import ServedDeck
from support.waiting import wait_for

SOURCE = """
import argparse, json, sys
import torch
parser = argparse.ArgumentParser()
for number in range(28):
    parser.add_argument(f"--option-{number}", type=float, default=number / 10, help="One of many.")
parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()
print(json.dumps({"argv": sys.argv[1:], "epochs": args.epochs, "optimizer": args.optimizer}))
"""


def inspect(deck: ServedDeck, script: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = deck.client.post("/scripts/inspect", json={"script": script, **more})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_script_that_imports_torch_is_asked_in_a_warm_fork_and_only_once(
    shared_deck: ServedDeck, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(SOURCE)
    first = inspect(shared_deck, {"path": str(path)}, args=["--epochs", "5"])
    assert (first["parser"], first["cached"], first["errors"]) == ("argparse", False, [])
    assert len(first["schema"]["properties"]) == 30
    assert (first["params"]["epochs"], first["params"]["option_7"]) == (5, 0.7)
    again = inspect(shared_deck, {"path": str(path)}, args=["--epochs", "x"])
    assert (again["cached"], again["params"]) == (True, {})
    assert again["errors"][0]["field"] == "script.args"
    assert "argument --epochs: invalid int value: 'x'" in again["errors"][0]["message"]


def test_a_pasted_script_is_asked_too(shared_deck: ServedDeck) -> None:
    found = inspect(shared_deck, {"source": SOURCE.replace("One of", "Each of")})
    assert found["schema"]["properties"]["epochs"]["default"] == 3


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"source": "print(1)"}, "it has no parser of argparse, click or Typer"),
        ({"command": ["true"]}, "a command is started as it stands: only scripts and modules are asked for their options"),
        ({"source": "import argparse\n1 / 0\nargparse.ArgumentParser().parse_args()"},
         "it ended before it came to a parser: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_script_without_a_form_says_why(shared_deck: ServedDeck, script: dict[str, Any], reason: str) -> None:
    found = inspect(shared_deck, script)
    assert (found["schema"], found["parser"], found["params"], found["reason"]) == (None, None, None, reason)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"script": {"path": "/nowhere.py"}}, "script.path"),
        ({"script": {}}, "script"),
        ({"script": {"source": "x"}, "arg": []}, "arg"),
        ({}, "script"),
    ],
)
def test_a_script_that_is_not_there_is_refused(shared_deck: ServedDeck, body: dict[str, Any], field: str) -> None:
    response = shared_deck.client.post("/scripts/inspect", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_page_of_another_site_may_not_have_a_script_asked(shared_deck: ServedDeck) -> None:
    foreign = {"Origin": "http://evil.example"}
    response = shared_deck.client.post("/scripts/inspect", json={"script": {"source": "x"}}, headers=foreign)
    assert response.status_code == 403


def test_a_run_has_its_options_as_parameters(shared_deck: ServedDeck) -> None:
    script = {"source": SOURCE, "filename": "train.py", "args": ["--epochs=7"]}
    run = shared_deck.launch(script=script, tags=["flags-test"])
    assert (run["params"]["epochs"], run["params"]["optimizer"]) == (7, "adam")
    shared_deck.wait_for_status(run["id"], "completed")
    assert '"argv": ["--epochs=7"], "epochs": 7' in shared_deck.log_of(run["id"])
    found = shared_deck.client.get(
        "/runs", params={"q": "tag:flags-test params.epochs>=7 params.optimizer=adam"}
    ).json()
    assert [item["id"] for item in found["items"]] == [run["id"]]


def test_parameters_of_a_script_become_its_arguments(shared_deck: ServedDeck) -> None:
    script = {"source": SOURCE, "filename": "train.py"}
    run = shared_deck.launch(script=script, params={"optimizer": "sgd", "epochs": 4})
    assert run["script"]["args"] == ["--optimizer", "sgd", "--epochs", "4"]
    shared_deck.wait_for_status(run["id"], "completed")
    assert '"epochs": 4, "optimizer": "sgd"' in shared_deck.log_of(run["id"])


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"params": {"epochs": "many"}}, "params.epochs", 'epochs is "many", but must be a whole number'),
        ({"params": {"epoch": 3}}, "params.epoch", "did you mean 'epochs'?"),
        ({"args": ["--optimizer", "adamw"]}, "script.args", "argument --optimizer: invalid choice: 'adamw'"),
        ({"args": ["--epochs", "3"], "params": {"epochs": 4}}, "params.epochs", "given twice"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_queued(
    shared_deck: ServedDeck, more: dict[str, Any], field: str, words: str
) -> None:
    before = shared_deck.client.get("/runs").json()["total"]
    script = {"source": SOURCE, "filename": "train.py", "args": more.pop("args", [])}
    response = shared_deck.client.post("/runs", json={"script": script, **more})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert words in error["message"]
    assert shared_deck.client.get("/runs").json()["total"] == before


def test_inspections_leave_no_process_and_no_file_behind(shared_deck: ServedDeck, tmp_path: Path) -> None:
    marker = tmp_path / "where"
    note = f"import os\nopen({str(marker)!r}, 'w').write(os.getcwd())\n"
    inspect(shared_deck, {"source": note + SOURCE})
    folder = Path(marker.read_text())
    wait_for(lambda: not folder.exists(), "the folder of the inspection is gone")
