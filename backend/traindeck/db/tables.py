"""The tables of a deck. A change here needs a migration in alembic/versions; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, DateTime, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

LARGEST_INTEGER = 2**63 - 1
"""The largest integer of SQLite, and so the largest number of a run."""
DIRECTIONS = ("higher", "lower", "neither")
STATUSES = ("queued", "starting", "running", "stopping", "completed", "failed", "cancelled", "lost")


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC, because SQLite stores no offset."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Return the type in a row."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to naive UTC. Raises ValueError for a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time needs an offset; got {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def _run_id(**options: Any) -> Any:
    return Field(sa_column=Column(Integer, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, **options))


def _json(default: str) -> Any:
    return Column(JSON, nullable=False, server_default=text(f"'{default}'"))


class Run(SQLModel, table=True):
    """A run and the state of its current attempt."""

    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="ck_run_status"),
        # The status comes first although it is constant here: otherwise SQLite, without statistics, prefers
        # ix_run_status. The requested slots come last, so that the next run is found in the index alone.
        Index(
            "ix_run_queue",
            "status",
            "priority",
            "id",
            "gpus",
            "cpus",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
        Index("ix_run_status", "status", "id"),
        Index("ix_run_name", "name", "id"),
        Index("ix_run_finished_at", "finished_at", "id"),
        Index("ix_run_started_at", "started_at", "id"),
        Index("ix_run_trainer", "trainer", "id"),
        Index("ix_run_priority", "priority", "id"),
        Index("ix_run_code_digest", "code_digest", "id"),
        Index("ix_run_attempt", "attempt", "id"),
        Index("ix_run_exit_code", "exit_code", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text)
    status: str = Field(default="queued", sa_type=String(16))
    status_reason: str | None = Field(default=None, sa_type=Text)
    trainer: str | None = Field(default=None, sa_type=Text)
    script: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    params: dict[str, Any] = Field(default_factory=dict, sa_column=_json("{}"))
    env: dict[str, str] = Field(default_factory=dict, sa_column=_json("{}"))
    notes: str = Field(default="", sa_type=Text)
    priority: int = 0
    cpus: int = 1
    gpus: int = 0
    max_retries: int = 0
    retries: int = Field(default=0, description="Automatic retries since the user last started it")
    attempt: int = Field(default=0, description="The current attempt; 0 before the first")
    resume: bool = Field(default=False, description="The next attempt continues from the last checkpoint")
    not_before: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When the back-off of a retry ends"
    )
    rerun_of: int | None = Field(default=None, description="The run that this one repeats; it may have been deleted")
    code_digest: str | None = Field(default=None, sa_type=String(64), description="Digest of the code kept at launch")
    exit_code: int | None = None
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    progress: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    metrics: dict[str, Any] = Field(
        default_factory=dict, sa_column=_json("{}"), description="The first few scalar summaries, for lists"
    )
    log_size: int = 0


class Attempt(SQLModel, table=True):
    """One start of a run's process."""

    run_id: int = _run_id(primary_key=True)
    number: int = Field(primary_key=True)
    claimed_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seconds: float | None = Field(default=None, description="How long it ran, by a monotonic clock")
    executor: str = Field(sa_type=Text, description="The executor that started it; empty for an imported run")
    handle: dict[str, Any] = Field(
        default_factory=dict, sa_column=_json("{}"), description="By which its executor finds it after a restart"
    )
    node: str = Field(default="", sa_type=Text, description="The machine whose slots it holds")
    gpus: list[int] = Field(default_factory=list, sa_column=_json("[]"), description="GPUs by their index there")
    exit_code: int | None = None
    exit_signal: int | None = None


class RunEvent(SQLModel, table=True):
    """One change of a run's status."""

    __tablename__ = "run_event"
    __table_args__ = (Index("ix_run_event_run", "run_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = _run_id()
    attempt: int
    at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    from_status: str | None = Field(default=None, sa_type=String(16))
    to_status: str = Field(sa_type=String(16))
    reason: str | None = Field(default=None, sa_type=Text)


class RunTag(SQLModel, table=True):
    """A tag of a run."""

    __tablename__ = "run_tag"
    __table_args__ = (Index("ix_run_tag_tag", "tag", "run_id"),)

    run_id: int = _run_id(primary_key=True)
    tag: str = Field(primary_key=True, sa_type=Text)


class Parameter(SQLModel, table=True):
    """A parameter of a run, as a number or as text, by which lists sort and filter.

    Rows of one name are stored together (WITHOUT ROWID, the name first), so that looking up one parameter of thousands
    of runs reads few pages.
    """

    __table_args__ = (
        Index("ix_parameter_number", "name", "number", "run_id"),
        Index("ix_parameter_text", "name", "text", "run_id"),
        # Values that are not numbers; they sort after all numbers.
        Index(
            "ix_parameter_word",
            "name",
            "text",
            "run_id",
            sqlite_where=text("number IS NULL"),
            postgresql_where=text("number IS NULL"),
        ),
        Index("ix_parameter_run", "run_id"),
        {"sqlite_with_rowid": False},
    )

    name: str = Field(primary_key=True, sa_type=Text)
    run_id: int = _run_id(primary_key=True)
    number: float | None = Field(default=None, sa_type=Float)
    text: str | None = Field(default=None, sa_type=Text)


class ScalarSummary(SQLModel, table=True):
    """The summary of a run's scalar: last, least and greatest value, and the step of the last one.

    `last` is null if it is NaN or infinite. Rows of one tag are stored together, like those of one parameter.
    """

    __tablename__ = "scalar_summary"
    __table_args__ = (
        Index("ix_scalar_summary_last", "tag", "last", "run_id"),
        Index("ix_scalar_summary_min", "tag", "min", "run_id"),
        Index("ix_scalar_summary_max", "tag", "max", "run_id"),
        Index("ix_scalar_summary_run", "run_id"),
        Index(
            "ix_scalar_summary_diverged",
            "run_id",
            sqlite_where=text("last IS NULL"),
            postgresql_where=text("last IS NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    tag: str = Field(primary_key=True, sa_type=Text)
    run_id: int = _run_id(primary_key=True)
    last: float | None = Field(default=None, sa_type=Float)
    min: float | None = Field(default=None, sa_type=Float)
    max: float | None = Field(default=None, sa_type=Float)
    step: int
    count: int


class StatusCount(SQLModel, table=True):
    """How many runs have a status; updated by triggers (`derived.py`)."""

    __tablename__ = "status_count"

    status: str = Field(primary_key=True, sa_type=String(16))
    runs: int = 0


class RunText(SQLModel, table=True):
    """The text in which words of a filter are searched: name, trainer, notes and tags; updated by triggers."""

    __tablename__ = "run_text"

    run_id: int = _run_id(primary_key=True)
    text: str = Field(sa_type=Text)


class MetricDirection(SQLModel, table=True):
    """Which way a scalar is better, as set by the user; for other scalars it is derived from the tag."""

    __tablename__ = "metric_direction"
    __table_args__ = (CheckConstraint(f"better IN {DIRECTIONS}", name="ck_metric_direction_better"),)

    tag: str = Field(primary_key=True, sa_type=Text)
    better: str = Field(sa_type=String(8))


class IdempotencyKey(SQLModel, table=True):
    """The `Idempotency-Key` of a launch. The same request with this key returns the same run."""

    __tablename__ = "idempotency_key"

    key: str = Field(primary_key=True, sa_type=Text)
    fingerprint: str = Field(sa_type=String(64))
    run_id: int = _run_id()
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
