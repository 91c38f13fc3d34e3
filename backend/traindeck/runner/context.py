"""What a trainer is given: its folders, its writer, and a way to tell how far it is. Nothing of the server's."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from traindeck.runner.checkpoints import Checkpoints
from traindeck.runner.progress import ProgressFile

if TYPE_CHECKING:
    import torch
    from torch.utils.tensorboard import SummaryWriter

FLUSH_SECONDS = 1
"""How often the writer's events reach the disk: what the page shows is at most this old."""


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
        """True once somebody asked the run to stop: save what matters and return, before the grace ends."""
        return self._stop

    def request_stop(self) -> None:
        """Make `should_stop` true; called by the signal handler of the process."""
        self._stop = True

    def progress(self, step: int, total: int | None = None, unit: str = "step", label: str | None = None) -> None:
        """Tell that `step` of `total` `unit`s are done; `label` names a phase, such as "Downloading MNIST"."""
        self._progress.report(step, total, unit, label)

    def device(self, choice: str = "auto") -> torch.device:
        """The device for "auto" (CUDA where there is one, else the CPU), "cpu", "cuda" or "cuda:1".

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
