"""The confusion matrix as a figure."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COUNTS_WRITTEN = 20
"""With more classes than this, cells are too small for their counts."""
CLASSES_NAMED = 50


def confusion_figure(counts: torch.Tensor, classes: Sequence[str]) -> Figure:
    """Rows are the true classes, columns what they are taken for; colours are shares of a row.

    Args:
        counts: int64, [classes, classes].
        classes: The name of each class.
    """
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
