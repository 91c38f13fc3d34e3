"""Choosing runs in the list, by mouse and by keys, and getting from there to their comparison."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.readiness import wait_until_ready
from browser.test_layout_shift import OBSERVE, assert_nothing_jumped
from support.served import ServedDeck

WAITS_FOR_A_FILE = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with runs 1 to 10, newest first in the list."""
    deck = ServedDeck(tmp_path_factory.mktemp("listed") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    for number in range(1, 11):
        deck.launch("", name=f"run-{number}", tags=["even"] if number % 2 == 0 else [])
    deck.wait_until_ended(10)
    yield deck
    deck.end()


def open_list(page: Page, deck: ServedDeck, query: str = "") -> None:
    page.goto(f"{deck.url}/runs{query}")
    wait_until_ready(page)


def box(page: Page, run_id: int) -> Locator:
    return page.get_by_role("checkbox", name=f"Choose run {run_id}", exact=True)


def chosen(page: Page) -> list[str]:
    return page.locator(".pick:checked").evaluate_all("all => all.map((box) => box.value)")


def test_chosen_runs_are_compared_in_the_order_in_which_they_were_chosen(listed: ServedDeck, page: Page) -> None:
    open_list(page, listed)
    bar = page.get_by_role("region", name="Chosen runs")
    expect(bar).to_be_hidden()
    box(page, 3).check()
    expect(bar).to_contain_text("1 run chosen. Choose another to compare.")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    box(page, 7).check()
    bar.get_by_role("button", name="Compare 2 runs").click()
    page.wait_for_url(re.compile(r"/compare\?runs=3,7$"))
    expect(page.locator(".compare thead th bdi").first).to_have_text("run-3")


def test_shift_chooses_all_between_two_presses(listed: ServedDeck, page: Page) -> None:
    open_list(page, listed)
    box(page, 8).check()
    box(page, 5).click(modifiers=["Shift"])
    assert chosen(page) == ["8", "7", "6", "5"]
    box(page, 7).uncheck()
    box(page, 6).click(modifiers=["Shift"])
    assert chosen(page) == ["8", "5"]


def test_every_run_on_the_page_is_chosen_at_once_and_too_many_cannot_be_compared(
    listed: ServedDeck, page: Page
) -> None:
    open_list(page, listed)
    every = page.get_by_label("Choose every run on this page")
    every.check()
    expect(page.locator("#chosen-note")).to_have_text("10 runs chosen. Up to 8 can be compared.")
    expect(page.locator("#compare-chosen")).to_be_disabled()
    box(page, 4).uncheck()
    assert every.evaluate("box => box.indeterminate") is True
    page.get_by_role("button", name="Clear").click()
    assert chosen(page) == []
    expect(page.locator("#chosen")).to_be_hidden()


def test_the_choice_outlives_filtering_and_another_page(listed: ServedDeck, page: Page) -> None:
    open_list(page, listed)
    box(page, 9).check()
    page.get_by_label("Filter runs").fill("tag:even")
    expect(page.locator(".row")).to_have_count(5)
    box(page, 2).check()
    expect(page.locator("#chosen-note")).to_have_text("2 runs chosen")
    page.get_by_role("link", name="run-2").click()
    expect(page.locator("h1")).to_have_text("run-2")
    page.get_by_role("link", name="Runs").first.click()
    expect(page.locator("#chosen-note")).to_have_text("2 runs chosen")
    assert chosen(page) == ["9", "2"]


def test_a_choice_is_kept_while_the_rows_are_renewed_and_moves_nothing(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    page.add_init_script(OBSERVE)
    script = {"source": WAITS_FOR_A_FILE, "filename": "waits.py", "args": [str(tmp_path / "gate")]}
    running = cold_deck.launch(script=script, name="goes-on")["id"]
    other = cold_deck.launch("", name="other")["id"]
    open_list(page, cold_deck)
    expect(page.locator(f"#run-{running} .badge")).to_have_text("Running")
    box(page, running).check()
    box(page, other).check()
    (tmp_path / "gate").touch()
    expect(page.locator(f"#run-{running} .badge")).to_have_text("Completed")
    assert chosen(page) == [str(other), str(running)]
    cold_deck.client.delete(f"/runs/{other}")
    expect(page.locator(f"#run-{other}")).to_have_count(0)
    expect(page.locator("#chosen-note")).to_contain_text("1 run chosen")


def test_choosing_a_run_moves_nothing_on_the_page(listed: ServedDeck, page: Page) -> None:
    page.add_init_script(OBSERVE)
    open_list(page, listed)
    box(page, 3).check()
    expect(page.locator("#chosen")).to_be_visible()
    assert_nothing_jumped(page)


def test_runs_are_chosen_and_compared_with_keys_alone(listed: ServedDeck, page: Page) -> None:
    open_list(page, listed)
    keys = page.keyboard
    for key in ("j", "x", "j", "j", "x"):
        keys.press(key)
    assert chosen(page) == ["10", "8"]
    keys.press("c")
    page.wait_for_url(re.compile(r"/compare\?runs=10,8$"))


def test_a_press_beside_the_box_chooses_and_does_not_open_the_run(listed: ServedDeck, page: Page) -> None:
    open_list(page, listed)
    page.locator("#run-6 .c-pick").click(position={"x": 4, "y": 4})
    assert chosen(page) == ["6"]
    expect(page).to_have_url(re.compile(r"/runs$"))
