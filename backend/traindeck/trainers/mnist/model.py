"""The article's ConvNet, for images of any size and number of channels."""

import torch
from torch import nn

FEATURES = 32
"""Width of the last hidden layer, whose outputs the embedding shows."""


class ConvNet(nn.Module):
    """Two convolutions and three linear layers; it takes pixels as they are stored, 0 to 255.

    Args:
        shape: Channels, height and width of an image; height and width are at least 5.
        classes: The number of classes.
        dropout: Share of features left out before the first linear layer; 0 has no such layer.
        means: Mean of each channel of the training images, [channels, 1, 1].
        deviations: Standard deviation of each channel, [channels, 1, 1].
    """

    means: torch.Tensor
    deviations: torch.Tensor

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        dropout: float,
        means: torch.Tensor,
        deviations: torch.Tensor,
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self.register_buffer("means", means)
        self.register_buffer("deviations", deviations)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 10, kernel_size=3),
            nn.ReLU(),
            nn.Conv2d(10, 5, kernel_size=3),
            nn.ReLU(),
            nn.Flatten(),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.Linear((height - 4) * (width - 4) * 5, 64),
            nn.ReLU(),
            nn.Linear(64, FEATURES),
            nn.ReLU(),
            nn.Linear(FEATURES, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits, [images, classes], for images of [images, channels, height, width]."""
        logits: torch.Tensor = self.layers(self.normalized(images))
        return logits

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the last linear layer is given, [images, FEATURES]."""
        features: torch.Tensor = self.layers[:-1](self.normalized(images))
        return features

    def normalized(self, images: torch.Tensor) -> torch.Tensor:
        """Return pixels with mean 0 and standard deviation 1 in each channel."""
        return (images.float() - self.means) / self.deviations
