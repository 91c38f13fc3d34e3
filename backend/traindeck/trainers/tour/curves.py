"""Summaries that are numbers: scalars, tensors, distributions, precision-recall curves."""

import math

import torch
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.tour.moment import Moment

SAMPLES = 1000
THRESHOLDS = 20
BINS = 30
CHARTS = {
    "Tour": {
        "Every wave": ["Multiline", ["Waves/.*"]],
        "Loss between its bounds": ["Margin", ["Loss/tour", "Loss/lower bound", "Loss/upper bound"]],
    }
}
"""The layout of the custom scalars tab: title of a chart, its kind, and the tags it is drawn from."""


def scalar(writer: SummaryWriter, moment: Moment) -> None:
    """A falling loss with bounds, and two waves."""
    loss = math.exp(-3 * moment.share)
    writer.add_scalar("Loss/tour", loss, moment.step)
    writer.add_scalar("Loss/lower bound", 0.8 * loss, moment.step)
    writer.add_scalar("Loss/upper bound", 1.2 * loss, moment.step)
    for name, wave in (("sine", math.sin), ("cosine", math.cos)):
        writer.add_scalar(f"Waves/{name}", wave(2 * math.pi * moment.share), moment.step)


def scalars(writer: SummaryWriter, moment: Moment) -> None:
    """Two lines in one chart."""
    values = {"train": math.exp(-3 * moment.share), "validation": 0.1 + math.exp(-2 * moment.share)}
    writer.add_scalars("Loss of both", values, moment.step)


def custom_scalars(writer: SummaryWriter, moment: Moment) -> None:
    """The layout of the custom scalars tab, once."""
    if moment.step == 0:
        writer.add_custom_scalars(CHARTS)


def tensor(writer: SummaryWriter, moment: Moment) -> None:
    """A tensor of three numbers."""
    writer.add_tensor("Tensor", torch.tensor([moment.step, moment.share, 1 - moment.share]), moment.step)


def histogram(writer: SummaryWriter, moment: Moment) -> None:
    """A distribution that wanders and narrows."""
    values = 3 * moment.share + (1.5 - moment.share) * moment.normal(SAMPLES)
    writer.add_histogram("Histogram", values, moment.step)


def histogram_raw(writer: SummaryWriter, moment: Moment) -> None:
    """A distribution given by its bins."""
    values = moment.uniform(SAMPLES) ** (1 + moment.share)
    counts, edges = torch.histogram(values, bins=BINS, range=(0.0, 1.0))
    writer.add_histogram_raw(
        "Histogram from bins",
        min=values.min().item(),
        max=values.max().item(),
        num=SAMPLES,
        sum=values.sum().item(),
        sum_squares=values.square().sum().item(),
        bucket_limits=edges[1:].tolist(),
        bucket_counts=counts.tolist(),
        global_step=moment.step,
    )


def pr_curve(writer: SummaryWriter, moment: Moment) -> None:
    """A classifier that gets better."""
    labels = moment.uniform(SAMPLES) < 0.5
    sureness = (0.5 + (labels.float() - 0.5) * moment.share + 0.25 * moment.normal(SAMPLES)).clamp(0, 1)
    writer.add_pr_curve("Precision and recall", labels, sureness, moment.step)


def pr_curve_raw(writer: SummaryWriter, moment: Moment) -> None:
    """A curve given by its counts at each threshold."""
    kept = torch.linspace(1, 0, THRESHOLDS)
    true, false = (500 * kept ** (1 - 0.8 * moment.share)).round(), (500 * kept**2).round()
    writer.add_pr_curve_raw(
        "Precision and recall from counts",
        true_positive_counts=true,
        false_positive_counts=false,
        true_negative_counts=500 - false,
        false_negative_counts=500 - true,
        precision=true / (true + false).clamp(min=1),
        recall=true / 500,
        global_step=moment.step,
        num_thresholds=THRESHOLDS,
    )
