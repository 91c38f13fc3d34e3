"""Installed trainers: name, parameter schema and validation, without imports of packages in the server.

A package's trainer is imported by a process of its own, which runs this module and answers on standard output:

    python -m traindeck.trainers.packaged NAME                        {"title", "description", "schema"}
    python -m traindeck.trainers.packaged NAME --validate < params    {"params"} or {"errors": [{"field", "message"}]}

If the trainer cannot be loaded, the answer is {"broken": reason}, with exit code 1. All other output on standard
output, by Python or by C code, goes to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from subprocess import Popen, TimeoutExpired
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn, Protocol

from traindeck.runner import prctl
from traindeck.runner.variables import plain_environment
from traindeck.trainers.entry import load_one
from traindeck.trainers.parameters import InvalidParams, ParamError, complete_params, not_json
from traindeck.trainers.trainer import Trainer

DESCRIBE_SECONDS = 20.0
"""How long a package's trainer may take to say what it is, or whether parameters fit."""

SAID_BYTES = 4096
"""How much of the end of what a process wrote is searched for its last line."""


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
        """Return the JSON Schema of the parameters."""

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters with their values, ready for JSON; raises InvalidParams."""


@dataclass(frozen=True, slots=True)
class BuiltInTrainer:
    """A trainer of Traindeck's own, which imports nothing heavy: loaded in this process."""

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
        """Return the JSON Schema of the parameters."""
        return self.trainer.params.model_json_schema()

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters with their values, ready for JSON; raises InvalidParams."""
        return complete_params(self.trainer.params, params)


@dataclass(frozen=True, slots=True)
class PackagedTrainer:
    """A trainer that a package brings: another process imports it, describes it and checks parameters.

    Its code may take long, import torch, hang or end its process; none of that reaches the server. The process
    starts for each check, so a check takes as long as the trainer's imports do.
    """

    name: str
    title: str
    description: str
    json_schema: dict[str, Any]

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the parameters."""
        return self.json_schema

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters with their values, ready for JSON; raises InvalidParams."""
        try:
            text = json.dumps(params)
        except (TypeError, ValueError, RecursionError) as error:
            raise not_json(error) from None
        answer = ask(self.name, "--validate", text=text)
        if "errors" in answer:
            raise InvalidParams([ParamError(**error) for error in answer["errors"]])
        if "params" not in answer:
            problem = f"trainer {self.name!r} cannot be loaded: {answer['broken']}"
            raise InvalidParams([ParamError("", problem)])
        complete: dict[str, Any] = answer["params"]
        return complete


def describe_packaged(name: str) -> PackagedTrainer | str:
    """Return the trainer `name` as a process of its own describes it, or why it cannot be had."""
    answer = ask(name)
    if "broken" in answer:
        return str(answer["broken"])
    return PackagedTrainer(name, answer["title"], answer["description"], answer["schema"])


def ask(name: str, *options: str, text: str = "") -> dict[str, Any]:
    """Return the answer of `traindeck.trainers.packaged`; {"broken": reason} where there is none in time."""
    command = [sys.executable, "-m", "traindeck.trainers.packaged", name, *options]
    # Files and not pipes: what the trainer's imports start may hold a pipe open longer than the trainer lives.
    with TemporaryFile() as given, TemporaryFile() as answered, TemporaryFile() as said:
        given.write(text.encode())
        given.seek(0)
        try:
            process = Popen(
                command, stdin=given, stdout=answered, stderr=said, start_new_session=True, env=plain_environment()
            )
        except (OSError, ValueError) as error:
            return {"broken": f"its process cannot be started: {error}"}
        code = _exit_code(process)
        if code is None:
            return {"broken": f"its import took more than {DESCRIBE_SECONDS:.0f} seconds"}
        answered.seek(0)
        return _parsed(answered.read()) or {"broken": f"its process ended with {_ending(code)}: {_last_line(said)}"}


def _exit_code(process: Popen[bytes]) -> int | None:
    """Return the exit code, or None where the process took too long: then it and its children are ended."""
    try:
        return process.wait(DESCRIBE_SECONDS)
    except TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _parsed(answer: bytes) -> dict[str, Any] | None:
    try:
        parsed: dict[str, Any] = json.loads(answer)
    except ValueError:
        return None
    return parsed


def _last_line(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - SAID_BYTES))
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"


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
