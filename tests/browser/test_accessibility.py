"""Every page holds axe-core's rules, in light and in dark, wide and narrow, and never scrolls sideways."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.axe import violations
from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

LOOKS = {
    "light and wide": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"},
    "dark and narrow": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
}
OPTIONS = Path(__file__).parent / "scripts" / "thirty_options.py"
WRITES = """
import pathlib, shutil, sys
print("\\x1b[31mred\\x1b[0m \\x1b[32mgreen\\x1b[0m \\x1b[33myellow\\x1b[0m \\x1b[36mcyan\\x1b[0m \\x1b[2mdim\\x1b[0m")
pathlib.Path("a-rather-long-name-of-a-file-that-a-run-may-write-into-its-folder.txt").write_text("x")
shutil.copy(sys.argv[1], ".")
"""
TAGS = ("Loss/train", "Loss/validation", "Accuracy/validation", "Learning rate")


@pytest.fixture(params=list(LOOKS))
def context_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How the page is looked at."""
    return LOOKS[request.param]


@pytest.fixture(scope="module")
def busy_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with a run of each kind: completed with curves, failed, cancelled, running, queued."""
    root = tmp_path_factory.mktemp("busy")
    curves = write(root / NAME, version(), *(scalar(tag, step, 1 / (step + 1)) for step in range(30) for tag in TAGS))
    deck = ServedDeck(root / "home", cpus=1, grace_seconds=1, cold=True)
    deck.start()
    script = {"source": WRITES, "filename": "script.py", "args": [str(curves)]}
    deck.wait_until_ended(deck.launch(script=script, name="with-curves", tags=["baseline"], notes="A note.")["id"])
    deck.wait_until_ended(deck.launch("raise ValueError('no data')", name="fails")["id"])
    deck.launch("import time\nwhile True: time.sleep(1)", name="goes-on")
    deck.client.post(f"/runs/{deck.launch('', name='not-wanted')['id']}/cancel", json={})
    deck.launch(trainer="mnist", name="waits", tags=["seeds", "a-tag-that-is-rather-long-for-a-tag"])
    yield deck
    deck.end()


@pytest.fixture(scope="module")
def empty_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck on which nothing was ever launched."""
    deck = ServedDeck(tmp_path_factory.mktemp("empty") / "home", cold=True)
    deck.start()
    yield deck
    deck.end()


def show_empty_list(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs?q=nothing-is-called-so")
    expect(page.get_by_role("heading", name="No run matches")).to_be_visible()


def show_list(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs")
    expect(page.locator(".row")).to_have_count(5)


def show_launch(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/launch?trainer=mnist")
    page.locator("summary").evaluate_all("all => all.forEach((each) => each.click())")


def show_launch_with_errors(page: Page, deck: ServedDeck) -> None:
    show_launch(page, deck)
    wait_until_ready(page)
    page.locator("#param-epochs").fill("0")
    page.locator("#param-seed").fill("7")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("#error-epochs")).to_be_visible()


def show_script_form(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/launch")
    wait_until_ready(page)
    page.get_by_role("tab", name="Your own script").click()
    page.get_by_role("radio", name="Paste").check()
    expect(page.get_by_role("textbox", name="Source", exact=True)).to_be_visible()


def show_options(page: Page, deck: ServedDeck) -> None:
    # By another page: from the form itself this address would only open a tab of it, as it was left.
    page.goto(f"{deck.url}/runs")
    page.goto(f"{deck.url}/launch#script")
    wait_until_ready(page)
    page.get_by_label("Path").fill(str(OPTIONS))
    expect(page.locator("#option-lr")).to_be_visible()
    page.locator("#option-lr").fill("fast")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("#options .field-error:visible")).to_have_count(2)


def show_upload(page: Page, deck: ServedDeck) -> None:
    # By another page: from the form itself this address would only open a tab of it, as it was left.
    page.goto(f"{deck.url}/runs")
    page.goto(f"{deck.url}/launch#script")
    wait_until_ready(page)
    page.get_by_role("radio", name="Upload").check()
    page.locator("#upload-file").set_input_files(OPTIONS)
    expect(page.get_by_label("Start", exact=True)).to_be_visible()


def show_repeat(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/launch?from=1")
    expect(page.get_by_role("radio", name="The code of run 1")).to_be_checked()


def show_tab(name: str, shown: str, run_id: int = 1) -> Callable[[Page, ServedDeck], None]:
    def show(page: Page, deck: ServedDeck) -> None:
        page.goto(f"{deck.url}/runs/{run_id}#{name}")
        expect(page.locator(shown).first).to_be_visible()

    return show


def show_dialog(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs/1")
    wait_until_ready(page)
    page.get_by_role("button", name="Delete this run").click()


def show_edit(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs/1")
    wait_until_ready(page)
    page.get_by_role("button", name="Edit name, tags, and notes").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def show_chosen(page: Page, deck: ServedDeck) -> None:
    show_list(page, deck)
    wait_until_ready(page)
    for run_id in (1, 2):
        page.get_by_label(f"Choose run {run_id}").check()
    expect(page.get_by_role("button", name="Compare 2 runs")).to_be_visible()


def show_comparison(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/compare?runs=1,2,3,5")
    expect(page.locator(".overlay canvas").first).to_be_visible()
    expect(page.locator(".diff .d-add").first).to_be_visible()
    for switch in page.locator(".show-equal").all():
        switch.check()


def show_compare_dialog(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs/1")
    wait_until_ready(page)
    page.locator("#act-compare").click()
    page.get_by_role("dialog").get_by_role("checkbox").first.check()


def show_setup(page: Page, deck: ServedDeck) -> None:
    show_tab("setup", "#packages")(page, deck)
    page.locator(".code-file summary").first.click()
    expect(page.locator(".code-file .code span").first).to_be_visible()


def show_error(page: Page, deck: ServedDeck) -> None:
    page.goto(f"{deck.url}/runs/999")


PAGES = {
    "list without a match": show_empty_list,
    "busy list": show_list,
    "launch": show_launch,
    "launch with errors": show_launch_with_errors,
    "script": show_script_form,
    "options with errors": show_options,
    "upload": show_upload,
    "edit and run": show_repeat,
    "overview": show_tab("overview", "#main-charts canvas"),
    "overview of a failed run": show_tab("overview", ".reason", 2),
    "overview of a running run": show_tab("overview", "#act-cancel", 3),
    "overview of a queued run": show_tab("overview", ".charts-none", 5),
    "charts": show_tab("charts", "#all-charts canvas"),
    "log": show_tab("log", "#log-text .log-line"),
    "TensorBoard": show_tab("tensorboard", "#board[src]"),
    "files": show_tab("files", "#file-rows tr"),
    "setup": show_setup,
    "setup of a queued run": show_tab("setup", ".setup", 5),
    "chosen runs": show_chosen,
    "comparison": show_comparison,
    "runs to compare with": show_compare_dialog,
    "confirmation": show_dialog,
    "edit": show_edit,
    "error": show_error,
}


def test_every_page_holds_the_rules_and_fits_the_window(
    busy_deck: ServedDeck, page: Page, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    wrong = []
    for name, show in PAGES.items():
        show(page, busy_deck)
        wait_until_ready(page)
        wrong += [f"{name}: {found}" for found in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{name}: scrolls sideways")
    assert wrong == []


def test_an_empty_deck_holds_the_rules(empty_deck: ServedDeck, page: Page) -> None:
    page.goto(empty_deck.url)
    wait_until_ready(page)
    expect(page.get_by_role("button", name="Launch a first run")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
