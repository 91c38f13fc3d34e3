"""`POST /runs/N/rerun`: the same once more, whatever has changed on disk since."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from support.served import ServedDeck

TELLS = """
import argparse, json, os, sys
from helper import WORD
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--resume")
options = parser.parse_args()
print(json.dumps({"word": WORD, **vars(options), "token": os.environ.get("MY_TOKEN"), "argv": sys.argv[1:]}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A script with options, and a module beside it."""
    (tmp_path / "helper.py").write_text("WORD = 'as it was'")
    script = tmp_path / "train.py"
    script.write_text(TELLS)
    return script


def rerun(deck: ServedDeck, run_id: int, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    answer = deck.client.post(f"/runs/{run_id}/rerun", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/runs/{answer.json()['id']}"
    return answer.json()


def told(deck: ServedDeck, run: dict[str, Any]) -> dict[str, Any]:
    """What the script of a run has printed."""
    deck.wait_for_status(run["id"], "completed")
    return json.loads(deck.log_of(run["id"]))


def test_a_rerun_has_code_arguments_and_secrets_of_the_first_although_the_project_has_changed(
    shared_deck: ServedDeck, project: Path
) -> None:
    script = {"path": str(project), "args": ["--lr", "0.5"], "resume_arg": "--resume"}
    first = shared_deck.launch(script=script, env={"MY_TOKEN": "s3cret"}, tags=["t"], notes="n", priority=2)
    printed = told(shared_deck, first)
    project.write_text("raise SystemExit('edited')")
    project.with_name("helper.py").unlink()
    again = rerun(shared_deck, first["id"])

    assert told(shared_deck, again) == printed
    assert (printed["word"], printed["token"]) == ("as it was", "s3cret")
    kept = ("script", "params", "name", "tags", "notes", "priority", "resources", "max_retries", "code_digest")
    assert {name: again[name] for name in kept} == {name: first[name] for name in kept}
    assert (again["rerun_of"], first["rerun_of"], again["id"] != first["id"]) == (first["id"], None, True)
    assert "s3cret" not in json.dumps(shared_deck.client.get(f"/runs/{again['id']}/record").json())
    shutil.rmtree(project.parent)
    assert told(shared_deck, rerun(shared_deck, again["id"]))["word"] == "as it was"


def test_an_option_to_resume_by_that_the_script_has_not_is_refused(shared_deck: ServedDeck, project: Path) -> None:
    first = shared_deck.launch(script={"path": str(project)})
    answer = shared_deck.client.post(f"/runs/{first['id']}/rerun", json={"resume_arg": "--lrate"})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["resume_arg"])
    assert "resume_arg is '--lrate', but the script has no such option" in answer.json()["detail"]
    launched = shared_deck.client.post("/runs", json={"script": {"path": str(project), "resume_arg": "--lrate"}})
    assert [error["field"] for error in launched.json()["errors"]] == ["script.resume_arg"]


def test_parameters_of_a_script_are_changed_by_name(shared_deck: ServedDeck, project: Path) -> None:
    first = shared_deck.launch(script={"path": str(project), "args": ["--lr", "0.5", "--epochs=7"]})
    project.unlink()
    again = rerun(shared_deck, first["id"], {"params": {"lr": 0.25, "amp": True}})
    assert again["params"] == {**first["params"], "lr": 0.25, "amp": True}
    printed = told(shared_deck, again)
    assert (printed["lr"], printed["epochs"], printed["amp"]) == (0.25, 7, True)


def test_all_arguments_of_a_script_are_replaced_and_variables_added_or_taken_away(
    shared_deck: ServedDeck, project: Path
) -> None:
    first = shared_deck.launch(script={"path": str(project), "args": ["--amp"]}, env={"MY_TOKEN": "x", "OTHER": "y"})
    body = {"args": ["--epochs", "9"], "env": {"MY_TOKEN": None, "MORE": "z"}, "name": "other", "tags": []}
    again = rerun(shared_deck, first["id"], {**body, "resources": {"cpus": 2}})
    printed = told(shared_deck, again)
    assert (printed["argv"], printed["token"]) == (["--epochs", "9"], None)
    assert (again["name"], again["tags"], again["resources"]) == ("other", [], {"cpus": 2, "gpus": 0})
    assert again["params"]["epochs"] == 9
    order = json.loads((shared_deck.home / f"runs/{again['id']}/attempt-1/order.json").read_text())
    assert order["env"] == {"OTHER": "y", "MORE": "z"}


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"params": {"lrr": 1}}, "params.lrr", "did you mean 'lr'?"),
        ({"params": {"lr": "fast"}}, "params.lr", "must be a number"),
        ({"args": ["--epochs", "many"]}, "args", "epochs"),
        ({"resources": {"gpus": 99}}, "resources.gpus", "resources.gpus is 99"),
        ({"nmae": "x"}, "nmae", "did you mean 'name'?"),
        ({"max_retries": -1}, "max_retries", "must be at least 0"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_is_queued(
    shared_deck: ServedDeck, project: Path, body: dict[str, Any], field: str, message: str
) -> None:
    first = shared_deck.launch(script={"path": str(project)})
    answer = shared_deck.client.post(f"/runs/{first['id']}/rerun", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert message in answer.json()["detail"]
    assert shared_deck.client.get("/runs", params={"limit": 1}).json()["items"][0]["id"] == first["id"]


def test_a_module_and_a_command_are_run_again(shared_deck: ServedDeck, project: Path) -> None:
    module = shared_deck.launch(script={"module": "train", "cwd": str(project.parent), "args": ["--lr", "2"]})
    printed = told(shared_deck, module)
    project.write_text("raise SystemExit('edited')")
    assert told(shared_deck, rerun(shared_deck, module["id"])) == printed
    command = shared_deck.launch(script={"command": ["bash", "-c", "echo '[\"'$MY_TOKEN'\"]'"]}, env={"MY_TOKEN": "x"})
    assert told(shared_deck, command) == ["x"]
    assert told(shared_deck, rerun(shared_deck, command["id"], {"env": {"MY_TOKEN": "y"}})) == ["y"]
    answer = shared_deck.client.post(f"/runs/{command['id']}/rerun", json={"args": ["x"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "args")


def test_a_rerun_with_a_key_is_queued_once(shared_deck: ServedDeck) -> None:
    first = shared_deck.launch("pass")
    one = rerun(shared_deck, first["id"], {}, **{"Idempotency-Key": "again-1"})
    assert rerun(shared_deck, first["id"], {}, **{"Idempotency-Key": "again-1"})["id"] == one["id"]
    other = shared_deck.client.post(
        f"/runs/{first['id']}/rerun", json={"notes": "x"}, headers={"Idempotency-Key": "again-1"}
    )
    assert other.status_code == 422


def test_a_run_whose_code_is_gone_is_refused_with_what_to_do(shared_deck: ServedDeck) -> None:
    first = shared_deck.launch("print('only here')")
    shared_deck.wait_until_ended(first["id"])
    shutil.rmtree(shared_deck.home / f"runs/{first['id']}/code")
    (shared_deck.home / f"runs/{first['id']}/code.json").unlink()
    answer = shared_deck.client.post(f"/runs/{first['id']}/rerun")
    assert answer.status_code == 409
    assert "is gone from the deck's home: launch script.py anew" in answer.json()["detail"]
    assert shared_deck.client.post("/runs/999999/rerun").status_code == 404


def test_a_body_is_read_as_everywhere_and_may_be_left_out(shared_deck: ServedDeck) -> None:
    first = shared_deck.launch("pass")
    address = f"/runs/{first['id']}/rerun"
    assert shared_deck.client.post(address).status_code == 201
    assert shared_deck.client.post(address, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert shared_deck.client.post(address, json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    refused = shared_deck.client.post(address, content=b"{", headers={"Content-Type": "application/json"})
    assert refused.status_code == 422


def test_a_trainer_that_is_not_installed_any_more_is_refused(cold: ServedDeck) -> None:
    """As after an upgrade: the run names a trainer that the deck does not have."""
    run = cold.launch(trainer="mnist", resources={"cpus": 2})
    cold.client.post(f"/runs/{run['id']}/cancel", json={})
    cold.wait_until_ended(run["id"])
    with sqlite3.connect(cold.home / "deck.db", timeout=10) as database:
        database.execute("UPDATE run SET trainer = 'mnits' WHERE id = ?", (run["id"],))
    database.close()
    answer = cold.client.post(f"/runs/{run['id']}/rerun", json={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "trainer")
    assert "did you mean 'mnist'?" in answer.json()["detail"]
