"""Checkpoints of one attempt: written whole or not at all, and found again by the next attempt."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "checkpoints"


class Checkpoints:
    """The `checkpoints/` of an attempt's working folder, and the checkpoint that it resumes from, if any."""

    def __init__(self, work: Path, resume_from: Path | None = None) -> None:
        self.folder = work / FOLDER
        self.resume_from = resume_from

    def save(self, state: Mapping[str, Any], name: str = "last.pt") -> Path:
        """Write `state` with `torch.save` to `checkpoints/<name>`; a crash leaves the old file or the new one."""
        import torch

        self.folder.mkdir(exist_ok=True)
        target = self.folder / name
        partial = self.folder / f".{name}.partial"
        with partial.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
        return target
