"""Adds scalars with a default `SummaryWriter`, at uneven intervals, and prints when it added each.

python scalars.py COUNT
"""

import random
import sys
import time

from torch.utils.tensorboard import SummaryWriter

GREATEST_PAUSE_SECONDS = 0.4

writer = SummaryWriter()
for step in range(int(sys.argv[1])):
    writer.add_scalar("Loss/train", 1 / (step + 1), step)
    print(step, time.time_ns(), flush=True)
    time.sleep(random.uniform(0, GREATEST_PAUSE_SECONDS))
