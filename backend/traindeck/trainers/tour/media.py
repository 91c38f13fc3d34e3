"""Summaries that are seen or heard: images, figures, videos, audio."""

import math

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.tour.moment import Moment

PIXELS = 64
FRAMES = 8
SAMPLE_RATE = 22_050
"""Audio samples for each second."""


def gradient(moment: Moment, phase: float = 0.0) -> torch.Tensor:
    """Return a coloured picture that moves with the tour: float32, 0 to 1, [3, PIXELS, PIXELS]."""
    axis = torch.linspace(0, 1, PIXELS)
    turn = 2 * math.pi * (moment.share + phase)
    waves = (0.5 + 0.5 * torch.sin(turn + 6 * axis), 0.5 + 0.5 * torch.cos(turn + 6 * axis))
    red, green = waves[0].expand(PIXELS, -1), waves[1].expand(PIXELS, -1).T
    return torch.stack([red, green, (red + green) / 2])


def image(writer: SummaryWriter, moment: Moment) -> None:
    """One picture."""
    writer.add_image("Image", gradient(moment), moment.step)


def images(writer: SummaryWriter, moment: Moment) -> None:
    """Four pictures in a grid."""
    pictures = torch.stack([gradient(moment, phase / 4) for phase in range(4)])
    writer.add_images("Images", pictures, moment.step)


def image_with_boxes(writer: SummaryWriter, moment: Moment) -> None:
    """A picture with two labelled boxes."""
    left = 4 + 20 * moment.share
    boxes = torch.tensor([[left, 6, left + 20, 26], [30, 34, 58, 58]])
    writer.add_image_with_boxes("Image with boxes", gradient(moment), boxes, moment.step, labels=["moves", "stays"])


def figure(writer: SummaryWriter, moment: Moment) -> None:
    """A drawing of matplotlib's."""
    drawing = Figure(figsize=(4, 3), dpi=80, layout="constrained")
    FigureCanvasAgg(drawing)
    angles = torch.linspace(0, 2 * math.pi, 200)
    axes = drawing.add_subplot()
    axes.plot(angles.numpy(), torch.sin(angles + 2 * math.pi * moment.share).numpy())
    axes.set_title(f"Step {moment.step}")
    writer.add_figure("Figure", drawing, moment.step)


def video(writer: SummaryWriter, moment: Moment) -> None:
    """Eight frames, shown in two seconds."""
    frames = torch.stack([gradient(moment, frame / FRAMES) for frame in range(FRAMES)])
    writer.add_video("Video", frames[None], moment.step, fps=4)


def audio(writer: SummaryWriter, moment: Moment) -> None:
    """Half a second of a tone that rises from step to step by an octave in all."""
    seconds = torch.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tone = 0.4 * torch.sin(2 * math.pi * 440 * 2**moment.share * seconds)
    writer.add_audio("Tone", tone[None], moment.step, sample_rate=SAMPLE_RATE)
