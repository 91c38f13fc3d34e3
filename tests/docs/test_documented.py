"""What a user can set, call or see is in the docs."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter

from docs.blocks import DOCS, ROOT, section_of
from traindeck.api import compare, problems, programs, runs, scalars, site, uploads
from traindeck.app import create_app
from traindeck.launches import importing, requests
from traindeck.runner.program import Program, ProgramKind
from traindeck.runs.comparison import Comparison
from traindeck.runs.filters import COLUMNS, DIVERGED, OPERATORS
from traindeck.runs.sorting import SORT_COLUMNS
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView, ProgressView, RecordView, Resources, RunPage, RunView
from traindeck.settings import Settings

HTTP = DOCS / "http.md"


@pytest.fixture(scope="module")
def openapi(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(Settings(home=tmp_path_factory.mktemp("home"))).openapi()


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        shown = path.replace("{run_id}", "42").replace("{path}", "PATH")
        yield from ((f"{method.upper()} {shown}", operation) for method, operation in methods.items())


def test_every_setting_is_documented_with_its_variable() -> None:
    text = (DOCS / "settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`TRAINDECK_{name.upper()}`" not in text]
    assert missing == []


def test_the_documented_defaults_and_bounds_of_the_settings_are_those_of_the_code() -> None:
    rows = (DOCS / "settings.md").read_text().splitlines()
    for name, field in Settings.model_fields.items():
        (row,) = [row for row in rows if f"`TRAINDECK_{name.upper()}`" in row and row.startswith("|")]
        numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", row.replace(",", ""))}
        limits = {getattr(bound, side) for bound in field.metadata for side in ("ge", "le") if hasattr(bound, side)}
        default = {field.default} if type(field.default) in (int, float) else set()
        derived = {"cpus": set(), "home": set(), "host": set(), "gpus": set(), "cold": set()}
        assert {float(one) for one in limits | derived.get(name, default)} <= numbers, row


def test_every_route_is_documented(openapi: dict[str, Any]) -> None:
    text = section_of(HTTP, "Routes")
    shown = [call for call, _ in operations(openapi)]
    assert [call for call in shown if not re.search(rf"`{re.escape(call)}`", text)] == []


def test_no_route_is_documented_that_is_not_there(openapi: dict[str, Any]) -> None:
    known = {call for call, _ in operations(openapi)}
    named = re.findall(r"^\| `([A-Z]+ \S+)` \|", section_of(HTTP, "Routes"), re.MULTILINE)
    beside = {"GET /runs/42/tensorboard/"}
    assert set(named) - beside <= known


def test_every_query_parameter_is_documented(openapi: dict[str, Any]) -> None:
    text = HTTP.read_text()
    asked = {
        one["name"]
        for _, operation in operations(openapi)
        for one in operation.get("parameters", ())
        if one["in"] != "path"
    }
    assert [name for name in sorted(asked) if not re.search(rf"`{name}[`=]", text, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("Launch a run", requests.LaunchBody),
        ("Launch a run", requests.ScriptBody),
        ("Launch a run", Resources),
        ("Fields of a run", RunView),
        ("Fields of a run", Program),
        ("Fields of a run", ProgressView),
        ("Fields of a run", MetricView),
        ("List runs", RunPage),
        ("Send files", uploads.UploadView),
        ("Inspect a script", programs.ScriptOptions),
        ("Import folders", importing.ImportView),
        ("Scalars", scalars.Scalars),
        ("Scalars", scalars.SeriesView),
        ("Records", RecordView),
        ("Compare runs", Comparison),
        ("Errors", problems.Problem),
        ("Errors", problems.FieldProblem),
        ("Routes", runs.EditBody),
        ("Routes", importing.ImportBody),
        ("Routes", compare.DirectionBody),
        ("Routes", site.Health),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_field_is_documented(title: str, model: type[BaseModel | Program]) -> None:
    text = section_of(HTTP, title)
    names = TypeAdapter(model).json_schema(mode="serialization")["properties"]
    assert [name for name in names if not re.search(rf"[`\"]{name}[`\":]", text)] == []


def test_every_kind_of_script_is_documented() -> None:
    assert [kind for kind in get_args(ProgramKind) if f"`{kind}`" not in section_of(HTTP, "Fields of a run")] == []


def test_every_refusal_is_documented(openapi: dict[str, Any]) -> None:
    statuses = {int(status) for _, operation in operations(openapi) for status in operation["responses"]}
    rows = {int(row) for row in re.findall(r"^\| (\d+) \|", section_of(HTTP, "Errors"), re.MULTILINE)}
    assert {status for status in statuses if status >= 400} <= rows
    assert rows <= {status.value for status in HTTPStatus}


@pytest.mark.parametrize("page", [DOCS / "runs.md", HTTP], ids=lambda page: page.name)
def test_every_status_is_documented(page: Path) -> None:
    text = page.read_text()
    assert [status for status in Status if f"`{status}`" not in text] == []


def test_every_field_and_operator_of_a_filter_is_documented() -> None:
    text = section_of(DOCS / "runs.md", "The filter")
    assert [name for name in (*COLUMNS, "tag") if not re.search(rf"`{name}[`:]", text)] == []
    assert [operator for operator in OPERATORS if f"{operator}" not in text] == []
    assert f"`is:{DIVERGED}`" in text


def test_every_order_of_the_list_is_documented() -> None:
    text = section_of(HTTP, "List runs")
    assert [name for name in (*SORT_COLUMNS, "created", "params.NAME", "metrics.TAG") if f"`{name}`" not in text] == []


def test_every_way_of_the_context_of_a_trainer_is_documented() -> None:
    from traindeck.trainers.context import RunContext

    own = {name for name in vars(RunContext) if not name.startswith("_")} - {"request_stop", "close"}
    set_at_start = {"run_id", "attempt", "work", "datasets", "cpus", "checkpoints"}
    text = (DOCS / "trainers.md").read_text()
    assert [name for name in sorted(own | set_at_start) if f"`context.{name}" not in text] == []


def test_every_better_direction_is_documented() -> None:
    from traindeck.runs.directions import Better

    names = [one.value for one in Better] if hasattr(Better, "__members__") else get_args(Better)
    assert [name for name in names if f"`{name}`" not in section_of(HTTP, "Compare runs")] == []


def test_the_bar_above_tensorboard_says_what_is_documented() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \|$", section_of(DOCS / "tensorboard.md", "On the page of a run"), re.MULTILINE
    )
    said = [re.split(r" · | \d|, \d", row.strip("… "))[0] for row in rows if row not in ("text", "---")]
    source = (ROOT / "frontend/static/js/board-words.js").read_text()
    assert len(said) == 5
    assert [words for words in said if words not in source] == []
