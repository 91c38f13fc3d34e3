"""Recognises the bars of tqdm, which Lightning and Hugging Face use too, of Rich and of Keras in a terminal's row."""

import re

from traindeck.progress.bar import AMOUNT, CLOCK, Bar, amount, pace, seconds, unit_of

LABEL_CHARACTERS = 80
BLOCKS = "━╸╺"

TQDM = re.compile(
    rf"(?P<label>.*?):? *(?:\b(?P<percent>\d{{1,3}})%(?:\|[^|]*)?\|?)? *(?<![\w.])"
    rf"(?P<step>{AMOUNT})/(?P<total>{AMOUNT})(?: ?[A-Za-z]+)? "
    rf"\[(?P<elapsed>{CLOCK})<(?P<left>{CLOCK}|\?)(?P<rest>[^\]]*)"
)
TQDM_ENDLESS = re.compile(
    rf"(?:(?P<label>.*?): *)?(?<![\w.])(?P<step>{AMOUNT})(?P<unit>[^\d\[|]*?) "
    rf"\[(?P<elapsed>{CLOCK}), (?P<rest>[^\]]*/[^\]]*)\]"
)
TQDM_BARE = re.compile(r"(?P<label>.*?):? *\b(?P<percent>\d{1,3})%\|[^|]*\|")
RICH = re.compile(rf"(?P<label>.*?)\s*[{BLOCKS}]{{5,}}\s+(?P<rest>.*)")
RICH_COUNT = re.compile(
    r"(?P<step>\d[\d.,]{0,17})\s*/\s*(?P<total>\d[\d.,]{0,17})(?:\s*(?P<unit>[kKMGT]?i?B|bytes)\b)?"
)
RICH_PERCENT = re.compile(r"(\d{1,3})%")
RICH_CLOCK = re.compile(r"(?<![\d:])(?:(?P<clock>(?:\d+ days?, )?\d+:\d\d:\d\d)|-:--:--)")
RICH_PACE = re.compile(rf"(?P<rate>{AMOUNT})\s?(?P<unit>[A-Za-z]+)/s\b")
KERAS = re.compile(
    rf"\s*(?P<step>\d{{1,18}})/(?P<total>\d{{1,18}}|Unknown) (?:\[[=>.]+\]|[{BLOCKS}]{{5,}})(?P<rest>.*)"
)
KERAS_LEFT = re.compile(r"\s*(?:- ETA: )?(?P<left>(?:\d+:)?\d+:\d\d|\d+s)")
KERAS_PACE = re.compile(r"(?P<number>\d+)(?P<scale>s|ms|us)/step")
SCALES = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
DATA_SIZES = {"B": 0, "bytes": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def read_bar(row: str) -> Bar | None:
    """The bar in a row without colours; None where there is none."""
    if "/s" not in row and "%" not in row and "[" not in row and "━" not in row:
        return None
    if any(block in row for block in BLOCKS) or row.lstrip()[:1].isdecimal():
        return _keras(row) or _rich(row) or _tqdm(row)
    return _tqdm(row)


def _tqdm(row: str) -> Bar | None:
    if found := TQDM.match(row):
        unit, each = _rate(found["rest"])
        return Bar(
            "tqdm",
            amount(found["step"]),
            amount(found["total"]),
            unit_of(unit),
            _label(found["label"]),
            seconds(found["elapsed"]),
            seconds(found["left"]),
            each,
        )
    if found := TQDM_ENDLESS.match(row):
        unit, each = _rate(found["rest"])
        unit = unit_of(found["unit"].strip() or unit)
        return Bar(
            "tqdm", amount(found["step"]), None, unit, _label(found["label"]), seconds(found["elapsed"]), None, each
        )
    if found := TQDM_BARE.match(row):
        return Bar("tqdm", int(found["percent"]), 100, "%", _label(found["label"]))
    return None


def _rate(rest: str) -> tuple[str | None, float | None]:
    for part in rest.split(","):
        unit, each = pace(part)
        if unit or each:
            return unit, each
    return None, None


def _rich(row: str) -> Bar | None:
    found = RICH.match(row)
    if found is None:
        return None
    rest, label = found["rest"], _label(found["label"])
    clocks = [clock["clock"] for clock in RICH_CLOCK.finditer(rest)]
    # One clock is of the time left; of two the first is of the time that has passed.
    left = _days(clocks[-1]) if clocks and clocks[-1] else None
    elapsed = _days(clocks[0]) if len(clocks) > 1 and clocks[0] else None
    if count := RICH_COUNT.search(rest):
        scale = 1000 ** DATA_SIZES.get((count["unit"] or "B").removesuffix("iB")[:1] or "B", 0)
        step, total = (round(float(count[name].replace(",", "")) * scale) for name in ("step", "total"))
        rate = RICH_PACE.search(rest)
        unit = "B" if count["unit"] else unit_of(rate["unit"] if rate else None)
        return Bar("rich", step, total or None, unit, label, elapsed, left)
    if percent := RICH_PERCENT.search(rest):
        return Bar("rich", int(percent[1]), 100, "%", label, elapsed, left)
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
