"""A trainer as the server sees it: what it is called, what it takes, and whether given parameters fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from traindeck.trainers.parameters import InvalidParams, ParamError, not_json, param_errors, validate_params
from traindeck.trainers.trainer import Trainer

DESCRIBE_SECONDS = 60.0
"""How long a trainer that imports heavy libraries may take to say what it is."""


class InstalledTrainer(Protocol):
    """What the registry hands out for every trainer, wherever its code may be imported."""

    @property
    def name(self) -> str:
        """What `POST /runs` calls it."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def description(self) -> str:
        """One or two sentences for the launch page."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters."""

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with their values, ready for JSON; raises InvalidParams."""


@dataclass(frozen=True, slots=True)
class LightTrainer:
    """A trainer whose module imports nothing heavy: loaded in this process."""

    trainer: Trainer

    @property
    def name(self) -> str:
        """What `POST /runs` calls it."""
        return self.trainer.name

    @property
    def title(self) -> str:
        """What people call it."""
        return self.trainer.title

    @property
    def description(self) -> str:
        """One or two sentences for the launch page."""
        return self.trainer.description

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters."""
        return self.trainer.params.model_json_schema()

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with their values, ready for JSON; raises InvalidParams."""
        return validate_params(self.trainer.params, params).model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class HeavyTrainer:
    """A trainer whose module imports torch or the like: another process describes it and checks parameters.

    That process starts for each check, so a check takes as long as the trainer's imports do.
    """

    name: str
    title: str
    description: str
    json_schema: dict[str, Any]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters."""
        return self.json_schema

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters with their values, ready for JSON; raises InvalidParams."""
        try:
            answer = ask(self.name, "--validate", text=json.dumps(params))
        except (TypeError, ValueError, RecursionError) as error:
            raise not_json(error) from None
        if "errors" in answer:
            raise InvalidParams(param_errors(answer["errors"], self.json_schema.get("properties", {})))
        if "params" not in answer:
            problem = f"trainer {self.name!r} cannot be loaded: {answer['broken']}"
            raise InvalidParams([ParamError("", problem)])
        complete: dict[str, Any] = answer["params"]
        return complete


def describe_heavy(name: str) -> HeavyTrainer | str:
    """The trainer `name` as a process of its own describes it, or why it cannot be had."""
    answer = ask(name)
    if "broken" in answer:
        return str(answer["broken"])
    return HeavyTrainer(name, answer["title"], answer["description"], answer["schema"])


def ask(name: str, *options: str, text: str = "") -> dict[str, Any]:
    """The answer of `traindeck.trainers.describe`; {"broken": reason} where there is none in time."""
    command = [sys.executable, "-m", "traindeck.trainers.describe", name, *options]
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=DESCRIBE_SECONDS, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"broken": f"its import took more than {DESCRIBE_SECONDS:.0f} seconds"}
    except ValueError:
        last_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return {"broken": f"its process ended with exit code {done.returncode}: {last_line}"}
    return answer
