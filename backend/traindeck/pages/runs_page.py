"""The page with the list of runs."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from traindeck.pages.frontend import render
from traindeck.pages.metrics import NOTHING, Directions, Metric, key_metric
from traindeck.pages.numbers import show_count, show_setting
from traindeck.pages.run_summary import (
    LABELS,
    Actions,
    Badge,
    Duration,
    ProgressBar,
    Setting,
    actions,
    backs_off_until,
    badge,
    command_line,
    duration,
    program_name,
    progress_bar,
    stamp,
    waits_for,
)
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.status import Status
from traindeck.runs.view import RunPage, RunView
from traindeck.wording import counted

SORTS = {
    "-created": "Newest first",
    "created": "Oldest first",
    "name": "Name",
    "status": "Status",
    "-finished": "Last finished",
    "-priority": "Priority",
}
"""The orders that the page offers, as `GET /runs?sort=` names them."""
SETTINGS_SHOWN = 4
DISTINCTIVE = ("dataset", "epochs", "batch_size", "lr", "learning_rate", "optimizer", "seed")
"""Parameters in which runs differ most often. They are shown before the others."""

MODULE_PATH = re.compile(r"^(exit code \d+: )?(?:[^\W\d]\w*\.)+(?=[A-Z]\w*(?::|$))")
"""The module path before an exception's name in a reason; it is left out to leave space for the message."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """What a row shows. `note` is the reason why the run waits or why it ended, `note_in_full` the same unabridged.

    `until` is when its back-off ends, or "".
    """

    id: int
    name: str
    url: str
    badge: Badge
    program: str
    program_in_full: str
    settings: list[Setting]
    tags: list[str]
    bar: ProgressBar
    note: str
    note_in_full: str
    until: str
    ended: bool
    place: str
    metric: Metric | None
    created: str
    duration: Duration | None
    actions: Actions


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of the list's address: a filter, an order, one status or all, and where the page starts."""

    q: str = ""
    sort: str = "-created"
    status: str | None = None
    cursor: str | None = None

    def url(self) -> str:
        """Return the address of this list, without what has its default."""
        given = {key: value for key, value in asdict(self).items() if value and value != asdict(DEFAULT)[key]}
        return f"/runs?{urlencode(given)}" if given else "/runs"

    @property
    def board_filter(self) -> str:
        """Return the filter for a TensorBoard of this list's runs, on all of its pages."""
        return f"status:{self.status} {self.q}".strip() if self.status else self.q


DEFAULT = ListQuery()


@dataclass(frozen=True, slots=True)
class Chip:
    """A status to filter by, with the number of its runs."""

    label: str
    status: str
    count: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RunsContext:
    """The list. `deck_empty` is True if the deck has no run; `rows` is empty if no run matches."""

    shell: Shell
    query: ListQuery
    rows: list[RunRow]
    chips: list[Chip]
    sorts: list[Choice]
    total: str
    count: str
    next_url: str | None
    first_url: str | None
    clear_url: str
    deck_empty: bool


def render_runs(page: RunPage, *, query: ListQuery, deck: DeckState, fragment: bool, said: Directions = NOTHING) -> str:
    """Render the list as a page, or with `fragment` only its live parts, for a page that is already open.

    `said` has the user's choices of which way scalars are better.
    """
    now = datetime.now(UTC)
    rows = [run_row(run, now, said) for run in page.items]
    running = deck.counts.get("running", 0)
    context = RunsContext(
        shell=Shell(title=f"({running}) Runs" if running else "Runs", section="runs", deck=deck, events="/events"),
        query=query,
        rows=rows,
        chips=_chips(query, deck.counts),
        sorts=_sorts(query.sort, rows),
        total=show_count(page.total),
        count=counted(page.total, "run") if page.total_exact else f"{show_count(page.total)}+ runs",
        next_url=replace(query, cursor=page.next_cursor).url() if page.next_cursor else None,
        first_url=replace(query, cursor=None).url() if query.cursor else None,
        clear_url=ListQuery(sort=query.sort).url(),
        deck_empty=not page.items and not any(deck.counts.values()),
    )
    return render("runs/fragment.html" if fragment else "runs/page.html", context)


def _chips(query: ListQuery, counts: dict[str, int]) -> list[Chip]:
    everything = replace(query, status=None, cursor=None)
    chips = [Chip("All", "", show_count(sum(counts.values())), everything.url(), query.status is None)]
    for status, label in LABELS.items():
        if counts.get(status) or query.status == status:
            url = replace(everything, status=status.value).url()
            count = show_count(counts.get(status, 0))
            chips.append(Chip(label, status.value, count, url, query.status == status))
    return chips


def _sorts(chosen: str, rows: list[RunRow]) -> list[Choice]:
    offered = dict(SORTS)
    for tag in sorted({each.metric.tag for each in rows if each.metric}):
        offered |= {f"-metrics.{tag}": f"Highest {tag}", f"metrics.{tag}": f"Lowest {tag}"}
    offered.setdefault(chosen, chosen)
    return [Choice(value, label, value == chosen) for value, label in offered.items()]


def run_row(run: RunView, now: datetime, said: Directions = NOTHING) -> RunRow:
    """Return the row of a run at `now`. `said` has the user's choices of which way scalars are better."""
    until = backs_off_until(run)
    return RunRow(
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=program_name(run),
        program_in_full=command_line(run) or program_name(run),
        settings=main_settings(run),
        tags=run.tags,
        bar=progress_bar(run),
        note=MODULE_PATH.sub(r"\1", _note(run)),
        note_in_full=_note(run),
        until=until,
        ended=run.status.is_final,
        place=f"#{run.queue_position} in line" if run.queue_position and not until else "",
        metric=key_metric(run.metrics, said),
        created=stamp(run.created_at),
        duration=duration(run, now),
        actions=actions(run),
    )


def main_settings(run: RunView) -> list[Setting]:
    """Return the settings for which a row has space: those given, then the distinctive ones, then others.

    A script whose options are unknown shows its arguments instead.
    """
    if run.script is not None and not run.params:
        return [Setting("", " ".join(run.script.args))] if run.script.args else []
    given = given_params(run.script.args, run.params) if run.script else []
    names = dict.fromkeys([*given, *(name for name in DISTINCTIVE if name in run.params), *run.params])
    return [Setting(name, show_setting(run.params[name])) for name in list(names)[:SETTINGS_SHOWN]]


def _note(run: RunView) -> str:
    return waits_for(run) if run.status is Status.QUEUED else run.status_reason or ""


def given_params(args: Sequence[str], params: dict[str, Any]) -> list[str]:
    """Return the parameters that the script's arguments name, in the order of the arguments."""
    words = [re.sub(r"^-+|=.*$", "", word).replace("-", "_").lower() for word in args if word.startswith("-")]
    by_flag = {name.replace("-", "_").lower(): name for name in params}
    return list(dict.fromkeys(by_flag[word] for word in words if word in by_flag))
