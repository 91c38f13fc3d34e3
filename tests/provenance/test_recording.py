"""What an attempt ran with is written down beside it, without its secrets, and read back."""

import json
import os
import platform
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from provenance.conftest import recorded
from support.served import ServedDeck
from support.waiting import wait_for


def test_a_record_names_machine_interpreter_packages_and_command(cold: ServedDeck, tmp_path: Path) -> None:
    script = tmp_path / "train it.py"
    script.write_text("print('trained')")
    run = cold.launch(script={"path": str(script), "args": ["--lr", "0.1"]})
    record = recorded(cold, run["id"])

    assert record["argv"] == [sys.executable, str(script), "--lr", "0.1"]
    assert record["command"] == f"python '{script}' --lr 0.1"
    assert (record["cwd"], record["start"], record["attempt"]) == (str(tmp_path), "cold", 1)
    assert record["python"]["version"] == platform.python_version()
    assert record["python"]["executable"] == sys.executable
    assert record["torch"]["version"].startswith(metadata.version("torch"))
    found = {one["name"]: one for one in record["packages"]}
    assert found["sqlmodel"]["version"] == metadata.version("sqlmodel")
    assert list(found) == sorted(found)
    assert found["traindeck"]["editable"]
    assert not found["torch"]["editable"]
    assert record["host"]["name"] == socket.gethostname()
    assert record["host"]["cpu_threads"] == os.cpu_count()
    assert record["host"]["memory_bytes"] > 100_000_000
    assert record["environment"]["OMP_NUM_THREADS"] == "1"


SECRETS = {
    "HF_TOKEN": "hf_1",
    "WANDB_API_KEY": "k_2",
    "client_secret": "s_3",
    "DB_PASSWORD": "p_4",
    "DB_PASSWD": "p_5",
    "AWS_CREDENTIALS": "c_6",
    "BASIC_AUTH": "a_7",
    "DATABASE": "postgres://me:p_8@db.example/runs",
    "INDEX": "https://t_9@pypi.example/simple",
}


def test_secrets_are_neither_answered_nor_written_to_the_record(cold: ServedDeck) -> None:
    run = cold.launch("pass", env={**SECRETS, "LR_SCHEDULE": "cosine"})
    record = recorded(cold, run["id"])

    variables = record["environment"]
    assert variables["LR_SCHEDULE"] == "cosine"
    assert {variables[name] for name in list(SECRETS)[:-2]} == {"***"}
    assert variables["DATABASE"] == "postgres://***@db.example/runs"
    assert variables["INDEX"] == "https://***@pypi.example/simple"
    assert not [name for name in variables if name.startswith("TRAINDECK_")]
    written = (cold.home / f"runs/{run['id']}/attempt-1/environment.json").read_text()
    answered = json.dumps(record)
    for secret in ("hf_1", "k_2", "s_3", "p_4", "p_5", "c_6", "a_7", "p_8", "t_9"):
        assert secret not in written + answered


def test_a_thousand_runs_would_keep_one_list_of_packages(cold: ServedDeck) -> None:
    runs = [cold.launch("pass")["id"] for _ in range(2)]
    lists = []
    for run_id in runs:
        recorded(cold, run_id)
        lists.append(cold.home / f"runs/{run_id}/attempt-1/packages.json")
    assert lists[0].samefile(lists[1])


def test_a_run_that_waits_says_what_it_will_run_and_nothing_of_where(cold: ServedDeck) -> None:
    blocking = cold.launch("import signal; signal.pause()", resources={"cpus": 2})
    cold.wait_for_status(blocking["id"], "running")
    waiting = cold.launch(script={"command": ["bash", "--norc", "a b.sh"]})
    record = cold.client.get(f"/runs/{waiting['id']}/record").json()

    assert record["command"] == "bash --norc 'a b.sh'"
    assert (record["attempt"], record["start"]) == (0, "cold")
    for part in ("recorded_at", "python", "torch", "packages", "environment", "host"):
        assert record[part] is None
    for run in (waiting, blocking):
        cold.client.post(f"/runs/{run['id']}/cancel", json={})
    cold.wait_until_ended(blocking["id"])


def test_each_attempt_has_its_record_and_an_unknown_one_is_refused(cold: ServedDeck) -> None:
    run = cold.launch("raise SystemExit(3)")
    cold.wait_until_ended(run["id"])
    first = recorded(cold, run["id"])
    cold.client.post(f"/runs/{run['id']}/retry", json={})
    wait_for(lambda: cold.run(run["id"])["attempt"] == 2, "the second attempt begins")
    second = recorded(cold, run["id"], attempt=2)

    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert second["recorded_at"] > first["recorded_at"]
    assert recorded(cold, run["id"], attempt=1) == first
    assert cold.client.get(f"/runs/{run['id']}/record", params={"attempt": 3}).status_code == 422
    assert cold.client.get("/runs/999999/record").status_code == 404


def test_a_trainers_command_launches_it_with_the_same_parameters(cold: ServedDeck) -> None:
    run = cold.launch(trainer="mnist", params={"epochs": 1, "lr": 0.5}, resources={"cpus": 2})
    cold.client.post(f"/runs/{run['id']}/cancel", json={})
    cold.wait_until_ended(run["id"])
    command = cold.client.get(f"/runs/{run['id']}/record").json()["command"]
    assert command.startswith("traindeck launch mnist -p ")
    assert "-p epochs=1" in command
    assert "-p lr=0.5" in command


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """A virtual environment with one package of its own."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    add_package(folder, "only_there", "1.2")
    return folder


def add_package(venv: Path, name: str, version: str) -> None:
    """What an installation leaves that says so."""
    (site,) = venv.glob("lib/python*/site-packages")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_another_interpreter_is_asked_what_it_has_and_asked_again_after_an_installation(
    cold: ServedDeck, other_python: Path
) -> None:
    def packages() -> list[str]:
        run = cold.launch(script={"source": "pass", "python": str(other_python)})
        record = recorded(cold, run["id"])
        assert record["python"]["executable"] == str(other_python / "bin/python")
        assert record["torch"] is None
        return [f"{one['name']} {one['version']}" for one in record["packages"]]

    assert packages() == ["only-there 1.2"]
    add_package(other_python, "came_later", "3.0")
    assert packages() == ["came-later 3.0", "only-there 1.2"]


def test_the_interpreter_of_a_command_is_found_by_its_first_line(cold: ServedDeck, other_python: Path) -> None:
    program = other_python / "bin" / "runs-it"
    program.write_text(f"#!{other_python}/bin/python\n")
    program.chmod(0o755)
    record = recorded(cold, cold.launch(script={"command": [str(program), "x"]})["id"])
    assert (record["python"]["prefix"], record["python"]["guessed"]) == (str(other_python), False)
    shell = recorded(cold, cold.launch(script={"command": ["bash", "-c", "true"]})["id"])
    assert shell["python"] is None or shell["python"]["guessed"]


def test_a_run_that_an_earlier_server_started_is_recorded_without_the_variables_of_this_one(deck: ServedDeck) -> None:
    run = deck.launch("import signal; signal.pause()")
    recorded(deck, run["id"])
    deck.kill()
    (deck.home / f"runs/{run['id']}/attempt-1/environment.json").unlink()
    deck.start()
    record = recorded(deck, run["id"])
    assert record["environment"] is None
    assert record["python"]["executable"] == sys.executable


def test_a_run_of_an_older_deck_has_a_record_of_nulls(cold: ServedDeck) -> None:
    run = cold.launch("pass")
    cold.wait_until_ended(run["id"])
    recorded(cold, run["id"])
    folder = cold.home / f"runs/{run['id']}"
    for name in ("attempt-1/environment.json", "attempt-1/packages.json"):
        (folder / name).unlink()
    (folder / "code.json").write_text("{ torn")
    answer = cold.client.get(f"/runs/{run['id']}/record")
    assert answer.status_code == 200
    assert answer.json()["code"]["files"] == 1
    assert answer.json()["packages"] is None
    assert answer.json()["argv"][0] == sys.executable
