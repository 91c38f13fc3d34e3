"""Form plurals: one file, two files. `static/js/numbers.js` has the same for the browser."""


def plural(count: int, noun: str) -> str:
    """Return the singular or plural of an English noun for `count`; a noun that ends in "s" is not changed."""
    if count == 1 or noun.endswith("s"):
        return noun
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    hisses = noun.endswith(("ch", "sh", "x")) and not noun.endswith("epoch")
    return f"{noun}es" if hisses else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Return a count with thousands separators and its noun: `1 run`, `12,345 runs`."""
    return f"{count:,} {plural(count, noun)}"
