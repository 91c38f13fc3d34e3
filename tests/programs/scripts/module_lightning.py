"""Fits a LightningModule with its TensorBoard logger, its checkpoints and its progress bar."""

from argparse import ArgumentParser

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Spirals(pl.LightningDataModule):
    """Two spirals in the plane, one for each class."""

    def __init__(self, points, batch_size):
        super().__init__()
        self.points, self.batch_size = points, batch_size

    def setup(self, stage=None):
        turns = torch.linspace(0.5, 3.0, self.points // 2)
        labels = torch.arange(2).repeat_interleave(len(turns))
        angles = turns.repeat(2) * torch.pi + labels * torch.pi
        places = torch.stack([angles.cos(), angles.sin()], dim=1) * turns.repeat(2).unsqueeze(1)
        self.everything = TensorDataset(places + 0.05 * torch.randn_like(places), labels)

    def train_dataloader(self):
        return DataLoader(self.everything, self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.everything, self.batch_size)


class Classifier(pl.LightningModule):
    def __init__(self, hidden, lr):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))

    def forward(self, places):
        return self.layers(places)

    def training_step(self, batch, index):
        places, labels = batch
        loss = nn.functional.cross_entropy(self(places), labels)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, index):
        places, labels = batch
        output = self(places)
        self.log("val_loss", nn.functional.cross_entropy(output, labels))
        self.log("val_accuracy", (output.argmax(dim=1) == labels).float().mean(), prog_bar=True)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def main():
    parser = ArgumentParser()
    parser.add_argument("--hidden", type=int, default=32, help="width of the hidden layers")
    parser.add_argument("--lr", type=float, default=1e-2, help="learning rate of Adam")
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--max-epochs", type=int, default=3)
    parser.add_argument("--ckpt-path", help="a checkpoint to go on from")
    args = parser.parse_args()

    pl.seed_everything(7)
    trainer = pl.Trainer(
        max_epochs=args.max_epochs,
        accelerator="cpu",
        logger=TensorBoardLogger(".", name="lightning_logs"),
        callbacks=[ModelCheckpoint(save_last=True)],
        log_every_n_steps=5,
        enable_model_summary=False,
    )
    trainer.fit(Classifier(args.hidden, args.lr), Spirals(args.points, args.batch_size), ckpt_path=args.ckpt_path)
    print(f"accuracy {trainer.callback_metrics['val_accuracy']:.3f}")


if __name__ == "__main__":
    main()
