"""What holds for every page."""

import subprocess
import sys
from pathlib import Path

import pytest

from pages.markup import Element, every, read
from pages.sample_comparison import comparison
from pages.sample_runs import deck_state, run_view
from traindeck.pages.compare_page import render_compare
from traindeck.pages.error_page import render_error
from traindeck.pages.frontend import HIDDEN, show_hidden, static_folder, static_version
from traindeck.pages.launch_page import TrainerView, render_launch
from traindeck.pages.run_page import render_run
from traindeck.pages.runs_page import ListQuery, render_runs
from traindeck.runs.view import RunPage

SCHEMA = {"properties": {"epochs": {"type": "integer", "default": 3}}}
PAGES = {
    "runs": lambda: render_runs(
        RunPage(items=[run_view()], next_cursor="x", total=2), query=ListQuery(), deck=deck_state(), fragment=False
    ),
    "run": lambda: render_run(
        run_view(),
        history=[],
        attempts=[1, 2],
        trainer_title=None,
        checkpoint="/d/runs/42/attempt-1/work/a.pt",
        fragment=False,
        deck=deck_state(),
    ),
    "compare": lambda: render_compare(comparison(), deck=deck_state()),
    "launch": lambda: render_launch([TrainerView("a", "A", "", SCHEMA)], [], None, {}, deck_state()),
    "error": lambda: render_error(404, "There is no run 42", "It may have been deleted.", "ab12"),
}


@pytest.fixture(params=list(PAGES))
def page(request: pytest.FixtureRequest) -> Element:
    return read(PAGES[request.param]())


def test_no_page_has_inline_script_or_style(page: Element) -> None:
    for element in every(page):
        assert "style" not in element.attributes
        assert not [name for name in element.attributes if name.startswith(("on", "hx-on"))]
        assert element.tag != "style"
        assert element.tag != "script" or element.attributes["src"].startswith("/static/")


def test_every_static_file_that_a_page_names_exists(page: Element) -> None:
    named = [each.attributes.get(name, "") for each in every(page) for name in ("src", "href")]
    files = [address for address in named if address.startswith("/static/")]
    assert files
    for address in files:
        assert (static_folder() / address.removeprefix(f"/static/{static_version()}/")).is_file(), address


def test_every_icon_that_a_page_uses_is_in_its_sprite(page: Element) -> None:
    there = {f"#{symbol.attributes['id']}" for symbol in page.all("symbol")}
    assert {use.attributes["href"] for use in page.all("use")} <= there


def test_no_id_stands_twice(page: Element) -> None:
    ids = [each.attributes["id"] for each in every(page) if "id" in each.attributes]
    assert sorted(ids) == sorted(set(ids))


def test_every_description_and_label_refers_to_something(page: Element) -> None:
    ids = {each.attributes["id"] for each in every(page) if "id" in each.attributes}
    for element in every(page):
        for name in ("aria-describedby", "aria-labelledby", "aria-controls"):
            assert set(element.attributes.get(name, "").split()) <= ids


def test_every_button_has_a_name(page: Element) -> None:
    for button in page.all("button"):
        named_later = button.attributes.get("id") == "confirm-yes"
        assert button.words() or button.attributes.get("aria-label") or named_later


def test_an_error_names_its_reference_only_where_there_is_one() -> None:
    words = read(PAGES["error"]()).words()
    assert "The log of the server has details" in words
    assert "ab12" in words
    assert "has details" not in read(render_error(404, "No", "Not here.", None)).words()


def test_importing_the_pages_reads_no_file_of_theirs() -> None:
    code = "import traindeck.pages.run_page, traindeck.pages.frontend as e; assert e.environment.cache_info().currsize == 0"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2] / "backend")


def test_no_hidden_character_passes_for_printable() -> None:
    hidden = [chr(code) for code in range(0x110000) if HIDDEN.match(chr(code))]
    assert len(hidden) > 2000
    assert all(show_hidden(f"a{character}b") == f"a[U+{ord(character):04X}]b" for character in hidden)
