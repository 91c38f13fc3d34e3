"""How the kernels of the first convolution change: one frame for each epoch."""

import torch
from torch.nn import functional
from torchvision.utils import make_grid

PIXELS_PER_WEIGHT = 16
KERNELS_PER_ROW = 5


def kernel_frame(weight: torch.Tensor) -> torch.Tensor:
    """One picture of all kernels: uint8, [3, height, width].

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
