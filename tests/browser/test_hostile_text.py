"""Text of strangers is shown as text wherever it appears."""

import shlex

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from support.served import ServedDeck

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>'&"
OVERRIDE = "safe\u202egnp.exe"
SHOWN_OVERRIDE = "safe[U+202E]gnp.exe"
LONG = "w" * 200
FILE = "<img src=x onerror=alert(1)>\u202e.txt"

WRITES = f"""
import pathlib
from torch.utils.tensorboard import SummaryWriter
print({MARKUP!r})
print({OVERRIDE!r})
pathlib.Path({FILE!r}).write_text("x")
with SummaryWriter() as writer:
    for step in range(3):
        writer.add_scalar({MARKUP!r}, step, step)
raise ValueError({MARKUP!r})
"""


@pytest.fixture(scope="module")
def hostile_run(shared_deck: ServedDeck) -> int:
    """A run all of whose text is hostile."""
    script = {"source": WRITES, "filename": "train.py", "args": [MARKUP, OVERRIDE]}
    run = shared_deck.launch(script=script, name=MARKUP, tags=[MARKUP, OVERRIDE], notes=f"{MARKUP}\n{OVERRIDE}")
    shared_deck.wait_for_status(run["id"], "failed")
    return run["id"]


@pytest.fixture
def page(page: Page) -> Page:
    """A tab in which no dialog may open."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script of a stranger ran: {dialog.message}"))
    return page


def assert_nothing_ran(page: Page) -> None:
    assert "owned" not in page.title().replace(MARKUP, "")
    assert page.locator("main img, main script").count() == 0


def test_the_list_shows_it_as_text(shared_deck: ServedDeck, page: Page, hostile_run: int) -> None:
    page.goto(f"{shared_deck.url}/runs")
    row = page.locator(f"#run-{hostile_run}")
    expect(row.locator(".run-name")).to_have_text(MARKUP)
    expect(row.locator(".tag")).to_have_text([MARKUP, SHOWN_OVERRIDE])
    expect(row.locator(".c-metric .metric-tag")).to_have_text(MARKUP)
    expect(row.locator(".note")).to_contain_text(MARKUP)
    assert_nothing_ran(page)


def test_the_page_of_the_run_shows_it_as_text(shared_deck: ServedDeck, page: Page, hostile_run: int) -> None:
    page.goto(f"{shared_deck.url}/runs/{hostile_run}")
    wait_until_ready(page)
    expect(page).to_have_title(f"{MARKUP} · Failed · Traindeck")
    expect(page.locator("h1")).to_have_text(MARKUP)
    expect(page.locator(".notes")).to_have_text(f"{MARKUP}\n{SHOWN_OVERRIDE}")
    expect(page.get_by_role("note")).to_contain_text(MARKUP)
    expect(page.locator("#run-facts")).to_contain_text(SHOWN_OVERRIDE)
    expect(page.locator("#main-charts .chart-tag")).to_have_text(MARKUP)
    expect(page.locator("#main-charts canvas")).to_be_visible()
    page.get_by_role("tab", name="Log").click()
    expect(page.locator("#log-text .log-line").nth(0)).to_have_text(MARKUP)
    expect(page.locator("#log-text .log-line").nth(1)).to_have_text(SHOWN_OVERRIDE)
    page.get_by_role("tab", name="Files").click()
    expect(page.locator("#file-rows a").first).to_have_text(FILE.replace("\u202e", "[U+202E]"))
    page.get_by_role("tab", name="Charts").click()
    expect(page.locator("#all-charts canvas")).to_be_visible()
    assert_nothing_ran(page)


def test_a_form_filled_in_from_it_holds_it_exactly(shared_deck: ServedDeck, page: Page, hostile_run: int) -> None:
    page.goto(f"{shared_deck.url}/launch?from={hostile_run}")
    wait_until_ready(page)
    expect(page.get_by_label("Source", exact=True)).to_have_value(WRITES)
    expect(page.get_by_label("Tags", exact=True)).to_have_value(f"{MARKUP}, {OVERRIDE}")
    assert shlex.split(page.locator("#script-args").input_value()) == [MARKUP, OVERRIDE]
    assert_nothing_ran(page)


def test_the_longest_name_breaks_no_page(cold_deck: ServedDeck, page: Page) -> None:
    run = cold_deck.launch("print(1)", name=LONG, tags=[LONG[:100], OVERRIDE], notes=LONG * 3)
    for path in ("/runs", f"/runs/{run['id']}"):
        page.goto(f"{cold_deck.url}{path}")
        wait_until_ready(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
