"""Watches a run from a terminal until it ends: a progress bar there, a line for each step ahead in a pipe."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from traindeck.cli.client import call, connect, get_directions
from traindeck.cli.exits import Exit, exit_of
from traindeck.cli.glance import glance
from traindeck.cli.plain import plain
from traindeck.cli.terminal import console, note, say, write_json
from traindeck.cli.watching import watch_until_final

if TYPE_CHECKING:
    from rich.console import RenderableType

    from traindeck.runs.directions import Better
    from traindeck.runs.view import RunView

FRAMES_PER_SECOND = 4
NARROW = 60
"""Columns of a terminal in which the bar has no place beside the words."""


def follow_run(url: str | None, run_id: int, *, as_json: bool = False) -> Exit:
    """Show how the run goes on stderr, and how it ended on stdout; Ctrl-C leaves it running.

    Returns:
        The exit code for the status that it ended with, or INTERRUPTED.

    Raises:
        CommandFailed: there is no such run, or its deck stays away.
    """
    run = None
    try:
        with connect(url) as client:
            said = get_directions(client)
        with _shown(said) as show:
            for run in watch_until_final(url, run_id):
                show(run)
    except KeyboardInterrupt:
        note(f"Run {run_id} goes on. `traindeck logs -f {run_id}` shows its log, `traindeck cancel {run_id}` ends it.")
        return Exit.INTERRUPTED
    assert run is not None
    if as_json:
        with connect(url) as client:
            write_json(call(client, "GET", f"/runs/{run_id}").content)
    else:
        say(ending(run, said))
    return exit_of(run.status)


def ending(run: "RunView", said: "Mapping[str, Better]") -> str:
    """How a run ended, in one line; `said` is which way scalars are better."""
    seen = glance(run, datetime.now(UTC), said)
    after = f" after {seen.duration}" if seen.duration else ""
    reason = f": {run.status_reason}" if run.status_reason else ""
    metric = f"  {seen.metric}" if seen.metric else ""
    return plain(f"Run {run.id} {run.status}{after}{reason}{metric}")


@contextmanager
def _shown(said: "Mapping[str, Better]") -> Iterator[Callable[["RunView"], None]]:
    screen = console(stderr=True)
    if not screen.is_terminal or screen.is_dumb_terminal:
        yield Lines(said).show
        return
    from rich.live import Live

    bar = BarLine(said)
    with Live(get_renderable=bar.render, console=screen, refresh_per_second=FRAMES_PER_SECOND, transient=True):
        yield bar.show


class Lines:
    """Writes a line whenever the status or the attempt changes, or another tenth of the way is done."""

    def __init__(self, said: "Mapping[str, Better]") -> None:
        self._said = said
        self._last: tuple[str, int, int | None] | None = None

    def show(self, run: "RunView") -> None:
        """Say where the run is, if that is news."""
        seen = glance(run, datetime.now(UTC), self._said)
        mark = (run.status.value, run.attempt, None if seen.percent is None else seen.percent // 10)
        if mark != self._last and not run.status.is_final:
            self._last = mark
            note("  ".join(part for part in (seen.status, seen.progress, seen.note, seen.metric) if part))


class BarLine:
    """One line of a terminal: status, bar, per cent, steps, time left, key metric."""

    def __init__(self, said: "Mapping[str, Better]") -> None:
        self._said = said
        self._run: RunView | None = None

    def show(self, run: "RunView") -> None:
        """Show this state from the next frame on."""
        self._run = run

    def render(self) -> "RenderableType":
        """The line as it is now."""
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
