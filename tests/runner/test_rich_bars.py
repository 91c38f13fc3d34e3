"""Rich draws nothing into a file until a bar ends; the deck is told of it all the same."""

import subprocess
import sys

from support.served import ServedDeck
from support.waiting import wait_for

TRACK = """
import pathlib, time
from rich.progress import track
go = pathlib.Path("go")
for step in track(range(40), description="Preparing"):
    while step == 25 and not go.exists():
        time.sleep(0.02)
    time.sleep(0.01)
"""
LIGHTNING = """
import pytorch_lightning as pl, torch
from torch.utils.data import DataLoader, TensorDataset

class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
    def training_step(self, batch, index):
        return self.layer(batch[0]).square().mean()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

data = DataLoader(TensorDataset(torch.randn(60, 2)), batch_size=2)
trainer = pl.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_model_summary=False)
trainer.fit(Model(), data)
"""


def test_a_bar_of_richs_is_the_progress_while_it_moves(shared_deck: ServedDeck) -> None:
    run_id = shared_deck.launch(TRACK)["id"]

    def progress() -> dict | None:
        return shared_deck.run(run_id)["progress"]

    seen = wait_for(lambda: progress() and progress()["step"] >= 20 and progress(), "its bar is followed")
    assert (seen["total"], seen["label"]) == (40, "Preparing")
    assert seen["step"] < 40
    (shared_deck.home / f"runs/{run_id}/attempt-1/work/go").touch()
    shared_deck.wait_for_status(run_id, "completed")
    assert progress()["step"] == 40


def test_lightnings_epochs_are_parts_of_the_whole(shared_deck: ServedDeck) -> None:
    run_id = shared_deck.launch(LIGHTNING)["id"]
    run = shared_deck.wait_for_status(run_id, "completed", seconds=90)

    assert (run["progress"]["step"], run["progress"]["total"]) == (60, 60)


def test_the_output_stays_as_it_is_without_a_deck(shared_deck: ServedDeck, tmp_path) -> None:
    source = (
        "from rich.progress import track\nfor _ in track(range(3), description='Steps'):\n    pass\nprint('done')\n"
    )
    run_id = shared_deck.launch(source)["id"]
    shared_deck.wait_for_status(run_id, "completed")
    script = tmp_path / "script.py"
    script.write_text(source)
    plain = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout

    assert shared_deck.log_of(run_id) == plain
