"""What somebody asked to be run, resolved and checked: enough to launch it again elsewhere."""

from dataclasses import dataclass, field
from typing import Any

from traindeck.runs.view import Resources

SPEC_VERSION = 1


@dataclass(frozen=True, slots=True)
class ScriptSpec:
    """A script: its source as it was when asked, the path it came from (None if it was sent), its arguments."""

    filename: str
    source: bytes
    path: str | None = None
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run to be queued: a trainer with its parameters, or a script."""

    trainer: str | None = None
    script: ScriptSpec | None = None
    params: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    priority: int = 0
    resources: Resources = field(default_factory=Resources)
    env: dict[str, str] = field(default_factory=dict)
    max_retries: int = 0

    def as_json(self) -> dict[str, Any]:
        """The content of spec.json. The source of a script lies beside it, in code/."""
        script = self.script and {
            "filename": self.script.filename,
            "path": self.script.path,
            "args": list(self.script.args),
        }
        return {
            "version": SPEC_VERSION,
            "trainer": self.trainer,
            "script": script,
            "params": self.params,
            "name": self.name,
            "tags": list(self.tags),
            "notes": self.notes,
            "priority": self.priority,
            "resources": self.resources.model_dump(),
            "env": self.env,
            "max_retries": self.max_retries,
        }
