"""TensorBoard in its tab of a run's page: fresh, and says so; it keeps what is open in it, and gives the keyboard back."""

import re
import shutil
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from browser.axe import violations
from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from browser.test_layout_shift import BARELY, OBSERVE
from support.served import ServedDeck
from support.waiting import wait_for

WRITES_AS_IT_GOES = """
import pathlib, sys, time
from torch.utils.tensorboard import SummaryWriter

def wait_for(name):
    while not (pathlib.Path(sys.argv[1]) / name).exists():
        time.sleep(0.02)

wait_for("first")
writer = SummaryWriter(flush_secs=1)
writer.add_scalar("loss/train", 1, 1000)
writer.flush()
wait_for("second")
writer.add_scalar("loss/train", 0.5, 2000)
writer.add_scalar("loss/validation", 0.5, 2000)
writer.flush()
wait_for("end")
writer.close()
"""
GATES = ("first", "second", "end")


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def run_id(shared_deck: ServedDeck, gates: Path) -> int:
    """A run that goes on as the test lets it; let go at the end."""
    script = {"source": WRITES_AS_IT_GOES, "filename": "train.py", "args": [str(gates)]}
    run_id = shared_deck.launch(script=script)["id"]
    shared_deck.wait_for_status(run_id, "running", "completed")
    yield run_id
    for gate in GATES:
        (gates / gate).touch()
    shared_deck.wait_until_ended(run_id)


def open_tab(page: Page, deck: ServedDeck, run_id: int, place: str = "tensorboard") -> FrameLocator:
    page.goto(f"{deck.url}/runs/{run_id}#{place}")
    wait_until_ready(page)
    return page.frame_locator("#board")


def mark_frame(page: Page) -> None:
    page.locator("#board").evaluate("frame => { frame.contentWindow.neverReloaded = true; }")


def is_marked(page: Page) -> bool:
    return page.locator("#board").evaluate("frame => frame.contentWindow.neverReloaded === true")


def test_the_tab_of_a_run_fills_by_itself_and_follows_it_without_being_reloaded(
    shared_deck: ServedDeck, page: Page, run_id: int, gates: Path
) -> None:
    page.add_init_script(OBSERVE)
    board = open_tab(page, shared_deck, run_id)
    expect(page.get_by_role("heading", name="Nothing for TensorBoard yet")).to_be_visible()
    expect(page.locator("#board-none pre:visible")).to_contain_text("SummaryWriter()")
    assert violations(page) == []
    (gates / "first").touch()
    expect(board.locator("card-view [title='loss/train']")).to_be_visible()
    expect(page.locator("#board-facts")).to_have_text(re.compile(r"^step 1,000 · \d+ B$"))
    mark_frame(page)
    (gates / "second").touch()
    expect(board.locator("card-view [title='loss/validation']")).to_be_visible()
    expect(page.locator("#board-facts")).to_contain_text("step 2,000")
    (gates / "end").touch()
    expect(page.locator("#run-head .badge")).to_have_text("Completed")
    expect(page.locator("#board-state")).to_have_text("Up to date")
    assert is_marked(page)
    assert violations(page) == []
    shifts = page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) < BARELY, shifts


@pytest.fixture
def finished(shared_deck: ServedDeck, run_id: int, gates: Path) -> int:
    for gate in GATES:
        (gates / gate).touch()
    shared_deck.wait_for_status(run_id, "completed")
    return run_id


def test_what_is_open_in_tensorboard_stays_open_behind_other_tabs_and_in_the_address(
    shared_deck: ServedDeck, page: Page, finished: int
) -> None:
    board = open_tab(page, shared_deck, finished, "tensorboard/scalars")
    expect(board.get_by_role("tab", name="Scalars")).to_have_attribute("aria-selected", "true")
    board.get_by_role("tab", name="Time Series").click()
    expect(page).to_have_url(re.compile("#tensorboard/timeseries$"))
    mark_frame(page)
    page.get_by_role("tab", name="Log", exact=True).click()
    expect(page).to_have_url(re.compile("#log$"))
    page.get_by_role("tab", name="TensorBoard", exact=True).click()
    expect(page).to_have_url(re.compile("#tensorboard/timeseries$"))
    expect(page.locator("#board-state")).to_have_text("Up to date")
    page.get_by_role("button", name="Reload data").click()
    assert is_marked(page)


def test_the_frame_has_the_colours_of_the_page(shared_deck: ServedDeck, page: Page, finished: int) -> None:
    board = open_tab(page, shared_deck, finished)
    expect(board.locator("card-view").first).to_be_visible()
    expect(board.locator("body")).not_to_have_class(re.compile("dark-mode"))
    theme = page.locator("#theme")
    theme.click()
    theme.click()
    expect(theme).to_have_attribute("aria-label", "Colors: dark")
    expect(board.locator("body")).to_have_class(re.compile("dark-mode"))
    link = page.get_by_role("link", name="Open in a tab of its own")
    expect(link).to_have_attribute("href", re.compile(r"\?darkMode=true#timeseries$"))


def test_the_keyboard_gets_past_tensorboard_and_out_of_it(shared_deck: ServedDeck, page: Page, finished: int) -> None:
    board = open_tab(page, shared_deck, finished)
    expect(board.locator("card-view").first).to_be_visible()
    tab = page.get_by_role("tab", name="TensorBoard", exact=True)
    tab.focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip TensorBoard")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Back to the tabs")).to_be_focused()
    page.keyboard.press("Enter")
    expect(tab).to_be_focused()
    board.get_by_role("tab", name="Time Series").focus()
    page.keyboard.press("Escape")
    expect(tab).to_be_focused()
    field = board.get_by_role("textbox", name="Filter runs")
    field.focus()
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(tab).to_be_focused()


def test_the_points_of_a_time_series_card_can_be_downloaded(shared_deck: ServedDeck, page: Page, finished: int) -> None:
    board = open_tab(page, shared_deck, finished, "tensorboard/timeseries")
    card = board.locator("card-view").filter(has_text="loss/train").first
    card.get_by_role("button", name="More line chart options").click()
    board.get_by_role("menuitem", name="Download data").click()
    board.locator("mat-dialog-container select").select_option(index=1)
    with page.expect_download() as downloading:
        board.locator("mat-dialog-container a", has_text="CSV").click()
    lines = downloading.value.path().read_text().splitlines()
    assert [line.split(",")[1:] for line in lines] == [["Step", "Value"], ["1000", "1.0"], ["2000", "0.5"]]


@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 900}, {"width": 390, "height": 844}])
def test_the_frame_fills_what_the_window_leaves(
    shared_deck: ServedDeck, page: Page, finished: int, viewport: dict[str, int]
) -> None:
    page.set_viewport_size(viewport)
    open_tab(page, shared_deck, finished)
    box = page.locator("#board").bounding_box() or {}
    assert box["height"] >= 480
    assert box["width"] > viewport["width"] * 0.9
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.set_viewport_size({**viewport, "height": 1200})
    wait_for(lambda: page.locator("#board").bounding_box()["height"] > box["height"] + 200, "the frame grows along")


def boards_process(deck: ServedDeck) -> psutil.Process | None:
    assert deck.process is not None
    children = psutil.Process(deck.process.pid).children()
    return next((child for child in children if "traindeck.boards.process" in child.cmdline()), None)


def test_the_frame_recovers_when_tensorboard_is_killed(
    shared_deck: ServedDeck, page: Page, run_id: int, gates: Path, complaints: Complaints
) -> None:
    # What TensorBoard asks for while there is none of it is refused, and asked for again.
    complaints.expect("status of 503")
    (gates / "first").touch()
    board = open_tab(page, shared_deck, run_id)
    expect(board.locator("card-view [title='loss/train']")).to_be_visible()
    mark_frame(page)
    killed = boards_process(shared_deck)
    assert killed is not None
    killed.kill()
    (gates / "second").touch()
    expect(board.locator("card-view [title='loss/validation']")).to_be_visible()
    expect(page.locator("#board-state")).to_have_text("Up to date")
    assert is_marked(page)


def test_a_run_that_ended_without_events_says_what_to_do(shared_deck: ServedDeck, page: Page) -> None:
    run_id = shared_deck.launch("print('nothing')")["id"]
    shared_deck.wait_until_ended(run_id)
    open_tab(page, shared_deck, run_id)
    expect(page.get_by_role("heading", name="This run wrote nothing for TensorBoard")).to_be_visible()
    expect(page.locator("#board")).to_be_hidden()
    assert not page.locator("#board").evaluate("frame => frame.hasAttribute('src')")


def test_a_run_in_the_queue_has_its_tensorboard_once_it_writes(
    shared_deck: ServedDeck, page: Page, run_id: int, gates: Path
) -> None:
    script = {"source": WRITES_AS_IT_GOES, "filename": "next.py", "args": [str(gates)]}
    queued = shared_deck.launch(script=script, resources={"cpus": 2})["id"]
    board = open_tab(page, shared_deck, queued)
    expect(page.get_by_role("heading", name="This run has not started yet")).to_be_visible()
    assert violations(page) == []
    for gate in GATES:
        (gates / gate).touch()
    expect(board.locator("card-view [title='loss/validation']")).to_be_visible()
    expect(page.locator("#board-state")).to_have_text("Up to date")
    shared_deck.wait_until_ended(queued)


def test_a_run_whose_files_are_gone_says_so(shared_deck: ServedDeck, page: Page) -> None:
    run_id = shared_deck.launch("print('nothing')")["id"]
    shared_deck.wait_until_ended(run_id)
    shutil.rmtree(shared_deck.home / f"runs/{run_id}/attempt-1")
    open_tab(page, shared_deck, run_id)
    expect(page.get_by_role("heading", name="The files of this run are gone")).to_be_visible()
    expect(page.locator("#board")).to_be_hidden()
