"""The program of the `mnist` trainer: read the images; for each epoch train, validate, report, save."""

from __future__ import annotations

import sys

import torch
from torch.nn import functional

from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import FetchStopped
from traindeck.trainers.datasets.images import ImageSet, image_folder
from traindeck.trainers.datasets.published import cifar10, fashion_mnist, mnist
from traindeck.trainers.mnist.evaluation import Evaluation, evaluate
from traindeck.trainers.mnist.meter import Sums, TrainingClock
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.mnist.report import Report
from traindeck.trainers.mnist.training import Training, seed_everything
from traindeck.trainers.summaries import write_histograms

AUTOCAST = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def train(ctx: RunContext, params: MnistParams) -> None:
    """Train as `params` say; a run that is asked to stop saves a checkpoint and returns.

    Raises:
        DatasetUnavailable: the images are not on disk, and cannot be fetched.
        CannotResume: the checkpoint to go on from is of something else.
    """
    device = ctx.device(params.device)
    seed_everything(params.seed)
    try:
        images = chosen_images(ctx, params)
    except FetchStopped:
        return
    training = Training(images, params, device)
    if ctx.resume_from is not None:
        training.load(ctx.resume_from)
        say(f"going on after step {training.step} of {training.total_steps}")
    report = Report(ctx.writer, images, params)
    report.begin(training)
    while not training.finished:
        train_epoch(ctx, training)
        validation = images.validation_images, images.validation_labels
        evaluation = evaluate(training.model, *validation, device, lambda: ctx.should_stop)
        if evaluation is None:
            ctx.checkpoints.save(training.state_dict())
            say(f"stopped after step {training.step}; checkpoints/last.pt is where to go on from")
            return
        finish_epoch(ctx, training, report, evaluation)
    report.end(training)


def train_epoch(ctx: RunContext, training: Training) -> None:
    """Train until the pass over the images or the run is through, or it is asked to stop."""
    params, clock = training.params, TrainingClock()
    for images, labels in training.batches:
        take_step(training, images, labels)
        ctx.progress(training.step, training.total_steps)
        if training.at_interval(params.log_every) or training.step == 1 or training.at_end_of_pass:
            write_window(ctx, training, clock)
        with clock.paused():
            if training.at_interval(params.histogram_every):
                write_histograms(ctx.writer, training.model, training.step)
            if training.at_interval(params.checkpoint_every) and not training.at_end_of_pass:
                ctx.checkpoints.save(training.state_dict())
        if ctx.should_stop or training.at_end_of_pass:
            return


def take_step(training: Training, images: torch.Tensor, labels: torch.Tensor) -> None:
    """One optimizer step on one batch. Nothing in it waits for a GPU.

    The gradients stay until the next step, for histograms to be drawn of them.
    """
    params, scaler, optimizer = training.params, training.scaler, training.optimizer
    mixed = params.precision != "float32"
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(training.device.type, AUTOCAST[params.precision], enabled=mixed):
        logits = training.model(images)
        loss = functional.cross_entropy(logits, labels)
    scaler.scale(loss).backward()
    training.step += 1
    if scaler.is_enabled() and training.at_interval(params.histogram_every):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    training.scheduler.step()
    training.meter.add(loss, logits, labels)


def write_window(ctx: RunContext, training: Training, clock: TrainingClock) -> None:
    """The means over the steps since the last call, the learning rate of the next step, and the speed."""
    meter, writer, step = training.meter, ctx.writer, training.step
    meter.fold()
    writer.add_scalar("Loss/train", meter.window.mean_loss, step)
    writer.add_scalar("Accuracy/train", meter.window.accuracy, step)
    writer.add_scalar("Learning rate", training.optimizer.param_groups[0]["lr"], step)
    writer.add_scalar("Images per second", meter.window.images / clock.lap_seconds(), step)
    meter.window = Sums()


def finish_epoch(ctx: RunContext, training: Training, report: Report, evaluation: Evaluation) -> None:
    """Report on the epoch, and save it: as the last, and as the best if it is."""
    training.meter.fold()
    training.kernel_frames.append(training.kernel_frame())
    report.epoch(training, evaluation)
    say(
        f"epoch {training.epochs_done + 1} of {training.params.epochs}, step {training.step}:"
        f" training loss {training.meter.epoch.mean_loss:.4f}, validation loss {evaluation.loss:.4f},"
        f" validation accuracy {evaluation.accuracy:.2%}"
    )
    is_best = evaluation.accuracy > training.best_accuracy
    training.best_accuracy = max(evaluation.accuracy, training.best_accuracy)
    training.finish_epoch()
    ctx.checkpoints.save(training.state_dict())
    if is_best:
        ctx.checkpoints.save(training.state_dict(), "best.pt")


def say(line: str) -> None:
    """Write a line to the run's log, which is the process's standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def chosen_images(ctx: RunContext, params: MnistParams) -> ImageSet:
    """Return the images to train and validate on.

    Raises:
        DatasetUnavailable: they are not on disk and cannot be fetched, or cannot be read.
        FetchStopped: the run was asked to stop meanwhile.
    """
    if params.dataset == "folder":
        return image_folder(ctx, params.folder.strip(), params.image_size)
    read = {"MNIST": mnist, "FashionMNIST": fashion_mnist, "CIFAR10": cifar10}[params.dataset]
    return read(ctx)
