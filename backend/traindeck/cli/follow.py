"""Follow a run through the deck's event stream, also while the deck restarts, and show its progress until it ends."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from traindeck.cli.deck_client import call, check_success, connect, get_directions, get_run, read_run, unreachable
from traindeck.cli.exits import CommandFailed, Exit, exit_of
from traindeck.cli.glance import glance
from traindeck.cli.terminal import console, escape_controls, print_answer, print_note, write_json

if TYPE_CHECKING:
    import httpx
    from rich.console import RenderableType

    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView


SILENCE_SECONDS = 45.0
"""The deck sends something every 15 seconds. After this much silence it counts as gone."""
PATIENCE_SECONDS = 60.0
"""How long a deck may be away. A restart takes seconds; a reboot of the machine also ends this command."""
PAUSE_SECONDS = 0.5

Result = TypeVar("Result")
FRAMES_PER_SECOND = 4
NARROW = 60
"""In a terminal of fewer columns the bar has no room beside the text."""


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


def follow_run(url: str | None, run_id: int, *, as_json: bool = False) -> Exit:
    """Show the run's progress on stderr, and its end on stdout; Ctrl-C leaves it running.

    Returns:
        The exit code for its final status, or INTERRUPTED.

    Raises:
        CommandFailed: there is no such run, or the deck stays away.
    """
    run = None
    try:
        with connect(url) as client:
            said = get_directions(client)
        with _shown(said) as show:
            for run in watch_until_final(url, run_id):
                show(run)
    except KeyboardInterrupt:
        print_note(
            f"Run {run_id} keeps running. Log: traindeck logs -f {run_id}. To stop it: traindeck cancel {run_id}"
        )
        return Exit.INTERRUPTED
    assert run is not None
    if as_json:
        with connect(url) as client:
            write_json(call(client, "GET", f"/runs/{run_id}").content)
    else:
        print_answer(describe_end(run, said))
    return exit_of(run.status)


def describe_end(run: "RunView", said: "Mapping[str, Better]") -> str:
    """Return how a run ended, on one line; `said` has the user's choices of which way scalars are better."""
    seen = glance(run, datetime.now(UTC), said)
    after = f" after {seen.duration}" if seen.duration else ""
    reason = f": {run.status_reason}" if run.status_reason else ""
    metric = f"  {seen.metric}" if seen.metric else ""
    return escape_controls(f"Run {run.id} {run.status}{after}{reason}{metric}")


@contextmanager
def _shown(said: "Mapping[str, Better]") -> Iterator[Callable[["RunView"], None]]:
    screen = console(stderr=True)
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield ProgressLines(said).show
        return
    from rich.live import Live

    bar = ProgressLine(said)
    with Live(get_renderable=bar.render, console=screen, refresh_per_second=FRAMES_PER_SECOND, transient=True):
        yield bar.show


class ProgressLines:
    """Prints a line when the status or the attempt changes, and after each tenth of the progress."""

    def __init__(self, said: "Mapping[str, Better]") -> None:
        self._said = said
        self._last: tuple[str, int, int | None] | None = None

    def show(self, run: "RunView") -> None:
        """Print the run's state if it is new."""
        seen = glance(run, datetime.now(UTC), self._said)
        mark = (run.status.value, run.attempt, None if seen.percent is None else seen.percent // 10)
        if mark != self._last and not run.status.is_final:
            self._last = mark
            print_note("  ".join(part for part in (seen.status, seen.progress, seen.note, seen.metric) if part))


class ProgressLine:
    """A live line on a terminal: status, bar, percentage, steps, time left, key metric."""

    def __init__(self, said: "Mapping[str, Better]") -> None:
        self._said = said
        self._run: RunView | None = None

    def show(self, run: "RunView") -> None:
        """Show this state in the next frame."""
        self._run = run

    def render(self) -> "RenderableType":
        """Return the line for the current frame."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if self._run is None:
            return Text()
        seen = glance(self._run, datetime.now(UTC), self._said)
        words = "  ".join(part for part in (seen.progress or seen.duration, seen.note, seen.metric) if part)
        status, rest = Text(seen.status, style=seen.style), Text(words)
        width = console(stderr=True).width
        if width < NARROW:
            return Text.assemble(status, "  ", rest, no_wrap=True, overflow="ellipsis")
        line = Table.grid(padding=(0, 2), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(width=min(width // 4, 40))
        line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        done = None if seen.percent is None else float(seen.percent)
        line.add_row(status, ProgressBar(total=100.0 if done is not None else None, completed=done or 0.0), rest)
        return line
