"""The rows of a comparison: the values of several runs under the same name, differences first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from traindeck.runs.comparison import ComparedMetric, ComparedMetrics, ComparedRow, ComparedRows
from traindeck.runs.directions import Better, direction
from traindeck.runs.view import MetricView

MAX_ROWS = 2000
NOTHING_SAID: Mapping[str, Better] = {}
MAX_METRICS = 1000
MAX_DEPTH = 8
MAX_VALUE_CHARACTERS = 2000


def compare_rows(columns: Sequence[Mapping[str, Any] | None], *, equal: bool = True) -> ComparedRows:
    """Return one row for each name that any run has.

    A column is None if nothing is known about its run; it makes no row differ. Without `equal`, rows in which all runs
    agree are only counted.
    """
    names = dict.fromkeys(name for column in columns if column for name in column)
    rows = [_row(name, columns) for name in sorted(names)]
    differing = [row for row in rows if row.differs]
    same = [row for row in rows if not row.differs]
    listed = differing + (same if equal else [])
    return ComparedRows(
        rows=listed[:MAX_ROWS],
        equal_left_out=0 if equal else len(same),
        more=max(len(listed) - MAX_ROWS, 0),
    )


def compare_metrics(
    columns: Sequence[Mapping[str, MetricView]], said: Mapping[str, Better] = NOTHING_SAID
) -> ComparedMetrics:
    """Return one row for each scalar that any run has; `said` has the user's choices of which way is better."""
    rows = []
    for tag in sorted({tag for column in columns for tag in column}):
        values = [column.get(tag) for column in columns]
        lasts = [value.last if value else None for value in values]
        differs = _differ(lasts, lambda last: last)
        better = direction(tag, said)
        rows.append(ComparedMetric(tag=tag, values=values, differs=differs, better=better, said=tag in said))
    rows.sort(key=lambda row: not row.differs)
    return ComparedMetrics(rows=rows[:MAX_METRICS], more=max(len(rows) - MAX_METRICS, 0))


def flatten(params: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return nested parameters by their full names, such as "optimizer.lr"."""
    found: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and value and depth < MAX_DEPTH:
            found |= flatten(value, f"{prefix}{name}.", depth + 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


def _row(name: str, columns: Sequence[Mapping[str, Any] | None]) -> ComparedRow:
    known = [column for column in columns if column is not None]
    differs = _differ([(name in column, column.get(name)) for column in known], lambda one: (one[0], _key(one[1])))
    values = [_bounded(column.get(name)) if column else None for column in columns]
    return ComparedRow(name=name, values=values, differs=differs)


def _differ(values: Sequence[Any], key: Callable[[Any], Any]) -> bool:
    return any(key(value) != key(values[0]) for value in values[1:])


def _key(value: Any) -> Any:
    # Python takes true for 1, and a reader does not; 1 and 1.0 are the same for both.
    return (isinstance(value, bool), value)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARACTERS:
        return value[:MAX_VALUE_CHARACTERS] + "…"
    return value
