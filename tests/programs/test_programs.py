"""Programs as people write them train unmodified, whichever way they are handed in."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from support.served import ServedDeck
from support.waiting import wait_for

PROGRAMS: dict[str, dict[str, Any]] = {
    "digits_argparse.py": {
        "args": ["--epochs", "2", "--batch-size=40", "--log-interval", "2", "--save-model"],
        "params": {"epochs": 2, "batch_size": 40, "lr": 1.0, "channels": 16, "save_model": True, "dry_run": False},
        "tags": {"Loss/train", "Loss/test", "Accuracy/test"},
        "checkpoint": "mnist_cnn.pt",
        "prints": "accuracy",
    },
    "module_lightning.py": {
        "args": ["--max-epochs", "2", "--points", "400"],
        "params": {"max_epochs": 2, "points": 400, "hidden": 32, "ckpt_path": None},
        "tags": {"train_loss", "val_loss", "val_accuracy", "epoch"},
        "checkpoint": "last.ckpt",
        "prints": "accuracy",
    },
    "text_trainer.py": {
        "args": ["--max_steps", "40"],
        "params": {"max_steps": 40, "learning_rate": 0.003, "num_heads": 4, "resume_from_checkpoint": None},
        "tags": {"train/loss", "train/learning_rate"},
        "checkpoint": "state.pt",
        "prints": "train_loss",
    },
}
SECONDS = 90


def given_by(way: str, deck: ServedDeck, path: Path) -> dict[str, Any]:
    """The `script` of a launch that hands the program in by its path, as an upload, or as pasted source."""
    if way == "path":
        return {"path": str(path)}
    if way == "paste":
        return {"source": path.read_text(), "filename": path.name}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(path, f"project/{path.name}")
    response = deck.client.post("/uploads", files={"file": ("project.zip", archive.getvalue(), "application/zip")})
    assert response.status_code == 201, response.text
    assert response.json()["entries"] == [path.name]
    return {"upload": response.json()["upload"]}


@pytest.mark.parametrize("way", ["path", "upload", "paste"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_trains_with_its_flags_its_curves_and_its_checkpoints(program_deck, scripts, program, way):
    expected = PROGRAMS[program]
    given = given_by(way, program_deck, scripts / program)

    run = program_deck.launch(script={**given, "args": expected["args"]})
    assert {name: run["params"][name] for name in expected["params"]} == expected["params"]
    run = program_deck.wait_for_status(run["id"], "completed", seconds=SECONDS)

    def has_curves() -> bool:
        return expected["tags"] <= set(program_deck.run(run["id"])["metrics"])

    wait_for(has_curves, "its curves are there")
    assert expected["prints"] in program_deck.log_of(run["id"])
    files = program_deck.client.get(f"/runs/{run['id']}/files").json()["items"]
    assert Path(files[0]["path"]).name == expected["checkpoint"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_flag_is_refused_before_anything_is_queued(program_deck, scripts, program):
    before = program_deck.client.get("/runs").json()["total"]
    script = {"path": str(scripts / program), "args": ["--no-such-flag", "1"]}

    response = program_deck.client.post("/runs", json={"script": script})

    assert response.status_code == 422
    assert "--no-such-flag" in response.json()["detail"]
    assert program_deck.client.get("/runs").json()["total"] == before


def test_a_stopped_program_goes_on_from_its_checkpoint_by_its_own_flag_to_the_same_end(program_deck, scripts):
    script = {"path": str(scripts / "text_trainer.py"), "resume_arg": "--resume_from_checkpoint"}
    whole = program_deck.launch(script={**script, "args": ["--max_steps", "400", "--save_steps", "20"]})
    halved = program_deck.launch(script={**script, "args": ["--max_steps", "400", "--save_steps", "20"]})

    def has_saved() -> bool:
        files = program_deck.client.get(f"/runs/{halved['id']}/files").json()["items"]
        return any(file["path"].endswith("trainer_state.json") for file in files)

    wait_for(has_saved, "it has saved a checkpoint", SECONDS)
    program_deck.client.post(f"/runs/{halved['id']}/cancel", json={})
    program_deck.wait_for_status(halved["id"], "cancelled")
    response = program_deck.client.post(f"/runs/{halved['id']}/resume", json={})
    assert response.is_success, response.text

    program_deck.wait_for_status(halved["id"], "completed", seconds=SECONDS)
    program_deck.wait_for_status(whole["id"], "completed", seconds=SECONDS)
    log = program_deck.log_of(halved["id"])
    assert "going on from step" in log
    assert log.splitlines()[-1] == program_deck.log_of(whole["id"]).splitlines()[-1]
