"""Train for an epoch: batches in random order, schedule, random states, and all else that a checkpoint holds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import LambdaLR

from traindeck.trainers.datasets.images import ImageSet
from traindeck.trainers.mnist.meter import Meter, Sums
from traindeck.trainers.mnist.model import ConvNet
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.pictures import kernel_frame

FREE_SHARE = 0.5
"""Images take at most this share of a GPU's free memory."""
FORMAT = "traindeck mnist 1"


class PlacedImages:
    """Images and labels of which batches are taken by index."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, device: torch.device) -> None:
        self.device = device
        self.resident = _has_room(device, images.nbytes)
        self.images = images.to(device) if self.resident else images
        self.labels = labels.to(device) if self.resident else labels

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the images and labels at `indices` (where the images are), on the device; never waits for a GPU."""
        images, labels = self.images.index_select(0, indices), self.labels.index_select(0, indices)
        if self.resident:
            return images, labels
        return _sent(images, self.device), _sent(labels, self.device)


def _has_room(device: torch.device, size_bytes: int) -> bool:
    return device.type != "cuda" or size_bytes < FREE_SHARE * torch.cuda.mem_get_info(device)[0]


def _sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    # Only from pinned memory does a copy run beside the computation.
    return tensor.pin_memory().to(device, non_blocking=True)


class Batches:
    """One shuffled pass after another over the images.

    Iterating gives what is left of the current pass; `next_pass` begins another. The order of a pass follows
    from the generator's state at its begin, so that state and the number of images taken are all there is to
    save.
    """

    def __init__(self, placed: PlacedImages, batch_size: int, seed: int) -> None:
        self.placed = placed
        self.batch_size = batch_size
        self.images_taken = 0
        self._generator = torch.Generator().manual_seed(seed)
        self._pass_state = self._generator.get_state()

    def __len__(self) -> int:
        """Batches in one whole pass; the last one may be smaller."""
        return -(-len(self.placed) // self.batch_size)

    @property
    def exhausted(self) -> bool:
        """Whether the current pass has nothing left."""
        return self.images_taken >= len(self.placed)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        self._generator.set_state(self._pass_state)
        order = torch.randperm(len(self.placed), generator=self._generator)
        if self.placed.resident:
            order = order.to(self.placed.device)
        while not self.exhausted:
            indices = order[self.images_taken : self.images_taken + self.batch_size]
            self.images_taken += len(indices)
            yield self.placed.take(indices)

    def next_pass(self) -> None:
        """Begin another pass; the current one has been iterated."""
        self._pass_state = self._generator.get_state()
        self.images_taken = 0

    def state_dict(self) -> dict[str, Any]:
        """Return which pass this is, and how far it has come."""
        return {"pass_state": self._pass_state, "images_taken": self.images_taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was saved, with any batch size."""
        self._pass_state = state["pass_state"]
        self.images_taken = state["images_taken"]


class CannotResume(Exception):
    """The checkpoint is not one of this trainer's, or is of other data."""


class Training:
    """The state of a run between two steps.

    Attributes:
        step: Optimizer steps taken.
        epochs_done: Epochs trained and validated.
        total_steps: Steps that the run is going to take in all.
        best_accuracy: The best on the validation images so far, 0 to 1.
        kernel_frames: The first layer's kernels at the start and after each epoch: uint8, [3, height, width].
    """

    def __init__(self, images: ImageSet, params: MnistParams, device: torch.device) -> None:
        self.params = params
        self.device = device
        self.classes = images.classes
        shape = images.train_images.shape[1:]
        self.model = ConvNet(
            (shape[0], shape[1], shape[2]),
            len(images.classes),
            params.dropout,
            images.channel_means(),
            images.channel_deviations(),
        ).to(device)
        if params.channels_last:
            self.model.to(memory_format=torch.channels_last)
        self.batches = Batches(
            PlacedImages(images.train_images, images.train_labels, device), params.batch_size, params.seed
        )
        all_steps = params.epochs * len(self.batches)
        self.total_steps = min(all_steps, params.max_steps) if params.max_steps else all_steps
        self.optimizer = make_optimizer(params, self.model)
        self.scheduler = make_scheduler(self.optimizer, params, len(self.batches), self.total_steps)
        self.scaler = torch.amp.GradScaler(device.type, enabled=params.precision == "float16" and device.type == "cuda")
        self.meter = Meter(device)
        self.step = 0
        self.epochs_done = 0
        self.best_accuracy = 0.0
        self.kernel_frames = [self.kernel_frame()]

    @property
    def finished(self) -> bool:
        """Whether all steps are taken and validated."""
        return self.step >= self.total_steps and not self.meter.epoch.images

    @property
    def at_end_of_pass(self) -> bool:
        """Whether it is time to validate: all images have been seen, or all steps are taken."""
        return self.batches.exhausted or self.step >= self.total_steps

    def at_interval(self, steps: int) -> bool:
        """Return whether the step just taken is one of each `steps`; with 0, none is."""
        return steps > 0 and self.step % steps == 0

    def kernel_frame(self) -> torch.Tensor:
        """Return a picture of the first layer's kernels as they are now."""
        return kernel_frame(self.model.get_parameter("layers.0.weight"))

    def finish_epoch(self) -> None:
        """Count the epoch as trained and validated, and begin another pass if this one is through."""
        self.meter.epoch = Sums()
        if self.batches.exhausted:
            self.epochs_done += 1
            self.batches.next_pass()

    def state_dict(self) -> dict[str, Any]:
        """Return all of it, as tensors and plain values that `torch.load(weights_only=True)` reads."""
        return {
            "format": FORMAT,
            "params": self.params.model_dump(),
            "classes": list(self.classes),
            "step": self.step,
            "epochs_done": self.epochs_done,
            "best_accuracy": self.best_accuracy,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "batches": self.batches.state_dict(),
            "meter": self.meter.state_dict(),
            "kernel_frames": self.kernel_frames,
            "random": random_states(),
        }

    def load(self, path: Path) -> None:
        """Go on where the checkpoint at `path` was saved.

        Raises:
            CannotResume: it was saved by another program, or for other classes or another model.
        """
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise CannotResume(f"{path} is not a checkpoint of the mnist trainer")
        if state["classes"] != list(self.classes):
            raise CannotResume(f"{path} was trained on other classes: {', '.join(state['classes'])}")
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise CannotResume(f"{path} is of another model: {error}") from error
        self._load(state)

    def _load(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if self.scaler.is_enabled() and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.batches.load_state_dict(state["batches"])
        self.meter.load_state_dict(state["meter"])
        self.step, self.epochs_done = state["step"], state["epochs_done"]
        self.best_accuracy = state["best_accuracy"]
        self.kernel_frames = list(state["kernel_frames"])
        restore_random_states(state["random"])


def share_of_learning_rate(step: int, params: MnistParams, steps_per_epoch: int, total_steps: int) -> float:
    """Return what share of the learning rate step number `step`, from 0, is taken with.

    Only the cosine looks at `total_steps`: with the others, a run that is resumed for more epochs continues as
    if they had been asked for at once.
    """
    warmup = min(1.0, (step + 1) / params.warmup_steps) if params.warmup_steps else 1.0
    if params.scheduler == "exponential":
        return warmup * math.pow(params.decay, step / steps_per_epoch)
    if params.scheduler == "cosine":
        return warmup * 0.5 * (1 + math.cos(math.pi * min(1.0, step / total_steps)))
    return warmup


def make_scheduler(
    optimizer: torch.optim.Optimizer, params: MnistParams, steps_per_epoch: int, total_steps: int
) -> LambdaLR:
    """Return a scheduler to be stepped after each optimizer step."""

    def share(step: int) -> float:
        return share_of_learning_rate(step, params, steps_per_epoch, total_steps)

    return LambdaLR(optimizer, share)


def make_optimizer(params: MnistParams, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Return the chosen optimizer, in the implementation that updates all weights in one call."""
    common: dict[str, Any] = {"lr": params.lr, "weight_decay": params.weight_decay, "fused": True}
    if params.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True, **common)
    kind = torch.optim.Adam if params.optimizer == "adam" else torch.optim.AdamW
    return kind(model.parameters(), **common)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_states() -> dict[str, Any]:
    """Return the states as plain values and tensors, which `torch.load(weights_only=True)` reads."""
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    numpy_keys = torch.from_numpy(np.asarray(keys, dtype=np.int64))
    return {
        "python": random.getstate(),
        "numpy": (numpy_keys, int(position), int(has_gauss), float(cached)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Set the states that `random_states` returned; GPUs that are not here any more are passed over."""
    keys, position, has_gauss, cached = states["numpy"]
    random.setstate(states["python"])
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_initialized():
        for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state, index)
