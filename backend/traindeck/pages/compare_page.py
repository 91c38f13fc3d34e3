"""The page that compares runs: a table by section (differences first, equal rows folded), curves, and code."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from traindeck.pages.frontend import render
from traindeck.pages.metrics import main_tags
from traindeck.pages.numbers import show_count, show_duration, show_setting, show_value
from traindeck.pages.run_summary import Badge, badge, stamp
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.comparison import (
    COLOURS,
    ComparedCode,
    ComparedFile,
    ComparedMetric,
    ComparedRow,
    ComparedRows,
    ComparedRun,
    Comparison,
    run_colours,
)
from traindeck.runs.directions import Better, guess
from traindeck.runs.view import MetricView
from traindeck.wording import plural

FEW = 5
"""The most columns that fit on a wide screen, so that their headings can stay in view."""
UNFOLDED_LINES = 60
"""A diff of at most this many lines is shown at once; a longer one is folded."""
ARROWS = {Better.HIGHER: "↑", Better.LOWER: "↓", Better.NEITHER: "–"}
WORDS = {Better.HIGHER: "higher is better", Better.LOWER: "lower is better", Better.NEITHER: "neither is better"}
LONGEST = 2000
"""A cell shows at most this many characters of a value."""


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """The value of one run. `at` is a time to show in the reader's time zone, `url` a link, `title` a tooltip.

    `other` is True if the value differs from that of the first run.
    """

    text: str
    other: bool = False
    best: bool = False
    title: str = ""
    at: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class DirectionChoice:
    """One way in which a scalar can be better: the value to send ("" to derive it from the name), and its label."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. `ways` are the choices for a scalar, `arrow` the current one."""

    name: str
    differs: bool
    cells: list[ComparedValue]
    ways: list[DirectionChoice] = field(default_factory=list)
    arrow: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together. `note` says what is not listed; `mono` shows values as code."""

    key: str
    title: str
    lines: list[Line]
    differing: int
    equal: int
    note: str
    mono: bool


def sections(comparison: Comparison) -> list[Section]:
    """Return the sections that have rows or a note."""
    run_lines = [*_run_lines(comparison.runs), *map(_line, comparison.resources.rows)]
    made = [
        _section("run", "Run", run_lines),
        _section("params", "Parameters", map(_line, comparison.params.rows), _left_out(comparison.params), mono=True),
        _section("metrics", "Metrics", map(_metric, comparison.metrics.rows), _beyond(comparison.metrics.more)),
        _rows("script", "Start", comparison.script),
        _rows("git", "Git", comparison.git),
        _rows("packages", "Packages", comparison.packages),
        _rows("host", "Machine", comparison.host),
        _rows("environment", "Environment", comparison.environment),
    ]
    return [section for section in made if section.lines or section.note]


def _rows(key: str, title: str, rows: ComparedRows) -> Section:
    return _section(key, title, map(_line, rows.rows), _left_out(rows), mono=True)


def _section(key: str, title: str, lines: Any, note: str = "", *, mono: bool = False) -> Section:
    made: list[Line] = sorted(lines, key=lambda line: not line.differs)
    differing = sum(line.differs for line in made)
    return Section(key, title, made, differing, len(made) - differing, note, mono)


def _left_out(rows: ComparedRows) -> str:
    equal = f"{show_count(rows.equal_left_out)} equal in all" if rows.equal_left_out else ""
    return ", ".join(part for part in (equal, _beyond(rows.more)) if part)


def _beyond(more: int) -> str:
    return f"{show_count(more)} more {'is' if more == 1 else 'are'} not listed" if more else ""


def _line(row: ComparedRow) -> Line:
    return Line(row.name, row.differs, [ComparedValue(_text(value), value != row.values[0]) for value in row.values])


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else show_setting(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _metric(row: ComparedMetric) -> Line:
    lasts = [value.last if value else None for value in row.values]
    cells = [_measured(value, lasts[0]) for value in row.values]
    if row.best is not None:
        cells = [
            ComparedValue(cell.text, cell.other, lasts[at] == row.best, cell.title) for at, cell in enumerate(cells)
        ]
    return Line(row.tag, row.differs, cells, _ways(row), ARROWS[row.better])


def _ways(row: ComparedMetric) -> list[DirectionChoice]:
    chosen = row.better if row.said else None
    by_name = guess(row.tag)
    return [
        DirectionChoice("", f"{ARROWS[by_name]} by its name: {WORDS[by_name]}", chosen is None),
        *(DirectionChoice(better.value, f"{ARROWS[better]} {WORDS[better]}", chosen is better) for better in Better),
    ]


def _measured(metric: MetricView | None, first: float | None) -> ComparedValue:
    if metric is None:
        return ComparedValue("", other=first is not None)
    extremes = (
        f"minimum {show_value(metric.min)}, maximum {show_value(metric.max)}, last at step {show_count(metric.step)}"
    )
    return ComparedValue(show_value(metric.last), metric.last != first, title=extremes)


def _run_lines(runs: list[ComparedRun]) -> list[Line]:
    shown: dict[str, Callable[[ComparedRun], ComparedValue]] = {
        "Program": lambda run: ComparedValue(run.program),
        "Reason": lambda run: ComparedValue(run.status_reason or ""),
        "Started": lambda run: ComparedValue("", at=stamp(run.started_at) if run.started_at else ""),
        "Duration": lambda run: ComparedValue("" if run.seconds is None else show_duration(run.seconds)),
        "Attempt": lambda run: ComparedValue(str(run.attempt or "")),
        "Repeats": lambda run: (
            ComparedValue(f"#{run.rerun_of}", url=f"/runs/{run.rerun_of}") if run.rerun_of else ComparedValue("")
        ),
    }
    lines = []
    for name, cell in shown.items():
        cells = [cell(run) for run in runs]
        if any(each.text or each.at for each in cells):
            lines.append(Line(name, any(each != cells[0] for each in cells), cells))
    return lines


@dataclass(frozen=True, slots=True)
class RunColumn:
    """One run. `colour` is from 1 to 8; `without_url` compares the other runs, and is "" if there is only one."""

    id: int
    name: str
    url: str
    badge: Badge
    program: str
    tags: list[str]
    colour: int
    without_url: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A file that differs. `added` and `removed` count lines; `note` says why the diff is missing or incomplete."""

    path: str
    status: str
    diff: str
    added: int
    removed: int
    folded: bool
    note: str


@dataclass(frozen=True, slots=True)
class CodePair:
    """The code of one run against that of the first. `note` says why files are not listed."""

    run: int
    against: int
    files: list[FileDiff]
    note: str


@dataclass(frozen=True, slots=True)
class CompareContext:
    """Runs in columns. `curves` and `tags` are JSON for the charts: the runs to draw, and the scalars."""

    shell: Shell
    columns: list[RunColumn]
    sections: list[Section]
    code: list[CodePair]
    curves: str
    tags: str
    few: bool
    full: bool
    chosen: str


def render_compare(comparison: Comparison, *, deck: DeckState | None = None) -> str:
    """Render two to eight runs as a page."""
    runs = comparison.runs
    colours = run_colours([run.id for run in runs])
    columns = [_column(run, colours[run.id], runs) for run in runs]
    curves = [{"id": each.id, "name": each.name, "colour": each.colour} for each in columns]
    context = CompareContext(
        shell=Shell(title=f"Compare {', '.join(f'#{run.id}' for run in runs)}", section="runs", deck=deck),
        columns=columns,
        sections=sections(comparison),
        code=code_pairs(comparison),
        curves=json.dumps(curves),
        tags=json.dumps(_tags(comparison)),
        few=len(runs) <= FEW,
        full=len(runs) >= COLOURS,
        chosen=",".join(str(run.id) for run in runs),
    )
    return render("compare/page.html", context)


def _column(run: ComparedRun, colour: int, runs: list[ComparedRun]) -> RunColumn:
    others = [str(other.id) for other in runs if other.id != run.id]
    return RunColumn(
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=run.program,
        tags=run.tags,
        colour=colour,
        without_url=f"/compare?runs={','.join(others)}" if len(others) > 1 else "",
    )


def _tags(comparison: Comparison) -> list[str]:
    """Return the scalars of all runs: first those that most runs have, then in the order of `main_tags`."""
    written = {row.tag: [value for value in row.values if value] for row in comparison.metrics.rows}
    metrics = {tag: values[0] for tag, values in written.items() if values}
    said = {row.tag: row.better for row in comparison.metrics.rows}
    return sorted(main_tags(metrics, limit=len(metrics), said=said), key=lambda tag: -len(written[tag]))


def code_pairs(comparison: Comparison) -> list[CodePair]:
    """Compare the code of each other run with that of the first."""
    return [
        CodePair(pair.run, pair.against, [_file(file) for file in pair.files], _code_note(pair))
        for pair in comparison.code
    ]


def _file(file: ComparedFile) -> FileDiff:
    lines = (file.diff or "").splitlines()
    body = [line for line in lines if not line.startswith(("+++", "---"))]
    note = "The file is not text, or too long to compare." if file.diff is None else ""
    return FileDiff(
        path=file.path,
        status=file.status,
        diff=file.diff or "",
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        folded=len(lines) > UNFOLDED_LINES,
        note="Only the beginning of the diff is shown." if file.cut else note,
    )


def _code_note(pair: ComparedCode) -> str:
    if pair.same is None:
        return "One of the two runs has no kept code."
    if pair.same:
        return "The code is identical."
    listed = "is not listed" if pair.more == 1 else "are not listed"
    return f"{pair.more:,} more {plural(pair.more, 'file')} {listed}." if pair.more else ""
