"""The trainers that come with Traindeck, and what a package needs to bring its own."""

from traindeck.trainers.context import RunContext
from traindeck.trainers.trainer import Trainer

__all__ = ["RunContext", "Trainer"]
