"""Percentiles of what was measured several times."""

import statistics
from collections.abc import Sequence


def p50(samples: Sequence[float]) -> float:
    """The median."""
    return statistics.median(samples)


def p95(samples: Sequence[float]) -> float:
    """The value that 95 of 100 samples do not exceed, interpolated; with few samples, close to the largest."""
    return samples[0] if len(samples) == 1 else statistics.quantiles(samples, n=20, method="inclusive")[18]


def summary(samples: Sequence[float], unit: str) -> dict[str, float]:
    """Count, least, median, 95th percentile and greatest, for a row's details."""
    named = {"least": min(samples), "p50": p50(samples), "p95": p95(samples), "greatest": max(samples)}
    return {"samples": len(samples), **{f"{name}_{unit}": value for name, value in named.items()}}
