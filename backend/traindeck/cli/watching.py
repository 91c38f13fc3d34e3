"""Watch a run through the deck's event stream, also while the deck restarts."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from traindeck.cli.deck_client import check_success, connect, get_run, read_run, unreachable
from traindeck.cli.exits import CommandFailed, Exit

if TYPE_CHECKING:
    import httpx

    from traindeck.runs.view import RunView

SILENCE_SECONDS = 45.0
"""The deck sends something every 15 seconds. After this much silence it counts as gone."""
PATIENCE_SECONDS = 60.0
"""How long a deck may be away. A restart takes seconds; a reboot of the machine also ends this command."""
PAUSE_SECONDS = 0.5

Result = TypeVar("Result")


def watch_until_final(url: str | None, run_id: int) -> Iterator["RunView"]:
    """Yield what `watch_run` yields, up to and including the first final status."""
    for run in watch_run(url, run_id):
        yield run
        if run.status.is_final:
            return


def watch_run(url: str | None, run_id: int) -> Iterator["RunView"]:
    """Yield the run as it is now, and after each change, until the caller stops.

    While the deck is away or restarts, this waits for it.

    Raises:
        CommandFailed: at first, as for any request; later, if the deck stays away or the run is deleted.
    """
    with connect(url) as client:
        yield get_run(client, run_id)
    patience = Patience()
    while True:
        try:
            # A new client each time: a restarted deck may have another address, which its `server.json` names.
            with connect(url) as client:
                for run in _changes(client, run_id):
                    patience.reset()
                    yield run
        except CommandFailed as error:
            patience.wait(error)


def _changes(client: "httpx.Client", run_id: int) -> Iterator["RunView"]:
    import httpx

    timeout = httpx.Timeout(10.0, read=SILENCE_SECONDS)
    try:
        with client.stream("GET", "/events", params={"run": run_id}, timeout=timeout) as response:
            if not response.is_success:
                response.read()
                check_success(response)
            for event in read_events(response.iter_bytes()):
                yield from _run_after(event, client, run_id)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    raise CommandFailed("the deck has closed its event stream", Exit.UNREACHABLE)


def _run_after(event: "ServerEvent", client: "httpx.Client", run_id: int) -> Iterator["RunView"]:
    if event.name == "open":
        # The stream does not carry changes from before it was open: request the run once.
        yield get_run(client, run_id)
    elif event.name == "run":
        run = read_run(event.data)
        if run.id == run_id:
            yield run
    elif event.name == "deleted" and json.loads(event.data).get("id") == run_id:
        raise CommandFailed(f"run {run_id} has been deleted", Exit.NOT_FOUND)


class Patience:
    """Limits how long a deck may be away."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.seconds = seconds
        self._deadline: float | None = None

    def reset(self) -> None:
        """Begin anew, because the deck has answered."""
        self._deadline = None

    def wait(self, failure: CommandFailed) -> None:
        """Pause before the next try.

        Raises:
            CommandFailed: `failure`, if its cause is not an absent deck, or if the deck has been away too long.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self.seconds
        if failure.exit_code is not Exit.UNREACHABLE or now >= self._deadline:
            raise failure
        time.sleep(PAUSE_SECONDS)


def retry_while_away(action: Callable[[], Result]) -> Result:
    """Return what `action` returns, and repeat it while the deck is away. Raises CommandFailed, as `action` does."""
    patience = Patience()
    while True:
        try:
            return action()
        except CommandFailed as error:
            patience.wait(error)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """A server-sent event."""

    name: str
    data: bytes


def read_events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Parse server-sent events (HTML Living Standard, 9.2.6) from chunks of any size; drop an incomplete last one."""
    name, data = "message", list[bytes]()
    for line in split_lines(chunks):
        if not line:
            if data:
                yield ServerEvent(name, b"\n".join(data))
            name, data = "message", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield lines that end in `\n`, `\r\n` or `\r`, each as soon as it is complete.

    Other separators, such as U+2028, do not end a line: JSON may contain them.
    """
    rest, after_return = b"", False
    for chunk in chunks:
        # The second half of a pair whose first half has already ended a line.
        chunk = chunk[1:] if after_return and chunk[:1] == b"\n" else chunk
        after_return = chunk[-1:] == b"\r" or (after_return and not chunk)
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from lines
