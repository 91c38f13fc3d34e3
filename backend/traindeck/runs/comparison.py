"""The comparison of several runs, as `/compare` returns it, and their colors.

Every row has one value for each run, in the order of `Comparison.runs`; null if a run has none.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, computed_field

from traindeck.runs.directions import Better, best, guess
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView

COLOURS = 8
"""The number of --run-N in tokens.css, and the most runs that can be compared."""


class ComparedRun(BaseModel):
    """A column: one of the runs."""

    id: int
    name: str
    status: Status
    status_reason: str | None
    program: str = Field(description="The trainer, or the script's name", examples=["train.py"])
    tags: list[str]
    attempt: int
    rerun_of: int | None
    code_digest: str | None = Field(description="Digest of the kept code: equal for equal code")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None = Field(description="How long its current attempt has taken")


class ComparedRow(BaseModel):
    """A named fact, with its value in every run."""

    name: str
    values: list[Any]
    differs: bool


class ComparedRows(BaseModel):
    """Rows that differ, then rows that are equal, each sorted by name."""

    rows: list[ComparedRow] = []
    equal_left_out: int = Field(0, description="Equal rows that are not listed")
    more: int = Field(0, description="Rows above the limit of listed rows")


class ComparedMetric(BaseModel):
    """A scalar, with its summary in every run."""

    tag: str
    values: list[MetricView | None]
    differs: bool
    better: Better = Field(
        default_factory=lambda data: guess(data["tag"]),
        description="Which way it is better, as set by the user or derived from its name",
    )
    said: bool = Field(False, description="Whether `better` was set by PATCH /metric-directions")

    @computed_field(description="The best of the last values; null if there is none, or if all are equal")  # type: ignore[prop-decorator]
    @property
    def best(self) -> float | None:
        """Return the best of the last values."""
        return best(self.better, [value.last if value else None for value in self.values]) if self.differs else None


class ComparedMetrics(BaseModel):
    """Scalars that differ, then scalars that are equal, each sorted by tag."""

    rows: list[ComparedMetric] = []
    more: int = Field(0, description="Scalars above the limit of listed scalars")


class ComparedFile(BaseModel):
    """A file that differs between two runs."""

    path: str
    status: Literal["added", "removed", "changed"]
    diff: str | None = Field(description="A unified diff; null if the file is not text, or too long to compare")
    cut: bool = Field(False, description="The diff was cut off")


class ComparedCode(BaseModel):
    """The code of a run against that of the first."""

    run: int
    against: int
    same: bool | None = Field(description="null if one of the two has no kept code")
    files: list[ComparedFile] = []
    more: int = Field(0, description="Files above the limit of listed files")


class Comparison(BaseModel):
    """Two to eight runs; `code` has one entry for each run except the first."""

    runs: list[ComparedRun]
    params: ComparedRows
    metrics: ComparedMetrics
    script: ComparedRows = Field(description="How the program is started: kind, arguments, folder, interpreter")
    code: list[ComparedCode]
    git: ComparedRows
    packages: ComparedRows
    environment: ComparedRows = Field(description="Environment variables; secrets are masked")
    host: ComparedRows = Field(description="Machine, system, Python, torch")
    resources: ComparedRows


def run_colours(run_ids: list[int]) -> dict[int, int]:
    """Return a color for each run, by its number. No two share one; most keep theirs when others join or leave."""
    taken: dict[int, int] = {}
    for run_id in sorted(run_ids):
        wanted = range(run_id, run_id + COLOURS)
        taken[run_id] = next(
            (at % COLOURS + 1 for at in wanted if at % COLOURS + 1 not in taken.values()), run_id % COLOURS + 1
        )
    return taken
