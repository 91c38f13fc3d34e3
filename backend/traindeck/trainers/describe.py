"""What a trainer says of itself, as JSON on standard output, from a process that may import anything.

    python -m traindeck.trainers.describe NAME                        {"title", "description", "schema"}
    python -m traindeck.trainers.describe NAME --validate < params    {"params"} or {"errors": [{"loc", …}]}

A trainer that cannot be loaded answers {"broken": reason} and exit code 1. What the trainer's own imports
print goes to standard error.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import Any

from pydantic import BaseModel, ValidationError

from traindeck.trainers.entry import load_one


def main(arguments: list[str]) -> int:
    """Answer for the trainer named first in `arguments`; returns the exit code."""
    try:
        with redirect_stdout(sys.stderr):
            trainer = load_one(arguments[0])
            answer = (
                validate(trainer.params, sys.stdin.read())
                if "--validate" in arguments
                else describe(trainer.title, trainer.description, trainer.params)
            )
    except (Exception, SystemExit) as error:
        answer = {"broken": reason(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if "broken" in answer else 0


def describe(title: str, description: str, params: type[BaseModel]) -> dict[str, Any]:
    """The trainer's title, description and the JSON Schema of its parameters."""
    return {"title": title, "description": description, "schema": params.model_json_schema()}


def validate(model: type[BaseModel], params: str) -> dict[str, Any]:
    """The complete parameters for the JSON text `params`, or pydantic's errors."""
    try:
        return {"params": model.model_validate_json(params).model_dump(mode="json")}
    except ValidationError as error:
        return {"errors": json.loads(error.json(include_url=False))}


def reason(error: BaseException) -> str:
    """One line that says why a trainer is broken."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
