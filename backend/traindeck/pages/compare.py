"""The page that shows runs beside each other."""

import json
from dataclasses import dataclass

from traindeck.pages.badge import Badge, badge
from traindeck.pages.compared import Section, sections
from traindeck.pages.deck import DeckState, Shell
from traindeck.pages.difference import CodePair, code_pairs
from traindeck.pages.environment import render
from traindeck.pages.metrics import main_tags
from traindeck.runs.comparison import ComparedRun, Comparison

COLOURS = 8
"""As many as there are --run-N in tokens.css, and as runs can be compared."""
FEW = 5
"""Columns that fit beside each other on a wide screen, so that their heads may stay in view."""


@dataclass(frozen=True, slots=True)
class Column:
    """One run. `colour` is from 1 to 8; `without_url` compares the others, "" where fewer than two would be left."""

    id: int
    name: str
    url: str
    badge: Badge
    program: str
    tags: list[str]
    colour: int
    without_url: str


@dataclass(frozen=True, slots=True)
class CompareContext:
    """Runs in columns. `curves` and `tags` are JSON for the charts: whose curves, and of which scalars."""

    shell: Shell
    columns: list[Column]
    sections: list[Section]
    code: list[CodePair]
    curves: str
    tags: str
    few: bool
    full: bool
    chosen: str


def render_compare(comparison: Comparison, *, deck: DeckState | None = None) -> str:
    """Two to eight runs as a page."""
    return render("compare/page.html", _context(comparison, deck))


def _context(comparison: Comparison, deck: DeckState | None) -> CompareContext:
    runs = comparison.runs
    colours = run_colours([run.id for run in runs])
    columns = [_column(run, colours[run.id], runs) for run in runs]
    curves = [{"id": each.id, "name": each.name, "colour": each.colour} for each in columns]
    return CompareContext(
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


def _column(run: ComparedRun, colour: int, runs: list[ComparedRun]) -> Column:
    others = [str(other.id) for other in runs if other.id != run.id]
    return Column(
        id=run.id,
        name=run.name,
        url=f"/runs/{run.id}",
        badge=badge(run.status),
        program=run.program,
        tags=run.tags,
        colour=colour,
        without_url=f"/compare?runs={','.join(others)}" if len(others) > 1 else "",
    )


def run_colours(run_ids: list[int]) -> dict[int, int]:
    """A colour for each run, by its number: whoever joins or leaves, most keep theirs. No two share one."""
    taken: dict[int, int] = {}
    for run_id in sorted(run_ids):
        wanted = range(run_id, run_id + COLOURS)
        taken[run_id] = next(
            (at % COLOURS + 1 for at in wanted if at % COLOURS + 1 not in taken.values()), run_id % COLOURS + 1
        )
    return taken


def _tags(comparison: Comparison) -> list[str]:
    """Every scalar that one of the runs has: those of the most runs first, and of these those to draw first."""
    written = {row.tag: [value for value in row.values if value] for row in comparison.metrics.rows}
    metrics = {tag: values[0] for tag, values in written.items() if values}
    said = {row.tag: row.better for row in comparison.metrics.rows}
    return sorted(main_tags(metrics, limit=len(metrics), said=said), key=lambda tag: -len(written[tag]))
