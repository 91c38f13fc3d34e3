"""Imports what a training script imports, and does nothing."""

import torch  # noqa: F401
import torchvision  # noqa: F401
