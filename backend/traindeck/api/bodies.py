"""What requests carry."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from traindeck.runs.view import Resources

Text = Annotated[str, StringConstraints(max_length=10_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]
Value = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Tags = Annotated[list[Tag], Field(max_length=50)]
Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000, description="Higher starts first")]


class ScriptBody(BaseModel):
    """A script: a path on the server's machine, or its source."""

    model_config = ConfigDict(extra="forbid")

    path: str | None = Field(None, max_length=4096, description="A file on the server's machine", examples=["train.py"])
    source: str | None = Field(None, max_length=1_000_000, description="The script itself")
    filename: str | None = Field(None, max_length=200, description="What the source is called; default script.py")
    args: list[Argument] = Field([], max_length=1000, description="Its arguments", examples=[["--lr", "0.1"]])

    @model_validator(mode="after")
    def _one_source(self) -> "ScriptBody":
        if (self.path is None) == (self.source is None):
            raise ValueError("give either path or source")
        if self.filename is not None and self.source is None:
            raise ValueError("filename goes with source; a path has a name already")
        return self


class LaunchBody(BaseModel):
    """A run to queue: a trainer with its parameters, or a script."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"trainer": "mnist", "params": {"epochs": 3, "lr": 0.001}},
                {"script": {"path": "/home/me/train.py", "args": ["--lr", "0.1"]}, "tags": ["baseline"]},
            ]
        },
    )

    trainer: str | None = Field(None, max_length=200, description="The name of an installed trainer")
    params: dict[str, Any] = Field({}, description="The trainer's parameters; what is left out has its default")
    script: ScriptBody | None = None
    name: Name | None = Field(None, description="What to call the run; if left out it gets a name")
    tags: Tags = []
    notes: Text = ""
    priority: Priority = 0
    resources: Resources = Resources(cpus=1, gpus=0)
    env: dict[VariableName, Value] = Field({}, max_length=200, description="Environment variables")
    max_retries: int = Field(0, ge=0, le=100, description="New attempts that a failure leads to by itself")

    @model_validator(mode="after")
    def _one_program(self) -> "LaunchBody":
        if (self.trainer is None) == (self.script is None):
            raise ValueError("give either a trainer or a script")
        if self.script is not None and self.params:
            raise ValueError("params go with a trainer; give a script its args")
        return self


class EditBody(BaseModel):
    """What to change of a run; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "baseline", "tags": ["good"]}]})

    name: Name | None = None
    tags: Tags | None = None
    notes: Text | None = None
    priority: Priority | None = None


def known_fields(body: type[BaseModel], location: Sequence[str]) -> list[str]:
    """The names that may stand at a place of a body: () is its top."""
    models: dict[str, type[BaseModel]] = {"resources": Resources, "script": ScriptBody}
    return list((models.get(location[0], body) if location else body).model_fields)
