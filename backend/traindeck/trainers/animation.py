"""Animations for TensorBoard, encoded by Pillow.

`SummaryWriter.add_video` writes the same summary, but needs moviepy, which not every environment has.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import torch
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

CHANNELS = 3


def write_animation(writer: SummaryWriter, tag: str, frames: torch.Tensor, step: int, frame_seconds: float) -> None:
    """Write frames, uint8 [count, 3, height, width], as a GIF that is shown again and again."""
    pictures = [Image.fromarray(frame.permute(1, 2, 0).contiguous().numpy()) for frame in frames]
    encoded = io.BytesIO()
    milliseconds = round(frame_seconds * 1000)
    pictures[0].save(encoded, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
    width, height = pictures[0].size
    image = Summary.Image(height=height, width=width, colorspace=CHANNELS, encoded_image_string=encoded.getvalue())
    writer._get_file_writer().add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)
