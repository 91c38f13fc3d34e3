"""What a trainer says of itself, as JSON on standard output, from a process that may import anything.

    python -m traindeck.trainers.describe NAME                        {"title", "description", "schema"}
    python -m traindeck.trainers.describe NAME --validate < params    {"params"} or {"errors": [{"field", "message"}]}

A trainer that cannot be loaded answers {"broken": reason} and exit code 1. Whatever else is written to standard
output, by Python or by C code, goes to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any, NoReturn

from traindeck.runner import prctl
from traindeck.trainers.entry import load_one
from traindeck.trainers.parameters import InvalidParams, complete_params
from traindeck.trainers.trainer import Trainer


def main(arguments: list[str]) -> NoReturn:
    """Answer for the trainer named first in `arguments`, and end the process."""
    prctl.signal_with_parent(signal.SIGKILL)
    answers = os.dup(1)
    os.dup2(2, 1)
    code = 0
    try:
        text = _as_text(_answer(*arguments))
    except BaseException as error:
        text, code = _as_text({"broken": reason(error)}), 1
    with open(answers, "wb") as file:  # noqa: PTH123 (a descriptor)
        file.write(text)
    sys.stderr.flush()
    # Threads that the trainer's imports left behind would hold up an ordinary end, perhaps for ever.
    os._exit(code)


def _answer(name: str, option: str = "") -> dict[str, Any]:
    trainer = load_one(name)
    return validate(trainer, sys.stdin.read()) if option == "--validate" else describe(trainer)


def describe(trainer: Trainer) -> dict[str, Any]:
    """Return the trainer's title, description and the JSON Schema of its parameters."""
    return {
        "title": trainer.title,
        "description": trainer.description,
        "schema": trainer.params.model_json_schema(),
    }


def validate(trainer: Trainer, params: str) -> dict[str, Any]:
    """Return the complete parameters for the JSON text `params`, or what is wrong with them."""
    try:
        return {"params": complete_params(trainer.params, json.loads(params))}
    except InvalidParams as refusal:
        return {"errors": [asdict(error) for error in refusal.errors]}


def reason(error: BaseException) -> str:
    """Return one line that says why a trainer is broken."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _as_text(answer: dict[str, Any]) -> bytes:
    # As strict as the server is with what it sends on: no NaN, no half of a surrogate pair.
    errors = "replace" if "broken" in answer or "errors" in answer else "strict"
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode(errors=errors)


if __name__ == "__main__":
    main(sys.argv[1:])
