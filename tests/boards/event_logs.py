"""Event files with every kind of data that a tab of TensorBoard shows."""

import warnings
from pathlib import Path

import numpy as np

STEPS = 5
POINTS = 12


def write_scalars(folder: Path, values: list[float], tag: str = "loss") -> None:
    """One scalar at steps 0, 1, 2, … in an event file in `folder`."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(values):
            writer.add_scalar(tag, value, step)


def write_every_kind(work: Path) -> None:
    """One of each kind of summary that `SummaryWriter` has, in `work/logs`."""
    import torch
    from torch.utils.tensorboard import SummaryWriter

    random = np.random.default_rng(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    with SummaryWriter(str(work / "logs")) as writer:
        for step in range(STEPS):
            writer.add_scalar("loss/train", 1 / (step + 1), step)
            writer.add_scalar("loss/test", 2 / (step + 1), step)
            writer.add_image("digits", random.random((3, 8, 8)), step)
            writer.add_histogram("weights", random.normal(size=50), step)
            writer.add_text("notes", f"step **{step}**", step)
            writer.add_audio("tone", torch.sin(torch.arange(800) / 5)[None], step, sample_rate=8000)
            writer.add_pr_curve("digit 3", random.integers(0, 2, 50), random.random(50), step)
        with warnings.catch_warnings():
            # add_graph traces, and torch says that tracing is to go.
            warnings.simplefilter("ignore", FutureWarning)
            writer.add_graph(model, torch.zeros(1, 4))
        writer.add_mesh("tetrahedron", torch.rand(1, 4, 3), faces=torch.tensor([[[0, 1, 2], [0, 2, 3]]]))
        writer.add_custom_scalars({"both": {"losses": ["Multiline", ["loss/train", "loss/test"]]}})
        labels = [f"point {index}" for index in range(POINTS)]
        writer.add_embedding(torch.rand(POINTS, 5), labels, torch.rand(POINTS, 3, 8, 8), global_step=1, tag="points")
        writer.add_hparams({"lr": 0.1, "optimizer": "adam"}, {"hparam/accuracy": 0.9})
