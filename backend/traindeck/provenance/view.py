"""What an attempt ran with, as the API shows it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class CodeView(BaseModel):
    """The code that was kept at launch; the files are at `/runs/42/code`."""

    entry: str | None
    digest: str | None
    root: str | None = Field(None, description="The folder on the server's machine that it was read from")
    files: int
    bytes: int
    complete: bool = Field(description="Everything of the project that can be code is kept")


class PythonView(BaseModel):
    """The interpreter."""

    version: str
    implementation: str
    executable: str
    prefix: str
    guessed: bool = Field(False, description="The first of the command's PATH: what a shell script starts is not seen")


class TorchView(BaseModel):
    """PyTorch as it is installed for the interpreter."""

    version: str | None
    cuda: str | None = Field(None, description="The CUDA version that it was built with")
    hip: str | None = None


class PackageView(BaseModel):
    """An installed package."""

    name: str
    version: str
    editable: bool = False
    origin: str | None = Field(None, description="A folder, or a repository at a commit; null for an index")


class GpuView(BaseModel):
    """A GPU of the machine; `held` by the run."""

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
    """What an attempt ran with. What is not known, of runs of older decks for example, is null."""

    run: int
    attempt: int = Field(description="0 for a run that has not started")
    recorded_at: datetime | None
    start: Literal["warm", "cold"]
    command: str = Field(description="As a shell would be given it", examples=["python train.py --lr 0.1"])
    argv: list[str]
    cwd: str | None = Field(description="The folder that relative paths are meant from")
    unchecked: str | None = Field(None, description="Why the options were not checked before it was queued, if so")
    code: CodeView | None
    git: dict[str, Any] | None = Field(description="Commit, branch, and what was not committed; its diff is at /diff")
    python: PythonView | None
    torch: TorchView | None
    packages: list[PackageView] | None
    environment: dict[str, str] | None = Field(description="Variables; of secrets, only that they were set: ***")
    host: HostView | None
