"""Every tab of TensorBoard, through the deck's proxy and under its policy, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from boards.conftest import Deck
from boards.waiting import DEADLINE_SECONDS
from support.chromium import start_chromium

SHOWN_BY_TAB = {
    "timeseries": "card-view",
    "scalars": "tf-scalar-card",
    "custom_scalars": "tf-custom-scalar-multi-line-chart-card",
    "images": "tf-image-loader #main-image-container img",
    "audio": "tf-audio-loader audio",
    "graphs": "tf-graph-scene g.node",
    "distributions": "tf-distribution-loader vz-distribution-chart",
    "histograms": "tf-histogram-loader vz-histogram-timeseries",
    "text": "tf-text-loader",
    "pr_curves": "tf-pr-curve-card",
    "hparams": "tf-hparams-session-group-values, tf-hparams-table-view",
    "mesh": "tf-mesh-loader canvas",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page complained of."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(DEADLINE_SECONDS * 1000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    yield page
    page.close()


@pytest.mark.parametrize("tab", SHOWN_BY_TAB)
def test_a_tab_shows_its_data_without_complaint(
    tab: str, shared_deck: Deck, every_kind: Path, page: Page, complaints: list[str]
) -> None:
    board = shared_deck.show("browser", every_kind)
    page.goto(f"{board}#{tab}")
    expect(page.locator(SHOWN_BY_TAB[tab]).first).to_be_attached(timeout=DEADLINE_SECONDS * 1000)
    page.wait_for_load_state("networkidle")
    assert complaints == []


def test_the_projector_shows_its_points_without_complaint(
    shared_deck: Deck, every_kind: Path, page: Page, complaints: list[str]
) -> None:
    board = shared_deck.show("browser", every_kind)
    page.goto(f"{board}#projector")
    projector = page.frame_locator("iframe").frame_locator("iframe")
    expect(projector.get_by_text("Points: 12")).to_be_visible(timeout=DEADLINE_SECONDS * 1000)
    page.wait_for_load_state("networkidle")
    assert complaints == []
