"""What somebody asked to be run, resolved and checked: enough to launch it again elsewhere."""

from dataclasses import dataclass, field, fields
from typing import Any

from traindeck.runs.view import Resources, ScriptKind
from traindeck.sources.tree import CodeTree

SPEC_VERSION = 2


@dataclass(frozen=True, slots=True)
class ScriptSpec:
    """A program of the user's, as it was when asked; what each part means says `ScriptView`."""

    kind: ScriptKind
    filename: str
    path: str | None = None
    module: str | None = None
    command: tuple[str, ...] = ()
    cwd: str | None = None
    args: tuple[str, ...] = ()
    python: str | None = None
    cold: bool = False
    resume_arg: str | None = None
    unchecked: str | None = None
    code: CodeTree | None = None

    def as_json(self) -> dict[str, Any]:
        """What the database and spec.json keep: all but the code, which lies in code/."""
        content = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "code"}
        return {**content, "kind": self.kind.value, "command": list(self.command), "args": list(self.args)}


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
    rerun_of: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The content of spec.json. The code of a script lies beside it, in code/ and code.json."""
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
