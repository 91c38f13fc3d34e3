"""The tree of errors. Only `api/problems.py` turns them into HTTP answers.

TraindeckError
├── NotFound             there is no such thing
│   ├── RunNotFound
│   └── BoardNotFound
├── RunConflict          the run's status does not allow it
├── InvalidRequest       one or more fields are wrong
├── LedFromElsewhere     a page of another site opened an address that only the user may open
├── DeckUnusable         the deck cannot be served from this home
├── DeckBusy             try again shortly
│   └── HomeGone         the home or its database was moved or replaced while the deck runs
└── NoRoom               it would use the reserve of free disk space; also an OSError
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

from traindeck.wording import MOST_ERRORS

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""System errors of a full disk or quota."""
ONE_LINE_CHARACTERS = 300


class TraindeckError(Exception):
    """An expected error; its message says what to do."""


class NotFound(TraindeckError):
    """There is no such thing. `listing` names, for a program, the request that lists what there is."""

    def __init__(self, message: str, listing: str = "") -> None:
        super().__init__(f"{message} {listing}".rstrip())
        self.message = message


class BoardNotFound(NotFound):
    """There is no such board of several runs."""


class RunNotFound(NotFound):
    """There is no such run."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"There is no run {run_id}.", "GET /runs lists all runs.")


class RunConflict(TraindeckError):
    """The run's status does not allow this."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A wrong field: its path ("params.lr"), a message, and the position of the wrong character in its text."""

    field: str
    message: str
    position: int | None = None


class InvalidRequest(TraindeckError):
    """Fields of a request are wrong, and nothing was changed. This holds the first `MOST_ERRORS` of them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = list(errors[:MOST_ERRORS])
        super().__init__("; ".join(error.message for error in self.errors))


class LedFromElsewhere(TraindeckError):
    """A page of another site opened this address. `label` and `address` are a link for the user to follow."""

    def __init__(self, message: str, label: str, address: str) -> None:
        super().__init__(message)
        self.label = label
        self.address = address


class DeckUnusable(TraindeckError):
    """The deck cannot be served from this home."""


class NoRoom(TraindeckError, OSError):
    """The disk has too little space without the reserve that is kept free."""

    def __init__(self, reserve_bytes: int) -> None:
        reserve = f"{reserve_bytes // 1_000_000} MB"
        super().__init__(
            errno.ENOSPC,
            f"The deck's disk would have less than {reserve} left, the reserve for running runs. "
            "Nothing was changed. Free some space, or lower TRAINDECK_DISK_RESERVE_MB, and try again.",
        )


class DeckBusy(TraindeckError):
    """The deck cannot do this now, but soon."""


class HomeGone(DeckBusy):
    """The home was renamed, removed or unmounted, or its database replaced. The deck continues once it is back."""


def describe_error(error: BaseException) -> str:
    """Return an error on one line, for a run's status and the log."""
    text = " ".join(f"{type(error).__name__}: {error}".encode(errors="replace").decode().split())
    return text[:ONE_LINE_CHARACTERS].rstrip(": ")
