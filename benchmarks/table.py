"""The table, in Markdown, as it stands in the README."""

from collections.abc import Sequence

from benchmarks.row import Goal, Row

HEADINGS = ("what", "without Traindeck", "Traindeck", "times better", "goal", "")
NUMERIC_COLUMNS = frozenset({2, 3})
NOT_MEASURED = "not measured"
MARKS = {True: "reached", False: "**missed**", None: ""}


def render(rows: Sequence[Row]) -> str:
    """All rows, in columns that line up in a terminal too."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    rule = [f"{'-' * (width - 1)}{':' if at in NUMERIC_COLUMNS else '-'}" for at, width in enumerate(widths)]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def figure(value: float, unit: str) -> str:
    """A figure with three significant digits; seconds below a tenth are shown as milliseconds."""
    if unit == "s" and abs(value) < 0.0995:
        return f"{_digits(value * 1000)} ms"
    return f"{_digits(value)} {unit}".rstrip()


def _digits(value: float) -> str:
    decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:,.{decimals}f}"


def _cells(row: Row) -> tuple[str, ...]:
    without = row.without
    if row.baseline is not None:
        without = f"{figure(row.baseline, row.unit)} ({row.without})" if row.without else figure(row.baseline, row.unit)
    ratio = "" if row.ratio is None else f"{_digits(row.ratio)} ×"
    measured = NOT_MEASURED if row.value is None else figure(row.value, row.unit)
    return row.what, without, measured, ratio, _goal(row.goal, row.unit), MARKS[row.reached]


def _goal(goal: Goal | None, unit: str) -> str:
    if goal is None:
        return ""
    sign = "≥" if goal.at_least else "≤"
    if unit == "s" and goal.limit < 0.1:
        return f"{sign} {goal.limit * 1000:g} ms"
    return f"{sign} {goal.limit:g} {'×' if goal.of_ratio else unit}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        cell.rjust(width) if at in NUMERIC_COLUMNS else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(aligned)} |"
