"""What the server asks a shim to do: one attempt, as a file in the attempt's folder."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from traindeck.runner.outside import open_file
from traindeck.runner.program import Program

WARM = "warm"
COLD = "cold"
"""Whether a program is forked from a process that has imported torch, or executed afresh."""

READ_AT_START = (
    "PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_",
    "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH", "PYTORCH_",
)  # fmt: skip
"""Beginnings of names of variables that an interpreter, or a library, looks at only while it starts."""


@dataclass(frozen=True)
class ScriptOrder:
    """A program of the user's to run, and where its files are.

    Attributes:
        program: What is started; the checkpoint that it resumes from is among its arguments.
        source: The file that is compiled, for a file: where its content was kept, or the file itself.
        file: What a file shall believe its path to be.
        path0: What stands first in `sys.path`.
        code: The folder of the code that was kept at launch, if any.
        root: The folder that this code was read from; None where it was sent.
        edited: True where the files in `root` are not, or not any more, those that were kept: then the kept ones count.
    """

    program: Program
    source: str = ""
    file: str = ""
    path0: str = ""
    code: str | None = None
    root: str | None = None
    edited: bool = False


@dataclass(frozen=True)
class Order:
    """One attempt of one run.

    `mark` stands in the environment of every process of the attempt (as TRAINDECK_MARK), so that one that has
    escaped from its parents can be found. `gpus` are indices; None where the machine has none to hand out. What is
    copied into the working folder leaves `disk_reserve_bytes` free.
    """

    run_id: int
    attempt: int
    mark: str
    folder: str
    datasets: str
    grace_seconds: float
    cpus: int = 1
    gpus: list[int] | None = None
    env: dict[str, str] = field(default_factory=dict)
    trainer: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    script: ScriptOrder | None = None
    resume_from: str | None = None
    disk_reserve_bytes: int = 0

    @property
    def path(self) -> Path:
        """The folder of the attempt."""
        return Path(self.folder)

    @property
    def work(self) -> Path:
        """The working folder of the process."""
        return self.path / "work"

    @property
    def log(self) -> Path:
        """Where stdout and stderr go."""
        return self.path / "output.log"

    def as_json(self) -> dict[str, Any]:
        """Return the content of order.json."""
        return asdict(self)


def read_order(path: Path) -> Order:
    """Return the order in a file.

    Raises:
        OSError, ValueError, TypeError: there is none, or it is not one.
    """
    file = open_file(path)
    if file is None:
        raise FileNotFoundError(errno.ENOENT, "There is no order", str(path))
    with file:
        content = json.load(file)
    script = content.pop("script", None)
    return Order(**content, script=_read_script(script) if script else None)


def _read_script(content: dict[str, Any]) -> ScriptOrder:
    program = content.pop("program", None)
    if program is not None:
        return ScriptOrder(program=Program.from_json(program), **content)
    # An order of an earlier release: the program's fields stand among the others, two of them in other words.
    kind = "path" if content["kind"] == "file" else content["kind"]
    flat = {**content, "kind": kind, "cwd": content.get("base"), "filename": Path(content["file"]).name}
    placed = {one.name: content[one.name] for one in fields(ScriptOrder) if one.name in content}
    given = {name: value for name, value in flat.items() if value}
    return ScriptOrder(program=Program.from_json(given), **placed)


def start_of(order: Order, *, warm: bool) -> str:
    """Return how the program of an order is started by a shim that is `warm` (forked from the forkserver) or not.

    A run that sets a variable which a warm process has read already could not have its effect: it starts cold.
    """
    if not warm:
        return COLD
    if order.script is None:
        return WARM
    afresh = order.script.program.starts_cold or any(name.startswith(READ_AT_START) for name in order.env)
    return COLD if afresh else WARM
