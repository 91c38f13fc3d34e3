"""What a run was started with, for TensorBoard's HParams tab."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

VALUES_LIMIT = 500
TEXT_LIMIT = 1000

Value = bool | float | str


@dataclass(frozen=True)
class Session:
    """One attempt: its parameters, and its folder, whose process.json and exit.json say when it began and ended."""

    params: Mapping[str, Value]
    folder: Path

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {"params": dict(self.params), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the session that `as_json` wrote."""
        return cls(content["params"], Path(content["folder"]))


def session_of(params: Mapping[str, Any], folder: Path) -> Session | None:
    """Return a session with the parameters as the tab can show them; None for a run that has none."""
    shown = {name: value for name, raw in params.items() if (value := _shown(raw)) is not None}
    return Session(dict(list(shown.items())[:VALUES_LIMIT]), folder) if shown else None


def _shown(value: Any) -> Value | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        number = float(value) if abs(value) < 2**1023 else math.inf
        return number if math.isfinite(number) else str(value)
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:TEXT_LIMIT]
