"""`POST /runs/N/rerun`: the same once more, whatever has changed on disk since."""

import json
import shutil
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


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"params": {"lrr": 1}}, "params.lrr", "did you mean 'lr'?"),
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


def test_a_body_is_read_as_everywhere_and_may_be_left_out(shared_deck: ServedDeck) -> None:
    first = shared_deck.launch("pass")
    address = f"/runs/{first['id']}/rerun"
    assert shared_deck.client.post(address).status_code == 201
    assert shared_deck.client.post(address, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert shared_deck.client.post(address, json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    refused = shared_deck.client.post(address, content=b"{", headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert shared_deck.client.post("/runs/999999/rerun").status_code == 404
