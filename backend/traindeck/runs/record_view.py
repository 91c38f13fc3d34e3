"""The record of what an attempt ran with, as the API shows it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


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
