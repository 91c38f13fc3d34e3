"""Charts of steps, values and times that no number of a browser holds exactly, or that leave no room for ticks."""

import math
from collections.abc import Iterable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

TOP = 2**63 - 1
BOTTOM = -(2**63)
LARGE = 2**53
FLOAT = 3.0e38
TIME = 1.7e9

CASES: dict[str, Iterable[tuple[int, float, float]]] = {
    "around": [(LARGE - 1 + turn, turn, TIME + turn) for turn in range(5)],
    "below": [(LARGE - 6 + turn, turn, TIME + turn) for turn in range(5)],
    "negative": [(-LARGE - 9 + turn, turn, TIME + turn) for turn in range(5)],
    "top": [(TOP - 2 + turn, turn, TIME) for turn in range(3)],
    "apart": [(0, 1.0, TIME), (2**62, 2.0, TIME)],
    "ends": [(BOTTOM, 1.0, TIME), (0, 3.0, TIME), (TOP, 2.0, TIME)],
    "one": [(TOP, 1.0, TIME)],
    "equal": [(LARGE * 4, turn, TIME + turn) for turn in range(5)],
    "many": [(LARGE + turn, math.sin(turn), TIME + turn) for turn in range(3000)],
    "nothing": [(turn, math.nan, TIME + turn) for turn in range(5)],
    "infinite": [(turn, math.inf, TIME + turn) for turn in range(5)],
    "close": [(turn, 1e16 + turn * 2**30, TIME) for turn in range(5)],
    "flat": [(turn, 1e17, TIME) for turn in range(5)],
    "wide": [(turn, (-1) ** turn * FLOAT, TIME) for turn in range(5)],
    "tiny": [(turn, 1e-44 * turn, TIME) for turn in range(5)],
    "late": [(turn, turn, 10.0**turn) for turn in range(0, 300, 30)],
    "never": [(turn, turn, (math.nan, math.inf, -math.inf, -1e300, TIME)[turn]) for turn in range(5)],
}


def import_folder(deck: ServedDeck, folder: Path) -> int:
    """Import a folder of event files; the run's number."""
    answer = deck.client.post("/imports", json={"path": str(folder)})
    assert answer.is_success, answer.text
    return answer.json()["runs"][0]


@pytest.fixture(scope="module")
def large(cold_deck: ServedDeck, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Two runs of the same series, of which the second goes on where the first ends."""
    numbers = []
    for turn in range(2):
        folder = tmp_path_factory.mktemp(f"large-{turn}")
        records = [
            scalar(f"g/{tag}", min(step + 3 * turn, TOP), value, time)
            for tag, points in CASES.items()
            for step, value, time in points
        ]
        write(folder / NAME, version(), *records)
        numbers.append(import_folder(cold_deck, folder))
    return numbers


def look_at_all(page: Page, selector: str) -> None:
    """Scroll each chart into view until it is drawn."""
    for tag in CASES:
        chart = page.locator(f"{selector}[data-tag='g/{tag}']")
        chart.scroll_into_view_if_needed()
        expect(chart.locator("canvas")).to_be_visible()


@pytest.mark.parametrize(("axis", "scale"), [("step", "linear"), ("time", "log")])
def test_a_run_of_any_numbers_is_drawn(
    cold_deck: ServedDeck, page: Page, large: list[int], axis: str, scale: str
) -> None:
    page.goto(f"{cold_deck.url}/runs/{large[0]}#charts")
    wait_until_ready(page)
    page.locator("#x-axis").select_option(axis)
    page.get_by_label("Log scale").set_checked(scale == "log")
    page.get_by_label("Smoothing").fill("0.5")
    look_at_all(page, "#all-charts .chart")


def test_the_chart_says_which_step_it_is_drawn_from(cold_deck: ServedDeck, page: Page, large: list[int]) -> None:
    page.goto(f"{cold_deck.url}/runs/{large[0]}#charts")
    wait_until_ready(page)
    for tag, last, origin in (
        ("around", "9,007,199,254,740,995", "9,007,199,254,740,991"),
        ("top", "9,223,372,036,854,775,807", "9,223,372,036,854,775,805"),
        ("ends", "9,223,372,036,854,775,807", "-9,223,372,036,854,775,808"),
    ):
        chart = page.locator(f"#all-charts .chart[data-tag='g/{tag}']")
        chart.scroll_into_view_if_needed()
        note = chart.locator(".chart-note")
        expect(note).to_contain_text(f"step {last} ·")
        expect(note).to_contain_text(f"drawn from step {origin}")
    below = page.locator("#all-charts .chart[data-tag='g/below']")
    below.scroll_into_view_if_needed()
    expect(below.locator(".chart-note")).to_contain_text("step 9,007,199,254,740,990")
    expect(below.locator(".chart-note")).not_to_contain_text("drawn from")


def test_each_step_beyond_2_to_53_has_its_own_place(cold_deck: ServedDeck, page: Page, large: list[int]) -> None:
    page.goto(f"{cold_deck.url}/runs/{large[0]}#charts")
    wait_until_ready(page)
    chart = page.locator("#all-charts .chart[data-tag='g/around']")
    chart.scroll_into_view_if_needed()
    over = chart.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    seen = []
    for turn in range(5):
        over.hover(position={"x": 2 + (box["width"] - 4) * turn / 4, "y": 20})
        seen.append(chart.locator(".chart-value").text_content())
    assert seen == ["0", "1", "2", "3", "4"]


def test_runs_of_any_numbers_are_compared(cold_deck: ServedDeck, page: Page, large: list[int]) -> None:
    page.goto(f"{cold_deck.url}/compare?runs={large[0]},{large[1]}")
    wait_until_ready(page)
    page.get_by_role("button", name="Show all").click()
    look_at_all(page, ".overlay")
    around = page.locator(".overlay[data-tag='g/around']")
    expect(around.locator(".chart-head")).to_contain_text("drawn from step 9,007,199,254,740,991")


def test_zooming_in_at_large_steps_ends(cold_deck: ServedDeck, page: Page, large: list[int]) -> None:
    page.goto(f"{cold_deck.url}/runs/{large[0]}#charts")
    wait_until_ready(page)
    chart = page.locator("#all-charts .chart[data-tag='g/below']")
    chart.scroll_into_view_if_needed()
    over = chart.locator(".u-over")
    for _ in range(6):
        box = over.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=3)
        page.mouse.up()
    assert page.evaluate("1 + 1") == 2
