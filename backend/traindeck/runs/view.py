"""The views of runs for the API and the pages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from traindeck.runner.program import Program
from traindeck.runner.progress import progress_of
from traindeck.runs.status import Status


class Resources(BaseModel, extra="forbid"):
    """The slots that a run requests. It waits until they are free, and holds them while it runs."""

    cpus: int = Field(1, strict=True, ge=1, le=4096, description="CPU slots; also the number of torch's threads")
    gpus: int = Field(
        0, strict=True, ge=0, le=1024, description="GPU slots; CUDA_VISIBLE_DEVICES names them to the run"
    )


class ProgressView(BaseModel):
    """The progress of a run: `step` of `total` (null if unknown), and the seconds left, if known."""

    step: int
    total: int | None = None
    unit: str = "step"
    eta_seconds: float | None = None
    label: str | None = Field(None, description="The phase of this progress, if the run names one")


def progress_view(stored: object) -> ProgressView | None:
    """Return the progress stored in a run's row, or None if it is invalid: older decks stored any report."""
    progress = progress_of(stored)
    return None if progress is None else ProgressView(**asdict(progress))


class MetricView(BaseModel):
    """The summary of a scalar. NaN and infinities are null, because JSON has neither."""

    last: float | None
    min: float | None
    max: float | None
    step: int


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
    script: Program | None
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
    start: Literal["warm", "cold"] = Field(
        "warm", description="cold: in a fresh interpreter, as requested or as its program needs; a second or two slower"
    )
    max_retries: int = 0
    not_before: datetime | None = Field(None, description="When the back-off of a retry ends")
    rerun_of: int | None = Field(None, description="The run that this one repeats")
    code_digest: str | None = Field(None, description="Digest of the kept code: equal for equal code")
    progress: ProgressView | None
    metrics: dict[str, MetricView]
    queue_position: int | None = Field(description="1 for the run that is next; null if the run does not wait")
    waiting_for: str | None = Field(description="Why a queued run has not started yet")
    log_size: int = Field(description="Bytes of the current attempt's log")
    links: dict[str, str]


class RunPage(BaseModel):
    """One page of the list of runs."""

    items: list[RunView]
    next_cursor: str | None
    total: int = Field(description="How many runs match; a lower bound if `total_exact` is false")
    total_exact: bool = Field(
        True,
        description="False if not all matching runs are counted: there are more than 10,000, or several terms "
        "would have to be looked up for very many runs",
    )


class CodeView(BaseModel):
    """The code kept at launch; its files are at `/runs/42/code`."""

    entry: str | None
    digest: str | None
    root: str | None = Field(None, description="The folder on the server's machine from which it was read")
    files: int
    bytes: int
    complete: bool = Field(description="All files of the project that can be code are kept")


class PythonView(BaseModel):
    """The interpreter."""

    version: str
    implementation: str
    executable: str
    prefix: str
    guessed: bool = Field(False, description="The first one on the command's PATH; a shell script may start another")


class TorchView(BaseModel):
    """PyTorch as installed for the interpreter."""

    version: str | None
    cuda: str | None = Field(None, description="The CUDA version that it was built for")
    hip: str | None = None


class PackageView(BaseModel):
    """An installed package."""

    name: str
    version: str
    editable: bool = False
    origin: str | None = Field(None, description="A folder, or a repository at a commit; null if from an index")


class GpuView(BaseModel):
    """A GPU of the machine; `held` if the run has it."""

    index: int
    name: str
    memory_bytes: int
    held: bool = False


class HostView(BaseModel):
    """The machine."""

    name: str
    os: str
    kernel: str
    machine: str
    cpu: str
    cpu_cores: int | None
    cpu_threads: int | None
    memory_bytes: int
    gpus: list[GpuView] = []
    gpu_driver: str | None = None


class RecordView(BaseModel):
    """What an attempt ran with. Unknown fields, such as those of runs of older decks, are null."""

    run: int
    attempt: int = Field(description="0 for a run that has not started")
    recorded_at: datetime | None
    start: Literal["warm", "cold"]
    command: str = Field(description="The command for a shell", examples=["python train.py --lr 0.1"])
    argv: list[str]
    cwd: str | None = Field(description="The folder to which relative paths refer")
    unchecked: str | None = Field(None, description="Why the options were not checked before the run was queued")
    code: CodeView | None
    git: dict[str, Any] | None = Field(description="Commit, branch, and uncommitted changes; their diff is at /diff")
    python: PythonView | None
    torch: TorchView | None
    packages: list[PackageView] | None
    environment: dict[str, str] | None = Field(description="Environment variables; the values of secrets are ***")
    host: HostView | None
