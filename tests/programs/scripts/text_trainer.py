"""Teaches a small transformer to continue text: dataclasses as flags, a trainer with tqdm, numbered checkpoints."""

import dataclasses
import json
import math
from argparse import ArgumentParser
from pathlib import Path
from typing import Optional

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm.auto import tqdm


@dataclasses.dataclass
class TrainingArguments:
    output_dir: str = dataclasses.field(default="out", metadata={"help": "where checkpoints and logs go"})
    max_steps: int = dataclasses.field(default=60, metadata={"help": "optimizer steps"})
    per_device_train_batch_size: int = dataclasses.field(default=16, metadata={"help": "sequences in a batch"})
    learning_rate: float = dataclasses.field(default=3e-3, metadata={"help": "its highest value, after the warm-up"})
    warmup_ratio: float = dataclasses.field(default=0.1, metadata={"help": "share of the steps that warm up"})
    weight_decay: float = 0.01
    logging_steps: int = 5
    save_steps: int = dataclasses.field(default=20, metadata={"help": "steps between two checkpoints"})
    seed: int = 42
    resume_from_checkpoint: Optional[str] = dataclasses.field(default=None, metadata={"help": "a checkpoint-… folder"})


@dataclasses.dataclass
class ModelArguments:
    hidden_size: int = 32
    num_layers: int = dataclasses.field(default=2, metadata={"help": "transformer blocks"})
    num_heads: int = dataclasses.field(default=4, metadata={"choices": [1, 2, 4, 8]})
    block_size: int = dataclasses.field(default=32, metadata={"help": "characters that the model sees"})


def parse(*classes):
    """An instance of each dataclass, from the command line."""
    parser = ArgumentParser()
    for one in classes:
        group = parser.add_argument_group(one.__name__)
        for field in dataclasses.fields(one):
            kind = str if field.type is Optional[str] else field.type
            group.add_argument(f"--{field.name}", type=kind, default=field.default, help=field.metadata.get("help"),
                               choices=field.metadata.get("choices"))  # fmt: skip
    given = vars(parser.parse_args())
    return [one(**{field.name: given[field.name] for field in dataclasses.fields(one)}) for one in classes]


class LanguageModel(nn.Module):
    def __init__(self, vocabulary, config):
        super().__init__()
        size = config.hidden_size
        self.tokens, self.places = nn.Embedding(vocabulary, size), nn.Embedding(config.block_size, size)
        block = nn.TransformerEncoderLayer(size, config.num_heads, 2 * size, dropout=0.0, batch_first=True)
        self.blocks = nn.TransformerEncoder(block, config.num_layers)
        self.head = nn.Linear(size, vocabulary)

    def forward(self, tokens):
        length = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        hidden = self.tokens(tokens) + self.places(torch.arange(length))
        return self.head(self.blocks(hidden, mask=mask, is_causal=True))


class Trainer:
    def __init__(self, model, text, args):
        self.model, self.text, self.args = model, text, args
        self.optimizer = torch.optim.AdamW(model.parameters(), args.learning_rate, weight_decay=args.weight_decay)
        warmup = max(1, int(args.warmup_ratio * args.max_steps))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / args.max_steps))),
        )
        self.writer = SummaryWriter(Path(args.output_dir) / "runs")
        self.step = 0

    def batch(self):
        length = self.model.places.num_embeddings
        starts = torch.randint(len(self.text) - length - 1, (self.args.per_device_train_batch_size,))
        windows = torch.stack([self.text[start : start + length + 1] for start in starts])
        return windows[:, :-1], windows[:, 1:]

    def train(self):
        if self.args.resume_from_checkpoint:
            self.load(self.args.resume_from_checkpoint)
        for self.step in tqdm(range(self.step, self.args.max_steps), initial=self.step, total=self.args.max_steps):
            inputs, targets = self.batch()
            loss = nn.functional.cross_entropy(self.model(inputs).flatten(0, 1), targets.flatten())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            if self.step % self.args.logging_steps == 0:
                self.writer.add_scalar("train/loss", loss.item(), self.step)
                self.writer.add_scalar("train/learning_rate", self.schedule.get_last_lr()[0], self.step)
            if (self.step + 1) % self.args.save_steps == 0:
                self.save(self.step + 1)
        return loss.item()

    def save(self, step):
        folder = Path(self.args.output_dir) / f"checkpoint-{step}"
        folder.mkdir(parents=True, exist_ok=True)
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": step}
        torch.save({**state, "schedule": self.schedule.state_dict(), "random": torch.get_rng_state()}, folder / "state.pt")
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step, **dataclasses.asdict(self.args)}))

    def load(self, path):
        state = torch.load(Path(path) / "state.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self.step = state["step"]
        print(f"going on from step {self.step}")


def main():
    training, config = parse(TrainingArguments, ModelArguments)
    torch.manual_seed(training.seed)
    text = "the quick brown fox jumps over the lazy dog, and the dog sleeps on. " * 60
    letters = sorted(set(text))
    tokens = torch.tensor([letters.index(letter) for letter in text])
    trainer = Trainer(LanguageModel(len(letters), config), tokens, training)
    print(json.dumps({"train_loss": round(trainer.train(), 6), "step": trainer.step + 1}))


if __name__ == "__main__":
    main()
