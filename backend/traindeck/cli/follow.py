"""Show the progress of a run until it ends: as a bar on a terminal, as lines in a pipe."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from traindeck.cli.deck_client import call, connect, get_directions
from traindeck.cli.exits import Exit, exit_of
from traindeck.cli.glance import glance
from traindeck.cli.terminal import console, escape_controls, print_answer, print_note, write_json
from traindeck.cli.watching import watch_until_final

if TYPE_CHECKING:
    from rich.console import RenderableType

    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

FRAMES_PER_SECOND = 4
NARROW = 60
"""In a terminal of fewer columns the bar has no room beside the text."""


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
