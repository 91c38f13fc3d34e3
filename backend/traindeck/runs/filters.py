"""The filter of the list of runs: words, and comparisons of fields, all of which must hold.

mnist status:running params.lr<=0.001 metrics.Accuracy/validation>0.98 tag:baseline
"""

import re
import shlex
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, or_
from sqlmodel import col

from traindeck.db.tables import Parameter, Run, RunTag, ScalarSummary
from traindeck.errors import FieldError, InvalidRequest
from traindeck.runs.status import Status
from traindeck.unknown import nearest

COLUMNS = {
    "id": col(Run.id),
    "name": col(Run.name),
    "status": col(Run.status),
    "trainer": col(Run.trainer),
    "priority": col(Run.priority),
    "attempt": col(Run.attempt),
    "exit_code": col(Run.exit_code),
}
NUMERIC = frozenset({"id", "priority", "attempt", "exit_code"})
FIELDS = (*COLUMNS, "tag", "params.NAME", "metrics.TAG")
MAX_TERMS = 20
TERM = re.compile(r"(?P<field>[A-Za-z_]+(?:\..+?)?)(?P<op>:|!=|<=|>=|=|<|>)(?P<value>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison."""

    field: str
    op: str
    value: str


def parse_filter(text: str) -> list[ColumnElement[bool]]:
    """The conditions that `text` stands for.

    Raises:
        InvalidRequest: a quote is left open, or a comparison names what is not a field or not a number.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _wrong("a quote is not closed") from error
    if len(words) > MAX_TERMS:
        raise _wrong(f"at most {MAX_TERMS} terms")
    return [_condition(word) for word in words]


def _condition(word: str) -> ColumnElement[bool]:
    match = TERM.fullmatch(word)
    if match is None:
        return _contains(word)
    term = Term(match["field"], match["op"], match["value"])
    if term.field == "tag":
        return _tagged(term)
    if term.field.startswith("params."):
        return _parameter(term)
    if term.field.startswith("metrics."):
        return _metric(term)
    return _column(term)


def _contains(word: str) -> ColumnElement[bool]:
    tagged = _having(RunTag, col(RunTag.tag).icontains(word, autoescape=True))
    columns = (col(Run.name), col(Run.trainer), col(Run.notes))
    found = [column.icontains(word, autoescape=True) for column in columns]
    if word.isascii() and word.isdigit() and len(word) < 18:
        found.append(col(Run.id) == int(word))
    return or_(*found, tagged)


def _column(term: Term) -> ColumnElement[bool]:
    if term.field not in COLUMNS:
        near = nearest(term.field, FIELDS)
        hint = f"did you mean {near!r}? " if near else ""
        raise _wrong(f"{term.field!r} is not a field; {hint}fields are {', '.join(FIELDS)}")
    if term.field == "status" and term.value not in set(Status):
        raise _wrong(f"{term.value!r} is not a status; statuses are {', '.join(Status)}")
    value = _number(term) if term.field in NUMERIC else term.value
    if term.op == "!=":
        # A run of a script has no trainer, so its trainer is not mnist either.
        return COLUMNS[term.field].is_distinct_from(value)
    return _compare(COLUMNS[term.field], term.op, value)


def _tagged(term: Term) -> ColumnElement[bool]:
    if term.op not in (":", "=", "!="):
        raise _wrong("tag can be compared with : and != only")
    tagged = _having(RunTag, col(RunTag.tag) == term.value)
    return ~tagged if term.op == "!=" else tagged


def _parameter(term: Term) -> ColumnElement[bool]:
    name = term.field.removeprefix("params.")
    try:
        comparison = _compare(col(Parameter.number), term.op, float(term.value))
        if term.op in (":", "="):
            comparison = or_(comparison, col(Parameter.text) == term.value)
    except ValueError:
        comparison = _compare(col(Parameter.text), term.op, term.value)
    return _having(Parameter, col(Parameter.name) == name, comparison)


def _metric(term: Term) -> ColumnElement[bool]:
    tag, column = split_metric(term.field.removeprefix("metrics."))
    comparison = _compare(column, term.op, _number(term))
    return _having(ScalarSummary, col(ScalarSummary.tag) == tag, comparison)


def _having(table: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    # Correlated to the run alone: the list may be joined to the same table for its order.
    return exists().where(table.run_id == col(Run.id), *conditions).correlate(Run)


def split_metric(name: str) -> tuple[str, Any]:
    """The tag, and the column of its summary: "Loss/train.min" is the least value, without a suffix the last."""
    for suffix, column in (
        ("min", ScalarSummary.min),
        ("max", ScalarSummary.max),
        ("last", ScalarSummary.last),
    ):
        if name.endswith(f".{suffix}"):
            return name.removesuffix(f".{suffix}"), col(column)
    return name, col(ScalarSummary.last)


def _number(term: Term) -> float:
    try:
        return float(term.value)
    except ValueError as error:
        raise _wrong(f"{term.field} is compared with a number, and {term.value!r} is none") from error


def _compare(column: Any, op: str, value: Any) -> ColumnElement[bool]:
    comparisons = {
        ":": column == value, "=": column == value, "!=": column != value,
        "<": column < value, "<=": column <= value, ">": column > value, ">=": column >= value,
    }  # fmt: skip
    chosen: ColumnElement[bool] = comparisons[op]
    return chosen


def _wrong(message: str) -> InvalidRequest:
    return InvalidRequest([FieldError("q", f"the filter q cannot be read: {message}")])
