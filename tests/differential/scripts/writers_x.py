from tensorboardX import SummaryWriter

writer = SummaryWriter("logs/x")
for step in range(20):
    writer.add_scalar("Loss/train", 1 / (step + 1), step)
writer.add_histogram("values", list(range(10)), 0)
