"""What every page's header says about the deck."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

PIPS_LIMIT = 16


@dataclass(frozen=True, slots=True)
class Slots:
    """How many slots of one kind are held, of how many."""

    label: str
    used: int
    total: int

    @property
    def pips(self) -> list[bool]:
        """A mark for each slot, True where it is taken; a large machine's are scaled down to `PIPS_LIMIT`."""
        shown = min(self.total, PIPS_LIMIT)
        taken = ceil(self.used * shown / self.total) if self.total else 0
        return [place < taken for place in range(shown)]


@dataclass(frozen=True, slots=True)
class DeckState:
    """The deck at the moment of rendering; `counts` has the number of runs for each status that occurs."""

    cpus_used: int
    cpus_total: int
    gpus_used: int = 0
    gpus_total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    version: str = ""

    @property
    def slots(self) -> list[Slots]:
        """The meters to show: a machine without GPUs has no GPU meter."""
        meters = [Slots("CPU", self.cpus_used, self.cpus_total)]
        if self.gpus_total:
            meters.append(Slots("GPU", self.gpus_used, self.gpus_total))
        return meters


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands around a page: its title, which entry of the menu is current, the deck's meters."""

    title: str
    section: str
    deck: DeckState | None = None
    events: str | None = None
    """The address of the event stream that keeps the page current, if it is live."""
    now: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    """The server's clock, by which the page counts durations."""
