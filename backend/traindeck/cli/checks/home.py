"""The folder of the deck: whether it can be written, what room is left, who serves it."""

import fcntl
import shutil
import tempfile
from pathlib import Path

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.pages.numbers import show_bytes
from traindeck.runs.files import read_json

LOW_BYTES = 2_000_000_000
"""Less than this is soon full of checkpoints and event files."""


def check_home(home: Path) -> list[Finding]:
    """Everything about the folder itself."""
    writable = _check_writable(home)
    return [writable, _check_room(home), *([_check_server(home)] if home.is_dir() else [])]


def first_existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def server_note(home: Path) -> dict[str, object] | None:
    """Where the deck is served (`url`, `pid`), or None while nobody serves it: the lock says which."""
    lock = home / "server.lock"
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        return read_json(home / "server.json") or {}
    except OSError:
        return None


def _check_writable(home: Path) -> Finding:
    folder = first_existing(home)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        advice = "Give yourself the right to write there, or choose another folder with --home or TRAINDECK_HOME."
        return wrong("home", f"{folder} cannot be written: {error.strerror}", advice)
    return good("home", str(home) if folder == home else f"{home} will be made by the first `traindeck serve`")


def _check_room(home: Path) -> Finding:
    free = shutil.disk_usage(first_existing(home)).free
    found = f"{show_bytes(free)} free"
    if free < LOW_BYTES:
        return wrong("disk", found, f"Free some room, or choose a --home with more than {show_bytes(LOW_BYTES)}.")
    return good("disk", found)


def _check_server(home: Path) -> Finding:
    note = server_note(home)
    if note is None:
        return good("server", "none is running for this home")
    return good("server", f"running at {note.get('url', 'an unknown address')} as process {note.get('pid', 'unknown')}")
