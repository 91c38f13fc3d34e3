"""Imports what a training script imports, takes one optimizer step, and prints when that was."""

import time

import torch
import torchvision  # noqa: F401
from torch import nn

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
loss = nn.functional.cross_entropy(model(torch.rand(10, 1, 28, 28)), torch.arange(10))
loss.backward()
optimizer.step()
print(time.time_ns(), flush=True)
