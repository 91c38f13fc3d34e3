"""The slots of the deck, and which run holds which."""

from collections.abc import Container
from dataclasses import dataclass

from traindeck.runs.queue import Capacity


@dataclass(frozen=True, slots=True)
class Hold:
    """What one run holds: a number of CPU slots, and GPUs by index."""

    cpus: int
    gpus: tuple[int, ...]


class Slots:
    """Hands out CPU slots and GPUs. Changed by the dispatcher's thread only; `capacity` may be read from any."""

    def __init__(self, cpus: int, gpus: tuple[int, ...]) -> None:
        self.cpus = cpus
        self.gpus = gpus
        self._holds: dict[int, Hold] = {}
        self._capacity = self._count()

    @property
    def capacity(self) -> Capacity:
        """How much there is, and how much of it is free."""
        return self._capacity

    def take(self, run_id: int, cpus: int, gpus: int) -> Hold:
        """Give a run its slots: the free GPUs of lowest index. The caller has checked that they are free."""
        return self.hold(run_id, Hold(cpus, tuple(self._free_gpus()[:gpus])))

    def hold(self, run_id: int, hold: Hold) -> Hold:
        """Note what a run that is found again after a restart holds already."""
        self._holds[run_id] = hold
        self._capacity = self._count()
        return hold

    def release(self, run_id: int) -> None:
        """Take back what a run holds, if anything."""
        self._holds.pop(run_id, None)
        self._capacity = self._count()

    def release_all_but(self, run_ids: Container[int]) -> None:
        """Take back what every other run holds."""
        for run_id in [held for held in self._holds if held not in run_ids]:
            self.release(run_id)

    def _free_gpus(self) -> list[int]:
        taken = {gpu for hold in self._holds.values() for gpu in hold.gpus}
        return [gpu for gpu in self.gpus if gpu not in taken]

    def _count(self) -> Capacity:
        used = sum(hold.cpus for hold in self._holds.values())
        return Capacity(self.cpus, len(self.gpus), max(self.cpus - used, 0), len(self._free_gpus()))
