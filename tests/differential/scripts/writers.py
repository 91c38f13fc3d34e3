import numpy
import torch
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(1)
writer = SummaryWriter("logs/default")
slow = SummaryWriter(log_dir="logs/slow", flush_secs=600, max_queue=5)
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2))
for step in range(30):
    writer.add_scalar("Loss/train", 1 / (step + 1), step)
    slow.add_scalar("Loss/slow", step, step)
writer.add_scalars("Both", {"a": 1.0, "b": 2.0}, 3)
writer.add_histogram("weights", model[0].weight, 0)
writer.add_image("image", torch.zeros(1, 4, 4), 0)
writer.add_text("text", "hello", 0)
writer.add_graph(model, torch.zeros(1, 1, 8, 8))
writer.add_hparams({"lr": 0.1}, {"accuracy": 0.5}, run_name="hparams")
writer.add_pr_curve("pr", numpy.array([0, 1, 1]), numpy.array([0.1, 0.8, 0.9]), 0)
writer.add_embedding(torch.eye(3), metadata=["a", "b", "c"], global_step=0)
writer.add_scalar("Loss/Epochs", 0.5, 0)
# Without it, even plain Python loses the last records once in a while: a daemon thread writes them.
writer.flush()
slow.flush()
