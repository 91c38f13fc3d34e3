"""What the server asks a shim to do: one attempt, as a file in the attempt's folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ScriptOrder:
    """A script to run: where its source was kept, what it shall believe its path to be, and its arguments."""

    source: str
    file: str
    args: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt of one run.

    `mark` stands in the environment of every process of the attempt (as TRAINDECK_MARK), so that one that has
    escaped from its parents can be found. `gpus` are indices; None where the machine has none to hand out.
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
