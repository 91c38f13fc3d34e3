"""The charts of a run with thousands of scalars: what the page makes and asks for does not grow with their number."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

MANY = 3500
AT_FIRST = 200
"""More charts than a screen has, and far fewer than there are."""


def tags(count: int) -> list[str]:
    """Names in groups of ten, and one in seven without a group."""
    return [f"single{turn}" if turn % 7 == 0 else f"layer{turn // 10}/w{turn % 10}" for turn in range(count)]


@pytest.fixture(scope="module")
def many(cold_deck: ServedDeck, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """A run of thousands of scalars, and one that has a few of them."""
    numbers = []
    for count in (MANY, 3):
        folder = tmp_path_factory.mktemp(f"many-{count}")
        write(folder / NAME, version(), *(scalar(tag, step, step) for tag in tags(count) for step in range(2)))
        answer = cold_deck.client.post("/imports", json={"path": str(folder)})
        assert answer.is_success, answer.text
        numbers.append(answer.json()["runs"][0])
    return numbers


def asked_for(page: Page) -> list[str]:
    """The addresses of scalars that the page asks for from now on."""
    asked: list[str] = []

    def heard(request: Request) -> None:
        if "/scalars" in request.url:
            asked.append(request.url)

    page.on("request", heard)
    return asked


def test_few_charts_are_made_at_first_and_all_can_be_reached(
    cold_deck: ServedDeck, page: Page, many: list[int]
) -> None:
    asked = asked_for(page)
    page.goto(f"{cold_deck.url}/runs/{many[0]}#charts")
    wait_until_ready(page)
    charts = page.locator("#all-charts .chart")
    expect(page.locator("#all-charts canvas").first).to_be_visible()
    assert charts.count() < AT_FIRST
    assert page.locator("*").count() < 20 * AT_FIRST
    assert len(asked) < 20
    expect(page.locator("#tag-count")).to_have_text(f"{MANY} of {MANY}")
    before = charts.count()
    page.locator("#all-charts .charts-more").scroll_into_view_if_needed()
    expect(charts.nth(before)).to_be_attached()
    assert charts.count() < before + AT_FIRST


def test_the_filter_finds_charts_that_were_not_made(cold_deck: ServedDeck, page: Page, many: list[int]) -> None:
    page.goto(f"{cold_deck.url}/runs/{many[0]}#charts")
    wait_until_ready(page)
    expect(page.locator("#all-charts canvas").first).to_be_visible()
    query = page.locator("#tag-filter")
    query.fill("LAYER349 w9")
    expect(page.locator("#tag-count")).to_have_text(f"1 of {MANY}")
    expect(page.locator("#all-charts .chart-tag")).to_have_text(["layer349/w9"])
    expect(page.locator("#all-charts .chart-group > h2 .num")).to_have_text("9")
    expect(page.locator("#all-charts canvas")).to_be_visible()
    query.fill("layer34")
    expect(page.locator("#all-charts .chart-tag").first).to_have_text("layer34/w0")
    query.fill("")
    expect(page.locator("#tag-count")).to_have_text(f"{MANY} of {MANY}")
    expect(page.locator("#all-charts .chart-tag").first).to_have_text("single0")
    assert page.locator("#all-charts .chart").count() < AT_FIRST


def test_all_scalars_of_compared_runs_are_offered_and_few_are_made(
    cold_deck: ServedDeck, page: Page, many: list[int]
) -> None:
    page.goto(f"{cold_deck.url}/compare?runs={many[0]},{many[1]}")
    wait_until_ready(page)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#overlays .charts-more")).to_be_attached()
    expect(page.locator("#overlays canvas").first).to_be_visible()
    assert page.locator("#overlays .chart").count() < AT_FIRST


def test_each_of_300_series_of_add_scalars_is_a_chart_of_one_group(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    for turn in range(300):
        write(tmp_path / f"loss_class{turn}" / NAME, version(), *(scalar("loss", step, step) for step in range(2)))
    write(tmp_path / NAME, version(), scalar("rate", 1, 1.0))
    answer = cold_deck.client.post("/imports", json={"path": str(tmp_path)})
    assert answer.is_success, answer.text
    (run,) = answer.json()["runs"]
    asked = asked_for(page)
    page.goto(f"{cold_deck.url}/runs/{run}#charts")
    wait_until_ready(page)
    groups = page.locator("#all-charts .chart-group > h2")
    expect(groups.locator("bdi")).to_have_text(["Single values", "loss"])
    expect(groups.locator(".num")).to_have_text(["1", "300"])
    expect(page.locator("#all-charts canvas").first).to_be_visible()
    assert page.locator("#all-charts .chart").count() < AT_FIRST
    assert len(asked) < 20
    page.locator("#tag-filter").fill("class299")
    expect(page.locator("#all-charts .chart-tag")).to_have_text(["loss/class299"])
    expect(page.locator("#all-charts canvas")).to_be_visible()
