"""Images with a line of text below each, in one picture."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

TILE_PIXELS = 84
CAPTION_PIXELS = 14
GAP_PIXELS = 6
BACKGROUND = (24, 26, 31)
FOREGROUND = (235, 235, 235)


def captioned(images: torch.Tensor, captions: Sequence[str], columns: int = 8) -> torch.Tensor:
    """One picture, uint8 [3, height, width], of `images`, uint8 [count, channels, height, width], in rows."""
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
