"""A script goes on from its own checkpoint, by its own flag or by its environment."""

from pathlib import Path
from typing import Any

import pytest

from support.served import ServedDeck

SCRIPT = """
import argparse, os, pathlib, signal
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--resume")
parser.add_argument("--die-at", type=int, default=-1)
options = parser.parse_args()

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), 0.1)
data, first = torch.randn(32, 4), 0
resume = options.resume or os.environ.get("TRAINDECK_RESUME_FROM")
if resume:
    state = torch.load(resume)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    first = state["epoch"] + 1
    print("goes on at", first, "by", "flag" if options.resume else "environment")
folder = pathlib.Path("out/models")
folder.mkdir(parents=True, exist_ok=True)
for epoch in range(first, options.epochs):
    optimizer.zero_grad()
    loss = (model(data) - data.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, folder / f"epoch{epoch}.pt")
    if epoch == options.die_at and first == 0:
        os.kill(os.getpid(), signal.SIGKILL)
print(f"final loss {loss.item():.9f}")
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return str(path)


def last_line(deck: ServedDeck, run_id: int) -> str:
    return deck.log_of(run_id).splitlines()[-1]


@pytest.mark.parametrize(
    ("extra", "way"),
    [({"resume_arg": "--resume"}, "flag"), ({"resume_arg": "--resume="}, "flag"), ({}, "environment")],
)
def test_a_killed_run_resumes_to_the_loss_of_one_that_was_not(
    shared_deck: ServedDeck, script: str, extra: dict[str, Any], way: str
) -> None:
    whole = shared_deck.launch(script={"path": script})
    killed = shared_deck.launch(script={"path": script, "args": ["--die-at", "2"], **extra})
    shared_deck.wait_for_status(whole["id"], "completed")
    assert shared_deck.wait_until_ended(killed["id"])["status_reason"] == "killed by signal 9 (SIGKILL)"
    answer = shared_deck.client.post(f"/runs/{killed['id']}/resume")
    assert answer.status_code == 200, answer.text
    shared_deck.wait_for_status(killed["id"], "completed")
    assert f"goes on at 3 by {way}" in shared_deck.log_of(killed["id"])
    assert last_line(shared_deck, killed["id"]) == last_line(shared_deck, whole["id"])
    # What the run was asked for stays as it was.
    assert shared_deck.run(killed["id"])["script"]["args"] == ["--die-at", "2"]
