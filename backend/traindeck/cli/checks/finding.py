"""The result of a check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part of a deck, and advice if something is wrong."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def good(check: str, found: str) -> Finding:
    """Return the finding that a part is as it must be."""
    return Finding(check, True, found)


def wrong(check: str, found: str, advice: str) -> Finding:
    """Return the finding that something is wrong; `advice` says what to do."""
    return Finding(check, False, found, advice)
