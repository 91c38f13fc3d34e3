"""The errors of Traindeck. `api/problems.py` is the one place that turns them into HTTP answers.

TraindeckError
├── NotFound             there is no such thing
│   ├── RunNotFound
│   └── BoardNotFound
├── RunConflict          the run's status does not allow it
├── InvalidRequest       one or more fields are wrong
├── LedFromElsewhere     a page of another site led a browser to an address that only the user may open
├── DeckUnusable         the deck cannot be served from this home
├── DeckBusy             try again shortly
│   └── HomeGone         the home, or its database, is not where it was when the deck was started
└── NoRoom               it would leave less of the disk free than is kept in reserve; an OSError, too
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from traindeck.unknown import MOST_ERRORS

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where a disk, or the user's part of it, is full."""
ONE_LINE_CHARACTERS = 300


class TraindeckError(Exception):
    """Something that Traindeck can name; the message says what to do."""


class NotFound(TraindeckError):
    """There is no such thing; the message says what there is."""


class BoardNotFound(NotFound):
    """There is no such board of several runs."""


class RunNotFound(NotFound):
    """There is no such run."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"There is no run {run_id}. GET /runs lists those that there are.")


class RunConflict(TraindeckError):
    """The run is in a status in which this cannot be done."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path ("params.lr"), what would be right, and at which character of its text it is wrong."""

    field: str
    message: str
    position: int | None = None


class InvalidRequest(TraindeckError):
    """One or more fields of a request are wrong; nothing was changed. It holds the first `MOST_ERRORS` of them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors[:MOST_ERRORS])
        super().__init__("; ".join(error.message for error in self.errors))


class LedFromElsewhere(TraindeckError):
    """A page of another site led a browser here. `label` and `address` are the link that the user can follow."""

    def __init__(self, message: str, label: str, address: str) -> None:
        super().__init__(message)
        self.label = label
        self.address = address


class DeckUnusable(TraindeckError):
    """The deck cannot be served from this home."""


class NoRoom(TraindeckError, OSError):
    """The disk has no room for something without touching the reserve that is kept free."""

    def __init__(self, reserve_bytes: int) -> None:
        reserve = f"{reserve_bytes // 1_000_000} MB"
        super().__init__(
            errno.ENOSPC,
            f"The disk of the deck would have less than {reserve} left, which are kept free for the runs. "
            "Nothing was changed; free some space, or lower TRAINDECK_DISK_RESERVE_MB, and repeat.",
        )


class DeckBusy(TraindeckError):
    """The deck cannot do this at the moment, but will shortly."""


class HomeGone(DeckBusy):
    """The home was renamed, removed or unmounted, or its database replaced; the deck goes on once it is back."""


def describe_error(error: BaseException) -> str:
    """Return an error in one line, for a run's status and the log."""
    text = " ".join(f"{type(error).__name__}: {error}".encode(errors="replace").decode().split())
    return text[:ONE_LINE_CHARACTERS].rstrip(": ")
