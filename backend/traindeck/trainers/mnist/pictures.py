"""The pictures that a run writes: images with captions, the confusion matrix, the kernels as they change."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[attr-defined]
from torch.nn import functional
from torchvision.utils import make_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch.utils.tensorboard import SummaryWriter

TILE_PIXELS = 84
CAPTION_PIXELS = 14
GAP_PIXELS = 6
BACKGROUND = (24, 26, 31)
FOREGROUND = (235, 235, 235)
COUNTS_WRITTEN = 20
"""With more classes than this, cells of the confusion matrix are too small for their counts."""
CLASSES_NAMED = 50
PIXELS_PER_WEIGHT = 16
KERNELS_PER_ROW = 5
CHANNELS = 3


def captioned(images: torch.Tensor, captions: Sequence[str], columns: int = 8) -> torch.Tensor:
    """Return one picture, uint8 [3, height, width], of `images`, uint8 [count, channels, height, width], in rows."""
    columns = min(columns, max(1, len(images)))
    rows = -(-len(images) // columns)
    width, height = TILE_PIXELS + GAP_PIXELS, TILE_PIXELS + CAPTION_PIXELS + GAP_PIXELS
    sheet = Image.new("RGB", (columns * width, max(1, rows) * height), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        x, y = (index % columns) * width + GAP_PIXELS // 2, (index // columns) * height
        sheet.paste(_tile(image), (x, y))
        draw.text((x, y + TILE_PIXELS), caption[:16], FOREGROUND, font)
    return torch.from_numpy(np.array(sheet)).permute(2, 0, 1)


def _tile(image: torch.Tensor) -> Image.Image:
    pixels = image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels).resize((TILE_PIXELS, TILE_PIXELS), Image.Resampling.NEAREST)


def confusion_figure(counts: torch.Tensor, classes: Sequence[str]) -> Figure:
    """Rows are the true classes, columns what they are taken for; colours are shares of a row.

    Args:
        counts: int64, [classes, classes].
        classes: The name of each class.
    """
    # Imported late: drawing takes half a second to load, and the first steps need none of it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shares = counts / counts.sum(1, keepdim=True).clamp_(min=1)
    figure = Figure(figsize=(6.4, 6.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("Taken for")
    axes.set_ylabel("Is")
    if len(classes) <= CLASSES_NAMED:
        axes.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 2 else 0)
        axes.set_yticks(range(len(classes)), classes)
    if len(classes) <= COUNTS_WRITTEN:
        _write_counts(axes, counts, shares)
    return figure


def _write_counts(axes: Axes, counts: torch.Tensor, shares: torch.Tensor) -> None:
    for row, column in counts.nonzero().tolist():
        colour = "white" if shares[row, column] > 0.5 else "black"
        count = str(int(counts[row, column]))
        axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)


def kernel_frame(weight: torch.Tensor) -> torch.Tensor:
    """Return one picture of all kernels: uint8, [3, height, width].

    Args:
        weight: A convolution's weights, [kernels, channels, height, width]; shown as colours where it has
            three channels, else as the mean over channels. Grey is zero, each picture uses its whole range.
    """
    kernels = weight.detach().float().cpu()
    if kernels.shape[1] != 3:
        kernels = kernels.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    kernels = kernels.nan_to_num(0, 0, 0)
    shown = 0.5 + 0.5 * kernels / kernels.abs().max().clamp_(min=1e-12)
    large = functional.interpolate(shown, scale_factor=PIXELS_PER_WEIGHT, mode="nearest")
    grid: torch.Tensor = make_grid(large, nrow=KERNELS_PER_ROW, padding=4)
    return (grid * 255).round().to(torch.uint8)


def write_animation(writer: SummaryWriter, tag: str, frames: torch.Tensor, step: int, frame_seconds: float) -> None:
    """Write frames, uint8 [count, 3, height, width], as a GIF that is shown again and again.

    `SummaryWriter.add_video` writes the same summary, but needs moviepy, which not every environment has.
    """
    pictures = [Image.fromarray(frame.permute(1, 2, 0).contiguous().numpy()) for frame in frames]
    encoded = io.BytesIO()
    milliseconds = round(frame_seconds * 1000)
    pictures[0].save(encoded, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
    width, height = pictures[0].size
    image = Summary.Image(height=height, width=width, colorspace=CHANNELS, encoded_image_string=encoded.getvalue())
    writer._get_file_writer().add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)
