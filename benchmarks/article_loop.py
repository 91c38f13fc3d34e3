"""Steps per second of the built-in MNIST trainer against the loop that the PyTorch tutorials teach.

    python benchmarks/article_loop.py [--steps 2000] [--rounds 3] [--datasets FOLDER]

Both train the same ConvNet on batches of 10 with Adam, on one thread, and write their loss for TensorBoard: the
usual loop through a DataLoader with one worker and a scalar at each step; the trainer as it is launched, without
its histograms. Rounds alternate between the two, and the median counts. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms
from torchvision.datasets import MNIST

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.images import ImageSet
from traindeck.trainers.datasets.published import mnist
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.train import train_epoch
from traindeck.trainers.mnist.training import Training

BATCH_SIZE = 10
LEARNING_RATE = 1e-4


def measure(datasets: Path, steps: int = 2000, rounds: int = 3) -> dict[str, float]:
    """Median steps per second of both loops on one CPU thread, and their ratio; fetches MNIST if it has to."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        ctx = RunContext(
            run_id=0, attempt=1, work=Path(work), datasets=datasets, progress_path=Path(work) / "progress.json"
        )
        images = mnist(ctx)
        usual, ours = [], []
        for _ in range(rounds):
            usual.append(usual_loop(datasets, Path(work) / "usual", steps))
            ours.append(trainer_loop(ctx, images, steps))
        ctx.close()
    usual_rate, our_rate = statistics.median(usual), statistics.median(ours)
    return {
        "article_steps_per_second": round(usual_rate, 1),
        "traindeck_steps_per_second": round(our_rate, 1),
        "ratio": round(our_rate / usual_rate, 2),
    }


def usual_loop(datasets: Path, logs: Path, steps: int) -> float:
    """Steps per second through a DataLoader that decodes image by image, reading the loss at each step."""
    loader = DataLoader(
        MNIST(str(datasets), transform=transforms.ToTensor()), batch_size=BATCH_SIZE, shuffle=True, num_workers=1
    )
    model = usual_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    loss_function = nn.CrossEntropyLoss()
    with SummaryWriter(str(logs)) as writer:
        batches = iter(loader)
        total_loss = 0.0
        began = time.perf_counter()
        for step in range(steps):
            images, labels = next(batches)
            optimizer.zero_grad()
            loss = loss_function(model(images), labels)
            loss.backward()
            optimizer.step()
            total_loss += loss.item()
            writer.add_scalar("Loss", total_loss, step)
        return steps / (time.perf_counter() - began)


def usual_model() -> nn.Module:
    """The same layers as the trainer's."""
    return nn.Sequential(
        nn.Conv2d(1, 10, 3),
        nn.ReLU(),
        nn.Conv2d(10, 5, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24 * 24 * 5, 64),
        nn.ReLU(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def trainer_loop(ctx: RunContext, images: ImageSet, steps: int) -> float:
    """Steps per second of the trainer's own loop, with its scalars and its progress reports."""
    params = MnistParams(
        batch_size=BATCH_SIZE,
        max_steps=steps,
        optimizer="adam",
        lr=LEARNING_RATE,
        weight_decay=0.0,
        scheduler="constant",
        dropout=0.0,
        histogram_every=0,
        checkpoint_every=0,
        device="cpu",
    )
    training = Training(images, params, torch.device("cpu"))
    began = time.perf_counter()
    train_epoch(ctx, training)
    return steps / (time.perf_counter() - began)


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description="the MNIST trainer against the usual loop")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--datasets", type=Path, default=Path("datasets"))
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.datasets, arguments.steps, arguments.rounds)))


if __name__ == "__main__":
    main()
