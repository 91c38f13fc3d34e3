"""Finds out which runs a transaction changes, from what its session writes."""

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
"""Tables that the filter reads: sets kept in memory would miss a change that names no run."""


class WritingSession(Session):
    """A session that keeps the numbers of the runs of which it writes any row: the run's own, its tags, its metrics.

    Rows that are objects are seen when they are flushed. Of an UPDATE, DELETE or INSERT the numbers are those that it
    is given, in its values or as `run.id == number`; one that changes runs and names none is refused.
    """

    @property
    def changed_runs(self) -> list[int]:
        """The runs that were changed, each once, in the order of their first change."""
        return list(self.info.get(CHANGED, ()))

    def _note(self, numbers: Iterable[Any]) -> None:
        # A dictionary keeps the order.
        self.info.setdefault(CHANGED, {}).update((number, None) for number in numbers if isinstance(number, int))


def _note_flushed(session: WritingSession, _context: UOWTransaction) -> None:
    rows = (*session.new, *session.dirty, *session.deleted)
    session._note(row.id if isinstance(row, Run) else getattr(row, "run_id", None) for row in rows)


def _note_executed(state: ORMExecuteState) -> None:
    statement = state.statement
    if not isinstance(statement, UpdateBase):
        return
    numbers = set(_numbers(statement, state.parameters)) - {None}
    table = getattr(statement.table, "name", None)
    if not numbers and table in FILTERED:
        raise LookupError(f"a statement that writes {table} must name its runs, by run.id or run_id == number")
    assert isinstance(state.session, WritingSession)
    state.session._note(numbers)


def _numbers(statement: UpdateBase, parameters: Any) -> Iterator[Any]:
    """The numbers of runs that a statement is given."""
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


event.listen(WritingSession, "after_flush", _note_flushed)
event.listen(WritingSession, "do_orm_execute", _note_executed)
