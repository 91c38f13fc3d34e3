"""The measurements, one module each: `measure(quick)` gives the rows that it adds to the table."""

import importlib
from collections.abc import Callable

from benchmarks.row import Row

NAMES = (
    "first-step",
    "launches",
    "interference",
    "idle-runs",
    "server-start",
    "at-rest",
    "listeners",
    "list-page",
    "pages",
    "list-filters",
    "open-board",
    "visible",
    "log-search",
    "million-points",
    "overhead",
    "trainer",
)
"""In the order of the table."""


def find(name: str) -> Callable[[bool], list[Row]]:
    """The measurement of a name; imported only now, as some bring torch and TensorBoard with them."""
    module = importlib.import_module(f"benchmarks.rows.{name.replace('-', '_')}")
    measure: Callable[[bool], list[Row]] = module.measure
    return measure
