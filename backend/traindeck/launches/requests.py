"""The bodies of requests for launches: fields with their bounds."""

from functools import partial
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from traindeck.runs.view import Resources
from traindeck.wording import few_unknown

Text = Annotated[str, StringConstraints(max_length=10_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]
Value = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]
PathText = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
WAYS_IN = ("path", "source", "module", "command", "upload")
Tags = Annotated[list[Tag], Field(max_length=50)]
Priority = Annotated[int, Field(strict=True, ge=-1_000_000, le=1_000_000, description="Higher starts first")]


MAX_VARIABLES = 200


class Body(BaseModel):
    """A body of a request, without unknown fields. Only the first unknown fields are examined."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _few_unknown(cls, value: Any) -> Any:
        return _few_unknown_fields(cls, value)


def _few_unknown_fields(model: type[BaseModel], value: Any) -> Any:
    if not isinstance(value, dict) or len(value) <= len(model.model_fields):
        return value
    return few_unknown(value, {field.alias or name for name, field in model.model_fields.items()})


def few_variables(value: Any) -> Any:
    """Drop all variables after one too many, because pydantic would list each wrong one."""
    return dict(islice(value.items(), MAX_VARIABLES + 1)) if isinstance(value, dict) else value


class ScriptBody(Body):
    """A program of the user: a file, its source, a module, a command, or an earlier upload."""

    path: PathText | None = Field(None, description="A file on the server's machine", examples=["train.py"])
    source: str | None = Field(None, max_length=1_000_000, description="The script itself")
    filename: str | None = Field(None, max_length=200, description="What the source is called; default script.py")
    module: str | None = Field(
        None,
        max_length=500,
        pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)*$",
        description="A module, started in cwd as by `python -m`",
        examples=["package.train"],
    )
    command: list[Argument] | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="A program and its arguments; no shell reads them",
        examples=[["torchrun", "--nproc-per-node=2", "train.py"]],
    )
    upload: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="What POST /uploads answered")
    entry: PathText | None = Field(None, description="Which file of an upload to start, if there are several")
    args: list[Argument] = Field([], max_length=1000, description="Its arguments", examples=[["--lr", "0.1"]])
    cwd: PathText | None = Field(
        None, description="The folder that relative paths are meant from; default the script's"
    )
    python: PathText | None = Field(
        None,
        description="Another interpreter, or the folder of its virtual environment; it starts cold",
        examples=["/home/me/project/.venv/bin/python"],
    )
    cold: bool = Field(False, description="Start a fresh interpreter, a second or two slower")
    resume_arg: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[^\s\x00]+$",
        description="The option by which the script takes a checkpoint to go on from",
        examples=["--resume", "ckpt_path="],
    )

    @model_validator(mode="after")
    def _one_program(self) -> "ScriptBody":
        ways = {name: getattr(self, name) for name in WAYS_IN}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            found = f", not {' and '.join(given)}" if given else ""
            raise ValueError(f"give one of {', '.join(WAYS_IN)}{found}")
        for name, goes_with in (("filename", "source"), ("entry", "upload")):
            if getattr(self, name) is not None and given != [goes_with]:
                raise ValueError(f"{name} goes with {goes_with}, not with {given[0]}")
        if self.module is not None and self.cwd is None:
            raise ValueError("a module needs cwd, the folder that it is found from")
        if self.command is not None and (self.args or self.python):
            raise ValueError("a command is a program with its arguments already: leave out args and python")
        return self


class LaunchBody(Body):
    """A run to queue: a trainer with its parameters, or a script."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"trainer": "mnist", "params": {"epochs": 3, "lr": 0.001}},
                {"script": {"path": "/home/me/train.py", "args": ["--lr", "0.1"]}, "tags": ["baseline"]},
            ]
        },
    )

    trainer: str | None = Field(None, max_length=200, description="The name of an installed trainer")
    params: dict[str, Any] = Field(
        {},
        description="Parameters of the trainer, or options that the script declares; what is left out has its default",
    )
    script: ScriptBody | None = None
    name: Name | None = Field(None, description="What to call the run; if left out it gets a name")
    tags: Tags = []
    notes: Text = ""
    priority: Priority = 0
    resources: Annotated[Resources, BeforeValidator(partial(_few_unknown_fields, Resources))] = Resources(
        cpus=1, gpus=0
    )
    env: Annotated[dict[VariableName, Value], BeforeValidator(few_variables)] = Field(
        {}, max_length=MAX_VARIABLES, description="Environment variables"
    )
    max_retries: int = Field(0, strict=True, ge=0, le=100, description="New attempts after a failure")

    @model_validator(mode="after")
    def _one_program(self) -> "LaunchBody":
        if (self.trainer is None) == (self.script is None):
            raise ValueError("give either a trainer or a script")
        return self


class RerunResources(Body):
    """The resources to change; omitted ones stay."""

    cpus: int | None = Field(None, strict=True, ge=1, le=4096)
    gpus: int | None = Field(None, strict=True, ge=0, le=1024)


class RerunBody(Body):
    """The changes of a repeated run; omitted fields, and null, stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"params": {"lr": 0.2}}]})

    params: dict[str, Any] | None = Field(None, description="Parameters with other values; the others stay")
    args: list[Argument] | None = Field(None, max_length=1000, description="All arguments of the script")
    name: Name | None = None
    tags: Tags | None = None
    notes: Text | None = None
    priority: Priority | None = None
    resources: RerunResources | None = None
    env: Annotated[dict[VariableName, Value | None] | None, BeforeValidator(few_variables)] = Field(
        None, max_length=MAX_VARIABLES, description="Variables that are added or changed; null takes one away"
    )
    max_retries: int | None = Field(None, strict=True, ge=0, le=100)
    resume_arg: str | None = Field(
        None, max_length=200, pattern=r"^[^\s\x00]+$", description="The option by which the script takes a checkpoint"
    )
