"""What a run is called on a board of several."""

import unicodedata

NAME_BYTES = 180
"""A name is also that of a folder, which has 255 bytes at most, and a number stands before it."""

UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what steers text instead of being it: control characters, direction marks, line ends."""


def board_name(run_id: int, name: str) -> str:
    """Number and name, as in "42 quiet-otter"; of the name only what is plain text, and no slash, which nests runs."""
    shown = "".join("_" if char in "/\\" else char for char in name if unicodedata.category(char) not in UNSAFE)
    cut = shown.encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{run_id} {cut}".strip()
