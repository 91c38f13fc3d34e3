"""Trains a small convolutional network on MNIST: a script as one finds it in tutorials, with flags and `../data`."""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.tensorboard import SummaryWriter
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self, channels, dropout):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(channels, 2 * channels, 3), nn.ReLU()
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * channels * 11 * 11, 10)

    def forward(self, images):
        return F.log_softmax(self.head(self.dropout(self.features(images).flatten(1))), dim=1)


def train(args, model, device, loader, optimizer, epoch, writer):
    model.train()
    for index, (images, targets) in enumerate(loader):
        images, targets = images.to(device), targets.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(images), targets)
        loss.backward()
        optimizer.step()
        if index % args.log_interval == 0:
            step = (epoch - 1) * len(loader) + index
            writer.add_scalar("Loss/train", loss.item(), step)
            done = 100.0 * index / len(loader)
            print(f"Epoch {epoch} [{index * len(images)}/{len(loader.dataset)} ({done:.0f}%)]\tLoss: {loss.item():.6f}")
        if args.dry_run:
            break


@torch.no_grad()
def test(model, device, loader, epoch, writer):
    model.eval()
    loss, correct = 0.0, 0
    for images, targets in loader:
        images, targets = images.to(device), targets.to(device)
        output = model(images)
        loss += F.nll_loss(output, targets, reduction="sum").item()
        correct += (output.argmax(dim=1) == targets).sum().item()
    accuracy = correct / len(loader.dataset)
    writer.add_scalar("Loss/test", loss / len(loader.dataset), epoch)
    writer.add_scalar("Accuracy/test", accuracy, epoch)
    print(f"\nTest set: average loss {loss / len(loader.dataset):.4f}, accuracy {100 * accuracy:.1f}%\n")


def main():
    parser = argparse.ArgumentParser(description="MNIST with a small convolutional network")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="images in a batch (default: %(default)s)")
    parser.add_argument("--test-batch-size", type=int, default=1000, metavar="N", help="images in a batch of the test")
    parser.add_argument("--epochs", type=int, default=14, metavar="N", help="passes over the data")
    parser.add_argument("--lr", type=float, default=1.0, metavar="LR", help="learning rate")
    parser.add_argument("--gamma", type=float, default=0.7, metavar="M", help="decay of the learning rate, each epoch")
    parser.add_argument("--channels", type=int, choices=(8, 16, 32), default=16, help="of the first convolution")
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--no-accel", action="store_true", help="train on the CPU")
    parser.add_argument("--dry-run", action="store_true", help="one batch of each epoch only")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--log-interval", type=int, default=10, metavar="N", help="batches between two lines of the log")
    parser.add_argument("--save-model", action="store_true", help="write mnist_cnn.pt at the end")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if not args.no_accel and torch.cuda.is_available() else "cpu")
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    training = datasets.MNIST("../data", train=True, download=True, transform=transform)
    testing = datasets.MNIST("../data", train=False, transform=transform)
    train_loader = torch.utils.data.DataLoader(training, batch_size=args.batch_size, shuffle=True, num_workers=1)
    test_loader = torch.utils.data.DataLoader(testing, batch_size=args.test_batch_size)

    model = Net(args.channels, args.dropout).to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    writer = SummaryWriter()
    started = time.time()
    for epoch in range(1, args.epochs + 1):
        train(args, model, device, train_loader, optimizer, epoch, writer)
        test(model, device, test_loader, epoch, writer)
        scheduler.step()
    print(f"Trained in {time.time() - started:.1f} s")
    if args.save_model:
        torch.save(model.state_dict(), "mnist_cnn.pt")


if __name__ == "__main__":
    main()
