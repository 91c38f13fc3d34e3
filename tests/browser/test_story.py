"""The main job from end to end: launch a run from the form, watch it train, read a scalar in its TensorBoard."""

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from browser.boards import hovered_point
from support.served import ServedDeck

STEPS = 300
TRAINING_SECONDS = 90


def launch_from_the_form(page: Page, deck: ServedDeck) -> int:
    page.goto(f"{deck.url}/launch?trainer=mnist")
    page.get_by_label("Name", exact=True).fill("first convnet")
    page.get_by_label("Tags", exact=True).fill("baseline, story")
    page.locator("details:has(#param-max_steps) summary").click()
    for name, value in {"max_steps": STEPS, "log_every": 20, "histogram_every": 0}.items():
        page.locator(f"#param-{name}").fill(str(value))
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rpartition("/")[2])


WATCH = """() => {
  window.titles = new Set([document.title]);
  window.positions = [];
  new MutationObserver(() => {
    window.titles.add(document.title);
    const bar = document.querySelector("#run-progress progress");
    // Before the first step it only says that something is done.
    if (bar && bar.position >= 0) window.positions.push(bar.position);
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


def assert_same_point(deck: ServedDeck, run_id: int, board: FrameLocator | Page) -> None:
    step, value = hovered_point(board, "Loss/train")
    series = deck.client.get(f"/runs/{run_id}/scalars", params={"tag": "Loss/train"}).json()["series"][0]
    written = dict(zip(series["steps"], series["values"], strict=True))
    assert value == pytest.approx(written[step], rel=1e-3)


def test_a_run_is_launched_watched_and_read_in_tensorboard(shared_deck: ServedDeck, page: Page) -> None:
    run_id = launch_from_the_form(page, shared_deck)
    page.evaluate(WATCH)
    expect(page.locator("h1")).to_have_text("first convnet")
    expect(page.locator("#run-progress")).to_have_attribute("data-attempt", "1")

    curve = page.locator("#main-charts .chart[data-tag='loss/train']")
    expect(curve.locator("canvas")).to_be_visible(timeout=TRAINING_SECONDS * 1000)
    expect(page.locator("#run-head .badge")).to_have_text("Completed", timeout=TRAINING_SECONDS * 1000)
    expect(curve.locator(".chart-note")).to_contain_text(f"step {STEPS}")
    # What was seen until now shows that the page was never reloaded, too.
    between = [position for position in page.evaluate("window.positions") if 0 < position < 1]
    assert between == sorted(between)
    assert len(set(between)) > 1
    assert [title for title in page.evaluate("[...window.titles]") if re.match(r"\d+% first convnet", title)]

    page.get_by_role("tab", name="TensorBoard").click()
    assert_same_point(shared_deck, run_id, page.frame_locator("#board"))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in a tab of its own").click()
    assert_same_point(shared_deck, run_id, opened.value)


def test_an_empty_deck_has_one_button_that_launches_a_first_run(deck: ServedDeck, page: Page) -> None:
    page.goto(deck.url)
    expect(page.get_by_role("heading", level=2)).to_have_text("No runs yet")
    expect(page.locator("main .button.primary:visible")).to_have_count(1)
    page.get_by_role("main").get_by_role("button", name="Launch a first run").click()
    page.wait_for_url(f"{deck.url}/runs/1")
    assert deck.run(1)["trainer"] == "mnist"
    deck.client.post("/runs/1/cancel", json={})
    expect(page.locator("#run-head .badge")).to_have_text("Cancelled")
