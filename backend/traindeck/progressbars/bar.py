"""One progress bar as it stands, and the amounts and times that are written in one."""

import re
from dataclasses import dataclass

SUFFIXES: dict[str, int] = {suffix: 10 ** (3 * power) for power, suffix in enumerate("kMGTPEZY", 1)} | {"K": 1000}
AMOUNT = r"\d{1,18}(?:\.\d{1,9})?[kKMGTPEZY]?"
CLOCK = r"(?:\d{1,6}d )?(?:\d{1,6}:)?\d{1,6}:\d\d"
RATE = re.compile(rf"({AMOUNT}|\?)\s*([^\s/\d][^/]*?)?/s$")
PACE = re.compile(rf"({AMOUNT})s/(.+)$")

BYTE_UNITS = ("B", "iB", "b", "bytes", "byte")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: `step` of `total` (None where it does not say), seconds that have passed and that are left.

    Attributes:
        kind: Which program drew it: "tqdm", "rich" or "keras".
        seconds_each: How long one step takes, by the bar's own rate.
    """

    kind: str
    step: int
    total: int | None
    unit: str = "it"
    label: str | None = None
    elapsed: float | None = None
    left: float | None = None
    seconds_each: float | None = None

    @property
    def is_finished(self) -> bool:
        """True where nothing is left to do."""
        return self.total is not None and self.step >= self.total

    @property
    def share(self) -> float | None:
        """Which part is done, from 0 to 1."""
        return min(self.step / self.total, 1.0) if self.total else None


def amount(text: str) -> int:
    """ "1.2k" as 1200."""
    return round(_exact(text))


def seconds(text: str) -> float | None:
    """ "1:02:03" in seconds; None for "?"."""
    days, _, clock = text.rpartition("d ")
    total = int(days) * 86_400 if days else 0
    try:
        parts = [int(part) for part in clock.strip().split(":")]
    except ValueError:
        return None
    for place, part in enumerate(reversed(parts)):
        total += part * 60**place
    return float(total)


def pace(text: str) -> tuple[str | None, float | None]:
    """Return the unit and the seconds for each in a rate: "45.3it/s", "1.2s/it", "3.4MB/s", "?img/s"."""
    text = text.strip()
    if found := PACE.match(text):
        return found[2].strip(), float(amount(found[1])) if found[1][-1].isalpha() else float(found[1])
    if found := RATE.match(text):
        number = found[1]
        each = None if number == "?" or not float(number.rstrip("kKMGTPEZY")) else 1 / max(_exact(number), 1e-9)
        return (found[2] or "").strip() or None, each
    return None, None


def _exact(text: str) -> float:
    factor = SUFFIXES.get(text[-1:], 1)
    return float(text if factor == 1 else text[:-1]) * factor


def unit_of(unit: str | None) -> str:
    """Units of bytes under one name."""
    return "B" if unit in BYTE_UNITS else unit or "it"
