"""What the server asks a shim to do: one attempt, as a file in the attempt's folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ScriptOrder:
    """A program of the user's to run.

    Attributes:
        kind: "file" for `python FILE`, "module" for `python -m MODULE`, "command" for any program.
        source: The file that is compiled, for a file: where its content was kept, or the file itself.
        file: What a file shall believe its path to be.
        module: The module's full name.
        command: A program and its arguments.
        args: What follows a file or a module.
        path0: What stands first in `sys.path`.
        base: The folder that relative paths are meant from, mirrored into the working folder; None for none.
        code: The folder of the code that was kept at launch, if any.
        root: The folder that this code was read from; None where it was sent.
        edited: True where the files in `root` are not, or not any more, those that were kept: then the kept ones count.
        python: The interpreter to start; None for the deck's own.
        cold: True for a fresh interpreter, although a warm one could be forked.
    """

    kind: str = "file"
    source: str = ""
    file: str = ""
    module: str = ""
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    path0: str = ""
    base: str | None = None
    code: str | None = None
    root: str | None = None
    edited: bool = False
    python: str | None = None
    cold: bool = False

    @property
    def starts_cold(self) -> bool:
        """True where the program is executed afresh, not forked from a process that has imported torch."""
        return self.cold or self.python is not None or self.kind == "command"


@dataclass(frozen=True, slots=True)
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
        """The content of order.json."""
        return asdict(self)


def read_order(path: Path) -> Order:
    """The order in a file.

    Raises:
        OSError, ValueError, TypeError: there is none, or it is not one.
    """
    content = json.loads(path.read_bytes())
    script = content.pop("script", None)
    return Order(**content, script=ScriptOrder(**script) if script else None)
