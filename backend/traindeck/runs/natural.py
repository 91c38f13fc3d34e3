"""Names in the order in which people count."""

import re

DIGITS = re.compile(r"(\d+)")


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which "epoch=10" comes after "epoch=9"."""
    parts = DIGITS.split(text)
    return tuple((0, int(part[:18]), "") if place % 2 else (1, 0, part) for place, part in enumerate(parts))
