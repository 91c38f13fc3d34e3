"""What a user can set, call or see is in the docs, and what the docs link to is there."""

import re
from pathlib import Path

import pytest

from traindeck.app import create_app
from traindeck.runs.status import Status
from traindeck.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def test_every_setting_is_documented_with_its_variable() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"`TRAINDECK_{name.upper()}`" not in text]
    assert missing == []


def test_every_route_is_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs/http.md").read_text()
    paths = create_app(Settings(home=tmp_path)).openapi()["paths"]
    calls = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    shown = [call.replace("{run_id}", "42").replace("{path}", "PATH") for call in calls]
    assert [call for call in shown if f"`{call}`" not in text] == []


def test_every_status_is_drawn() -> None:
    text = (ROOT / "docs/runs.md").read_text()
    assert [status for status in Status if status not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
