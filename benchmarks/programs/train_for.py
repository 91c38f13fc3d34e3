"""Trains a small ConvNet on noise with one thread, for a time; leaves when each step ended (UNIX time) in steps.npy.

python train_for.py SECONDS
"""

import sys
import time

import numpy as np
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
ended = [time.time()]
while ended[-1] - ended[0] < float(sys.argv[1]):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    writer.add_scalar("Loss/train", loss.item(), len(ended))
    ended.append(time.time())
np.save("steps.npy", ended)
