"""What a check has found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is there, and, where it is not as it must be, what to do."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def good(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, True, found)


def wrong(check: str, found: str, advice: str) -> Finding:
    """Something is not; `advice` says what to do."""
    return Finding(check, False, found, advice)
