"""What a trainer is given: its folders, its writer, its checkpoints, and a way to report how far it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traindeck.runner.order import Order
from traindeck.runner.progress import ProgressFile

if TYPE_CHECKING:
    import torch
    from torch.utils.tensorboard import SummaryWriter

FLUSH_SECONDS = 1
"""How often the writer's events reach the disk: what the page shows is at most this old."""
CHECKPOINTS = "checkpoints"


class Checkpoints:
    """The `checkpoints/` of an attempt's working folder, and the checkpoint that it resumes from, if any."""

    def __init__(self, work: Path, resume_from: Path | None = None) -> None:
        self.folder = work / CHECKPOINTS
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


class RunContext:
    """One attempt of one run, as its trainer sees it.

    Attributes:
        run_id: The run's number on its deck.
        attempt: 1 for the first start of the run, one more for each retry or resume.
        work: The working folder; what is written below it is kept, listed and served.
        datasets: The folder of data sets that all runs of the deck share.
        cpus: How many CPU slots the run holds; torch's threads are already set to it.
        checkpoints: Where to save checkpoints, and the one to resume from.
    """

    def __init__(
        self,
        *,
        run_id: int,
        attempt: int,
        work: Path,
        datasets: Path,
        progress_path: Path,
        resume_from: Path | None = None,
        cpus: int = 1,
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.work = work
        self.datasets = datasets
        self.cpus = cpus
        self.checkpoints = Checkpoints(work, resume_from)
        self._progress = ProgressFile(progress_path)
        self._stop = False

    @cached_property
    def writer(self) -> SummaryWriter:
        """A `SummaryWriter` whose events the deck's charts and TensorBoard read; made at first use."""
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(log_dir=str(self.work / "logs"), flush_secs=FLUSH_SECONDS)

    @property
    def resume_from(self) -> Path | None:
        """The checkpoint that this attempt shall go on from, or None for a fresh start."""
        return self.checkpoints.resume_from

    @property
    def should_stop(self) -> bool:
        """True once the run was asked to stop: save what matters and return, before the grace period ends."""
        return self._stop

    def request_stop(self) -> None:
        """Make `should_stop` true; called by the signal handler of the process."""
        self._stop = True

    def progress(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
        """Report that `step` of `total` `unit`s are done; `label` names a phase, such as "Downloading MNIST"."""
        self._progress.report(step, total, unit, label)

    def device(self, choice: str = "auto") -> torch.device:
        """Return the device for "auto" (CUDA where there is one, else the CPU), "cpu", "cuda" or "cuda:1".

        Raises:
            RuntimeError: a CUDA device was asked for and the run has none.
        """
        import torch

        if choice == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if choice.startswith("cuda") and not torch.cuda.is_available():
            raise RuntimeError(f"device {choice!r} was asked for, but this run has no CUDA device: ask for a GPU slot")
        return torch.device(choice)

    def close(self) -> None:
        """Write what is still held back; the process calls it when the trainer has returned."""
        self._progress.flush()
        if "writer" in self.__dict__:
            self.writer.close()


def context_of(order: Order, progress_name: str = "progress.json") -> RunContext:
    """Return the context of an attempt, whose progress is written to a file in the attempt's folder."""
    return RunContext(
        run_id=order.run_id,
        attempt=order.attempt,
        work=order.work,
        datasets=Path(order.datasets),
        progress_path=order.path / progress_name,
        resume_from=Path(order.resume_from) if order.resume_from else None,
        cpus=order.cpus,
    )
