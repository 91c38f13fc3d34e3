"""The page that compares runs."""

import json
from dataclasses import dataclass

from traindeck.pages.comparison_table import Section, sections
from traindeck.pages.metrics import main_tags
from traindeck.pages.rendering import render
from traindeck.pages.run_state import Badge, badge
from traindeck.pages.shell import DeckState, Shell
from traindeck.runs.comparison import COLOURS, ComparedCode, ComparedFile, ComparedRun, Comparison, run_colours
from traindeck.wording import plural

FEW = 5
"""The most columns that fit on a wide screen, so that their headings can stay in view."""
UNFOLDED_LINES = 60
"""A diff of at most this many lines is shown at once; a longer one is folded."""


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
        CodePair(pair.run, pair.against, [_file(file) for file in pair.files], _note(pair)) for pair in comparison.code
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


def _note(pair: ComparedCode) -> str:
    if pair.same is None:
        return "One of the two runs has no kept code."
    if pair.same:
        return "The code is identical."
    listed = "is not listed" if pair.more == 1 else "are not listed"
    return f"{pair.more:,} more {plural(pair.more, 'file')} {listed}." if pair.more else ""
