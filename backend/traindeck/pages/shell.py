"""The frame around every page: its title, its menu entry, and the state of the deck."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

PIPS_LIMIT = 16

chosen_theme: ContextVar[str] = ContextVar("chosen_theme", default="")
"""The theme that the reader of the page chose, "light" or "dark"; empty for the system's. Set for each request."""


@dataclass(frozen=True, slots=True)
class SlotMeter:
    """How many slots of one kind are in use, and how many there are."""

    label: str
    used: int
    total: int

    @property
    def pips(self) -> list[bool]:
        """Return a mark for each slot, True if it is in use; more than `PIPS_LIMIT` slots are scaled down."""
        shown = min(self.total, PIPS_LIMIT)
        in_use = ceil(self.used * shown / self.total) if self.total else 0
        return [place < in_use for place in range(shown)]


@dataclass(frozen=True, slots=True)
class DeckState:
    """The deck at the time of rendering; `counts` has the number of runs of each status that occurs."""

    cpus_used: int
    cpus_total: int
    gpus_used: int = 0
    gpus_total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    version: str = ""

    @property
    def slots(self) -> list[SlotMeter]:
        """Return the meters to show. A machine without GPUs has no GPU meter."""
        meters = [SlotMeter("CPU", self.cpus_used, self.cpus_total)]
        if self.gpus_total:
            meters.append(SlotMeter("GPU", self.gpus_used, self.gpus_total))
        return meters


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page: its title, the current entry of the menu, the deck's meters."""

    title: str
    section: str
    deck: DeckState | None = None
    events: str | None = None
    """The address of the event stream that updates the page, if it is live."""
    now: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    """The server's time, from which the page counts durations."""
    theme: str = field(default_factory=chosen_theme.get)
    """Part of the page, as a script that asks the browser's storage for it would delay the first paint."""
