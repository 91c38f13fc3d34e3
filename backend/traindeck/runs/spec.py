"""What somebody asked to be run, resolved and checked: enough to launch it again elsewhere."""

from dataclasses import dataclass, field
from typing import Any

from traindeck.runner.program import Program
from traindeck.runs.view import Resources
from traindeck.sources.tree import CodeTree

SPEC_VERSION = 2


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run to be queued: a trainer with its parameters, or a script with the code that was kept for it."""

    trainer: str | None = None
    script: Program | None = None
    code: CodeTree | None = None
    params: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    priority: int = 0
    resources: Resources = field(default_factory=Resources)
    env: dict[str, str] = field(default_factory=dict)
    max_retries: int = 0
    rerun_of: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the content of spec.json. The code of a script is beside it, in code/ and code.json."""
        return {
            "version": SPEC_VERSION,
            "trainer": self.trainer,
            "script": self.script.as_json() if self.script else None,
            "params": self.params,
            "name": self.name,
            "tags": list(self.tags),
            "notes": self.notes,
            "priority": self.priority,
            "resources": self.resources.model_dump(),
            "env": self.env,
            "max_retries": self.max_retries,
            "rerun_of": self.rerun_of,
        }
