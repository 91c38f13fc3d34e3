"""One step of a tour."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Moment:
    """What the summaries of one step are drawn from.

    Attributes:
        step: 0 for the first.
        share: How far the tour has come, from 0 to 1.
        random: The tour's own source of random numbers.
    """

    step: int
    share: float
    random: torch.Generator

    def normal(self, *shape: int) -> torch.Tensor:
        """Normally distributed numbers, float32."""
        return torch.randn(*shape, generator=self.random)

    def uniform(self, *shape: int) -> torch.Tensor:
        """Numbers between 0 and 1, float32."""
        return torch.rand(*shape, generator=self.random)
