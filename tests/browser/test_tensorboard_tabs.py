"""Every tab of TensorBoard that the article names shows what a `tour` run wrote, through the deck's own address."""

import re

import pytest
from playwright.sync_api import Page, expect

from support.served import ServedDeck

SHOWN_BY_TAB = {
    "timeseries": "card-view image-card img",
    "scalars": "tf-scalar-card path.line, tf-scalar-card vz-line-chart2 svg .main path",
    "custom_scalars": "tf-custom-scalar-margin-chart-card path.line, tf-custom-scalar-margin-chart-card svg path",
    "images": "tf-image-loader #main-image-container img",
    "audio": "tf-audio-loader audio",
    "graphs": "tf-graph-scene g.node",
    "distributions": "tf-distribution-loader vz-distribution-chart svg path",
    "histograms": "tf-histogram-loader vz-histogram-timeseries svg path",
    "text": "tf-text-loader table, tf-text-loader p",
    "pr_curves": "tf-pr-curve-card svg path",
    "hparams": "tf-hparams-table-view vaadin-grid-cell-content, tf-hparams-table-view tr",
    "mesh": "tf-mesh-loader canvas",
}


@pytest.fixture(scope="module")
def tour(shared_deck: ServedDeck) -> str:
    """The address of the board of a run that wrote one of everything."""
    run = shared_deck.launch(trainer="tour", params={"steps": 5, "seconds": 0})
    shared_deck.wait_for_status(run["id"], "completed", seconds=60)
    return f"{shared_deck.url}/runs/{run['id']}/tensorboard/"


@pytest.mark.parametrize("tab", SHOWN_BY_TAB)
def test_a_tab_shows_what_the_tour_wrote(tab: str, tour: str, page: Page) -> None:
    page.goto(f"{tour}#{tab}")
    expect(page.locator(SHOWN_BY_TAB[tab]).first).to_be_attached()
    # What comes late may fail, too.
    page.wait_for_load_state("networkidle")


def test_tabs_are_dark_where_the_page_is(tour: str, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(tour.replace("/tensorboard/", "#tensorboard/timeseries"))
    board = page.frame_locator("#board")
    for tab in SHOWN_BY_TAB:
        # As somebody would who follows a link into TensorBoard.
        page.evaluate("hash => { location.hash = hash; }", f"tensorboard/{tab}")
        expect(board.locator(SHOWN_BY_TAB[tab]).first).to_be_attached()
        expect(board.locator("body")).to_have_class(re.compile("dark-mode"))


def test_the_projector_shows_the_embedding(tour: str, page: Page) -> None:
    page.goto(f"{tour}#projector")
    projector = page.frame_locator("iframe").frame_locator("iframe")
    expect(projector.get_by_text("Points: 60")).to_be_visible()
    page.wait_for_load_state("networkidle")
