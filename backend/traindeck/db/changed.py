"""Determine which runs a transaction changes, from the statements of its session."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import BindParameter, event
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BinaryExpression
from sqlmodel import Session

from traindeck.db.tables import Parameter, Run, RunTag, ScalarSummary

CHANGED = "changed_runs"
FILTERED = {table.__tablename__ for table in (Run, RunTag, Parameter, ScalarSummary)}
"""The tables that filters read. Sets kept in memory would miss a change that names no run."""


class WritingSession(Session):
    """A session that collects the numbers of the runs whose rows it writes: the run itself, its tags, its metrics.

    Objects are collected when they are flushed. UPDATE, DELETE and INSERT must name their runs, in their values or as
    `run.id == number`; a statement that changes runs and names none is refused.
    """

    @property
    def changed_runs(self) -> list[int]:
        """Return the changed runs, each once, in the order of their first change."""
        return list(self.info.get(CHANGED, ()))

    def _collect(self, numbers: Iterable[Any]) -> None:
        # A dictionary, because it keeps the order.
        self.info.setdefault(CHANGED, {}).update((number, None) for number in numbers if isinstance(number, int))


def _collect_flushed(session: WritingSession, _context: UOWTransaction) -> None:
    rows = (*session.new, *session.dirty, *session.deleted)
    session._collect(row.id if isinstance(row, Run) else getattr(row, "run_id", None) for row in rows)


def _collect_executed(state: ORMExecuteState) -> None:
    statement = state.statement
    if not isinstance(statement, UpdateBase):
        return
    numbers = set(_numbers(statement, state.parameters)) - {None}
    table = getattr(statement.table, "name", None)
    if not numbers and table in FILTERED:
        raise LookupError(f"a statement that writes {table} must name its runs, by run.id or run_id == number")
    assert isinstance(state.session, WritingSession)
    state.session._collect(numbers)


def _numbers(statement: UpdateBase, parameters: Any) -> Iterator[Any]:
    """Yield the numbers of runs that a statement names."""
    column = "id" if _is_of_runs(statement) else "run_id"
    for row in parameters if isinstance(parameters, list) else [parameters or {}]:
        yield row.get(column)
    for criterion in getattr(statement, "_where_criteria", ()):
        for element in visitors.iterate(criterion):
            if isinstance(element, BinaryExpression) and element.operator is operators.eq:
                named, value = element.left, element.right
                if getattr(named, "key", None) == column and isinstance(value, BindParameter):
                    yield value.effective_value


def _is_of_runs(statement: UpdateBase) -> bool:
    return getattr(statement.table, "name", None) == Run.__tablename__


event.listen(WritingSession, "after_flush", _collect_flushed)
event.listen(WritingSession, "do_orm_execute", _collect_executed)
