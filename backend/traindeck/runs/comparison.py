"""Several runs beside each other: what `/compare` answers, as JSON and as a page.

Every row has one value for each run, in the order of `Comparison.runs`; null where a run has none.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, computed_field

from traindeck.runs.directions import Better, best, guess
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView


class ComparedRun(BaseModel):
    """A column: one of the runs."""

    id: int
    name: str
    status: Status
    status_reason: str | None
    program: str = Field(description="The trainer, or the script as it is called", examples=["train.py"])
    tags: list[str]
    attempt: int
    rerun_of: int | None
    code_digest: str | None = Field(description="Of its code as it was kept: equal for equal code")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None = Field(description="How long its current attempt took, or has taken until now")


class ComparedRow(BaseModel):
    """One thing by name, with its value in every run."""

    name: str
    values: list[Any]
    differs: bool


class ComparedRows(BaseModel):
    """Rows that differ first, each kind by name."""

    rows: list[ComparedRow] = []
    equal_left_out: int = Field(0, description="Rows in which all runs agree, and which are not listed")
    more: int = Field(0, description="Rows beyond what is listed at most")


class ComparedMetric(BaseModel):
    """One scalar, with what it has come to in every run."""

    tag: str
    values: list[MetricView | None]
    differs: bool
    better: Better = Field(
        default_factory=lambda data: guess(data["tag"]),
        description="Which way it is better, as was said or as its name tells",
    )
    said: bool = Field(False, description="Whether `better` was set by PATCH /metric-directions")

    @computed_field(description="The best of the last values; null where none is, or where all are the same")  # type: ignore[prop-decorator]
    @property
    def best(self) -> float | None:
        """The best of the last values."""
        return best(self.better, [value.last if value else None for value in self.values]) if self.differs else None


class ComparedMetrics(BaseModel):
    """Scalars that differ first, each kind by tag."""

    rows: list[ComparedMetric] = []
    more: int = Field(0, description="Scalars beyond what is listed at most")


class ComparedFile(BaseModel):
    """A file that is not the same in two runs."""

    path: str
    status: Literal["added", "removed", "changed"]
    diff: str | None = Field(description="As a unified diff; null where it is no text, or beyond what is compared")
    cut: bool = Field(False, description="The diff goes on")


class ComparedCode(BaseModel):
    """The code of a run against that of the first."""

    run: int
    against: int
    same: bool | None = Field(description="null where one of the two has kept no code")
    files: list[ComparedFile] = []
    more: int = Field(0, description="Files beyond what is listed at most")


class Comparison(BaseModel):
    """Two to eight runs: `code` has one entry for each but the first."""

    runs: list[ComparedRun]
    params: ComparedRows
    metrics: ComparedMetrics
    script: ComparedRows = Field(description="How the program is started: kind, arguments, folder, interpreter")
    code: list[ComparedCode]
    git: ComparedRows
    packages: ComparedRows
    environment: ComparedRows = Field(description="Variables; secrets are masked")
    host: ComparedRows = Field(description="Machine, system, Python, torch")
    resources: ComparedRows
