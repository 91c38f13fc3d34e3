"""Recognize the bars of tqdm (also in Lightning and Hugging Face), Rich and Keras in a row of a terminal.

The program decides the content of a row, so each pattern takes at most linear time: it matches the part of a bar that
has a bounded length, and the text around it is cut by position. `tests/progressbars/test_output.py` checks this.
"""

import re
from dataclasses import dataclass

SUFFIXES: dict[str, int] = {suffix: 10 ** (3 * power) for power, suffix in enumerate("kMGTPEZY", 1)} | {"K": 1000}
AMOUNT = r"\d{1,18}(?:\.\d{1,9})?[kKMGTPEZY]?"
CLOCK = r"(?:\d{1,6}d )?(?:\d{1,6}:)?\d{1,6}:\d\d"
RATE = re.compile(rf"({AMOUNT}|\?)\s*([^\s/\d][^/]*?)?/s$")
PACE = re.compile(rf"({AMOUNT})s/(.+)$")

BYTE_UNITS = ("B", "iB", "b", "bytes", "byte")
LABEL_CHARACTERS = 80
BLOCKS = "━╸╺"

TQDM = re.compile(
    rf"(?<![\w.])(?P<step>{AMOUNT})/(?P<total>{AMOUNT})(?: ?[A-Za-z]{{1,40}})? "
    rf"\[(?P<elapsed>{CLOCK})<(?P<left>{CLOCK}|\?)(?P<rest>[^\]]*)"
)
TQDM_ENDLESS = re.compile(
    rf"(?:^|: {{0,40}})(?<![\w.])(?P<step>{AMOUNT})(?P<unit>[^\d\[|]{{0,40}}?) \[(?P<elapsed>{CLOCK}), "
)
TQDM_BARE = re.compile(r"\b(?P<percent>\d{1,3})%\|")
TQDM_PERCENT = re.compile(r"(?<!\w)\d{1,3}%$")
PERCENT_CHARACTERS = 5
RICH = re.compile(rf"(?<![{BLOCKS}])[{BLOCKS}]{{5,}}\s")
RICH_COUNT = re.compile(
    r"(?P<step>\d[\d.,]{0,17})\s{0,9}/\s{0,9}(?P<total>\d[\d.,]{0,17})(?:\s{0,9}(?P<unit>[kKMGT]?i?B|bytes)\b)?"
)
RICH_PERCENT = re.compile(r"(\d{1,3})%")
RICH_CLOCK = re.compile(r"(?<![\d:])(?:(?P<clock>(?:\d{1,6} days?, )?\d{1,6}:\d\d:\d\d)|-:--:--)")
RICH_PACE = re.compile(rf"(?P<rate>{AMOUNT})\s?(?P<unit>[A-Za-z]{{1,40}})/s\b")
KERAS = re.compile(
    rf"\s*(?P<step>\d{{1,18}})/(?P<total>\d{{1,18}}|Unknown) (?:\[[=>.]+\]|[{BLOCKS}]{{5,}})(?P<rest>.*)"
)
KERAS_LEFT = re.compile(r"\s*(?:- ETA: )?(?P<left>(?:\d{1,6}:)?\d{1,6}:\d\d|\d{1,9}s)")
KERAS_PACE = re.compile(r"(?<!\d)(?P<number>\d{1,18})(?P<scale>s|ms|us)/step")
SCALES = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
DATA_SIZES = {"B": 0, "bytes": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


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


def read_bar(row: str) -> Bar | None:
    """Return the bar in a row without colors; None where there is none."""
    if "/s" not in row and "%" not in row and "[" not in row and "━" not in row:
        return None
    if any(block in row for block in BLOCKS) or row.lstrip()[:1].isdecimal():
        return _keras(row) or _rich(row) or _tqdm(row)
    return _tqdm(row)


def _tqdm(row: str) -> Bar | None:
    return _tqdm_of_total(row) or _tqdm_endless(row) or _tqdm_bare(row)


def _tqdm_of_total(row: str) -> Bar | None:
    found = TQDM.search(row)
    if found is None:
        return None
    unit, each = _rate(found["rest"])
    return Bar(
        "tqdm",
        amount(found["step"]),
        amount(found["total"]),
        unit_of(unit),
        _label(_before_percent(row[: found.start()])),
        seconds(found["elapsed"]),
        seconds(found["left"]),
        each,
    )


def _before_percent(text: str) -> str:
    """Return what stands before the percentage and the drawn bar that `text` ends with, as far as it does."""
    head = text.rstrip(" ").removesuffix("|")
    if "|" in head:
        head = head.rpartition("|")[0]
    percent = TQDM_PERCENT.search(head[-PERCENT_CHARACTERS:])
    return head[: len(head) - len(percent[0])] if percent else text


def _tqdm_endless(row: str) -> Bar | None:
    found = TQDM_ENDLESS.search(row)
    if found is None:
        return None
    rest, closed, _ = row[found.end() :].partition("]")
    if not closed or "/" not in rest:
        return None
    unit, each = _rate(rest)
    unit = unit_of(found["unit"].strip() or unit)
    label = _label(row[: found.start()])
    return Bar("tqdm", amount(found["step"]), None, unit, label, seconds(found["elapsed"]), None, each)


def _tqdm_bare(row: str) -> Bar | None:
    found = TQDM_BARE.search(row)
    if found is None or "|" not in row[found.end() :]:
        return None
    return Bar("tqdm", int(found["percent"]), 100, "%", _label(row[: found.start()]))


def _rate(rest: str) -> tuple[str | None, float | None]:
    for part in rest.split(","):
        unit, each = pace(part)
        if unit or each:
            return unit, each
    return None, None


def _rich(row: str) -> Bar | None:
    found = RICH.search(row)
    if found is None:
        return None
    rest, label = row[found.end() :], _label(row[: found.start()])
    clocks = [clock["clock"] for clock in RICH_CLOCK.finditer(rest)]
    # One clock is of the time left; of two the first is of the time that has passed.
    left = _days(clocks[-1]) if clocks and clocks[-1] else None
    elapsed = _days(clocks[0]) if len(clocks) > 1 and clocks[0] else None
    if count := RICH_COUNT.search(rest):
        scale = 1000 ** DATA_SIZES.get((count["unit"] or "B").removesuffix("iB")[:1] or "B", 0)
        step, total = (_number(count[name]) for name in ("step", "total"))
        if step is None or total is None:
            return None
        rate = RICH_PACE.search(rest)
        unit = "B" if count["unit"] else unit_of(rate["unit"] if rate else None)
        return Bar("rich", round(step * scale), round(total * scale) or None, unit, label, elapsed, left)
    if percent := RICH_PERCENT.search(rest):
        return Bar("rich", int(percent[1]), 100, "%", label, elapsed, left)
    return None


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        # "1.2.3": a version, or a date.
        return None


def _days(text: str) -> float | None:
    days, _, clock = text.rpartition(", ")
    at_all = seconds(clock)
    return None if at_all is None else at_all + (int(days.split()[0]) * 86_400 if days else 0)


def _keras(row: str) -> Bar | None:
    found = KERAS.match(row)
    if found is None:
        return None
    total = None if found["total"] == "Unknown" else int(found["total"])
    step, rest = int(found["step"]), found["rest"]
    each = KERAS_PACE.search(rest)
    time = KERAS_LEFT.match(rest)
    # Once it is done, the time is what it took.
    shown = _short(time["left"]) if time else None
    done = total is not None and step >= total
    return Bar(
        "keras",
        step,
        total,
        "step",
        elapsed=shown if done or total is None else None,
        left=0.0 if done else shown if total is not None else None,
        seconds_each=int(each["number"]) * SCALES[each["scale"]] if each else None,
    )


def _short(text: str) -> float | None:
    return float(text[:-1]) if text.endswith("s") else seconds(text)


def _label(text: str | None) -> str | None:
    words = " ".join((text or "").split()).rstrip(":").strip()
    return words[-LABEL_CHARACTERS:] or None
