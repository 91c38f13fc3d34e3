"""Counts in words: one file, two files. `static/js/numbers.js` has the twin."""


def plural(count: int, noun: str) -> str:
    """Return the form of an English noun that goes with `count`; one that ends in "s" stays as it is."""
    if count == 1 or noun.endswith("s"):
        return noun
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    hisses = noun.endswith(("ch", "sh", "x")) and not noun.endswith("epoch")
    return f"{noun}es" if hisses else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, and with thousands separators: `1 run`, `12,345 runs`."""
    return f"{count:,} {plural(count, noun)}"
