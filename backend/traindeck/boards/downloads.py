# mypy: disallow-untyped-calls=False
"""TensorBoard's table of hyperparameters as CSV, in which no cell is a formula."""

import csv
import io
from typing import Any

from tensorboard.plugins.hparams import download_data

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet executes."""


class SafeDownload(download_data.Handler):
    """TensorBoard's answer, with an apostrophe before each cell that a spreadsheet would take for a formula.

    Names and values of hyperparameters are those of a run's event files, which may come from anybody.
    """

    def run(self) -> tuple[Any, str]:
        """Return the body, and its media type."""
        body, mime_type = super().run()
        return (_without_formulas(body), mime_type) if mime_type == "text/csv" else (body, mime_type)


def make_downloads_safe() -> None:
    """Have TensorBoard's plugin answer so, in this process."""
    download_data.Handler = SafeDownload  # type: ignore[misc]


def _without_formulas(body: str) -> str:
    written = io.StringIO()
    rows = csv.reader(io.StringIO(body, newline=""))
    csv.writer(written).writerows([_shown(cell) for cell in row] for row in rows)
    return written.getvalue()


def _shown(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
