"""The page for a request that could not be answered."""

from dataclasses import dataclass

from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.environment import render


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What went wrong, what to do about it, and the number under which the log has more."""

    shell: Shell
    status: int
    title: str
    detail: str
    reference: str | None


def render_error(status: int, title: str, detail: str, reference: str | None, deck: DeckState | None = None) -> str:
    """The error page for an HTTP `status`."""
    shell = Shell(title=title, section="error", deck=deck)
    return render("error/page.html", ErrorContext(shell, status, title, detail, reference))
