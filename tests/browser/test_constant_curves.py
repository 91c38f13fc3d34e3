"""The y axis of a curve that never changes: a small range around its value."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

WATCH = """
const fill = CanvasRenderingContext2D.prototype.fillText;
window.labels = {};
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  const tag = this.canvas.closest("[data-tag]")?.dataset.tag;
  if (tag && this.textAlign === "right") (window.labels[tag] ??= []).push(Number(text));
  return fill.call(this, text, ...place);
};
"""
CONSTANTS = {"zero": 0.0, "rate": 1e-4, "negative": -3.0, "one": 1.0}


@pytest.fixture(scope="module")
def constant(cold_deck: ServedDeck, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A run of curves that keep one value."""
    folder: Path = tmp_path_factory.mktemp("constant")
    records = [scalar(tag, step, value) for tag, value in CONSTANTS.items() for step in range(3)]
    write(folder / NAME, version(), *records)
    answer = cold_deck.client.post("/imports", json={"path": str(folder)})
    assert answer.is_success, answer.text
    return int(answer.json()["runs"][0])


@pytest.mark.parametrize("tag", list(CONSTANTS))
def test_the_axis_of_a_constant_is_a_small_range_around_it(
    cold_deck: ServedDeck, page: Page, constant: int, tag: str
) -> None:
    page.add_init_script(WATCH)
    page.goto(f"{cold_deck.url}/runs/{constant}#charts")
    wait_until_ready(page)
    chart = page.locator(f"#all-charts .chart[data-tag='{tag}']")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas")).to_be_visible()
    page.wait_for_function("tag => window.labels[tag]?.length > 1", arg=tag)
    labels = page.evaluate("tag => window.labels[tag]", tag)
    value = CONSTANTS[tag]
    room = 0.11 * (abs(value) or 1)
    assert value - room <= min(labels) < max(labels) <= value + room
    assert min(abs(label - value) for label in labels) <= 1e-6 * (abs(value) or 1)
