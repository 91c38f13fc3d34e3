"""Bars in the output of real runs are their progress."""

from pathlib import Path

from support.served import ServedDeck
from support.waiting import wait_for

WAITS = """
import pathlib, sys, time
def wait(gate=pathlib.Path(sys.argv[1])):
    while not gate.exists():
        time.sleep(0.01)
"""
TQDM = f"""{WAITS}
from tqdm import tqdm
for epoch in tqdm(range(4), desc="Epochs"):
    for step in tqdm(range(40), leave=False):
        time.sleep(0.005)
        if (epoch, step) == (2, 20):
            wait()
"""
LIGHTNING = f"""{WAITS}
import torch
import pytorch_lightning as pl
from torch.utils.data import DataLoader, TensorDataset

class Line(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        if (self.current_epoch, index) == (1, 20):
            wait()
        return self.line(batch[0]).pow(2).mean()
    def validation_step(self, batch, index):
        self.log("val", self.line(batch[0]).pow(2).mean())
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

data = DataLoader(TensorDataset(torch.randn(60, 4)), batch_size=2)
bar = pl.callbacks.TQDMProgressBar(refresh_rate=5)
trainer = pl.Trainer(max_epochs=2, accelerator="cpu", callbacks=[bar], logger=False, enable_checkpointing=False)
trainer.fit(Line(), data, data)
"""
OWN_REPORT = """
import json, os, pathlib
from tqdm import tqdm
pathlib.Path(os.getcwd()).with_name("progress.json").write_text(json.dumps({"step": 7, "total": 9}))
for _ in tqdm(range(100)):
    pass
"""


def launch(deck: ServedDeck, source: str, gate: Path) -> int:
    run_id: int = deck.launch(script={"source": source, "filename": "bars.py", "args": [str(gate)]})["id"]
    return run_id


def test_nested_bars_tell_the_progress_of_the_whole_run(shared_deck: ServedDeck, tmp_path: Path) -> None:
    run_id = launch(shared_deck, TQDM, tmp_path / "gate")
    seen = wait_for(
        lambda: (now := shared_deck.run(run_id)["progress"]) and now["step"] == 2 and now, "the third epoch is drawn"
    )
    assert (seen["total"], seen["label"], seen["unit"]) == (4, "Epochs", "it")
    assert 0 < seen["eta_seconds"] < 30
    (tmp_path / "gate").touch()
    ended = shared_deck.wait_for_status(run_id, "completed")
    assert (ended["progress"]["step"], ended["progress"]["total"]) == (4, 4)


def test_lightnings_bar_is_followed(shared_deck: ServedDeck, tmp_path: Path) -> None:
    run_id = launch(shared_deck, LIGHTNING, tmp_path / "gate")
    seen = wait_for(
        lambda: (now := shared_deck.run(run_id)["progress"]) and now["label"] == "Epoch 1" and now,
        "the second epoch is drawn",
        90,
    )
    assert seen["total"] == 30
    (tmp_path / "gate").touch()
    ended = shared_deck.wait_for_status(run_id, "completed", seconds=60)
    assert (ended["progress"]["step"], ended["progress"]["label"]) == (30, "Epoch 1")


def test_what_a_run_reports_itself_wins_over_its_bars(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch(OWN_REPORT)
    ended = shared_deck.wait_for_status(run["id"], "completed")
    assert (ended["progress"]["step"], ended["progress"]["total"]) == (7, 9)
