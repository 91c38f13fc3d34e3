"""Trains a small ConvNet on noise with one thread, and prints the seconds that the loop took.

python train.py STEPS
"""

import sys
import time

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(42)
torch.set_num_threads(1)
model = nn.Sequential(
    nn.Conv2d(1, 10, 3), nn.ReLU(), nn.Conv2d(10, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 24 * 5, 64),
    nn.ReLU(), nn.Linear(64, 10),
)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
images, labels = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
writer = SummaryWriter()


def take_step(step: int) -> None:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    writer.add_scalar("Loss/train", loss.item(), step)


for step in range(20):
    take_step(step)
began, began_cpu = time.perf_counter(), time.process_time()
for step in range(20, 20 + int(sys.argv[1])):
    take_step(step)
print(time.perf_counter() - began, time.process_time() - began_cpu, flush=True)
