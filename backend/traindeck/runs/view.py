"""A run as the API and the pages show it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from traindeck.runs.status import Status


class Resources(BaseModel, extra="forbid"):
    """What a run asks for: it waits until so many slots are free, and holds them while it runs."""

    cpus: int = Field(1, ge=1, le=4096, description="CPU slots; also the number of torch's threads")
    gpus: int = Field(0, ge=0, le=1024, description="GPU slots; CUDA_VISIBLE_DEVICES names them to the run")


class ProgressView(BaseModel):
    """How far a run is: `step` of `total` (null where unknown), and the seconds that are left, if known."""

    step: int
    total: int | None = None
    unit: str = "step"
    eta_seconds: float | None = None
    label: str | None = Field(None, description="The phase that this progress is of, where the run names one")


class MetricView(BaseModel):
    """What one scalar has come to. NaN and the infinities are null, as JSON has none."""

    last: float | None
    min: float | None
    max: float | None
    step: int


class ScriptView(BaseModel):
    """The script of a run: where it came from, and its arguments."""

    path: str | None = Field(None, description="Where it lay on the server's machine, if it came from there")
    filename: str
    args: list[str] = []


class HistoryEntry(BaseModel):
    """One change of a run's status."""

    at: datetime
    attempt: int
    from_status: Status | None
    to_status: Status
    reason: str | None = None


class RunView(BaseModel):
    """One run. Times are RFC 3339 in UTC."""

    id: int
    name: str
    status: Status
    status_reason: str | None
    trainer: str | None
    script: ScriptView | None
    params: dict[str, Any]
    tags: list[str]
    notes: str
    priority: int
    resources: Resources
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    exit_code: int | None
    progress: ProgressView | None
    metrics: dict[str, MetricView]
    queue_position: int | None = Field(description="1 for the run that is next, null where it does not wait")
    waiting_for: str | None = Field(description="Why a queued run has not started yet")
    log_size: int = Field(description="Bytes of the current attempt's log")
    links: dict[str, str]


class RunPage(BaseModel):
    """One page of the list of runs."""

    items: list[RunView]
    next_cursor: str | None
    total: int
