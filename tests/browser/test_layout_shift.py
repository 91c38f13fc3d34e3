"""Nothing jumps when data arrives: the browser's own measure of layout shifts stays at almost nothing."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from support.served import ServedDeck

OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    window.shifts.push({ value: entry.value, moved: moved.join(", ") });
  }
}).observe({ type: "layout-shift", buffered: true });
"""
BARELY = 0.01
"""A tenth of what counts as good for a page at all."""

WRITES_AS_IT_GOES = """
import pathlib, sys, time
from torch.utils.tensorboard import SummaryWriter

def wait_for(name):
    while not (pathlib.Path(sys.argv[1]) / name).exists():
        time.sleep(0.02)

print("begins")
wait_for("train")
writer = SummaryWriter()
for step in range(20):
    writer.add_scalar("Loss/train", 1 / (step + 1), step)
    writer.add_scalar("Learning rate", 0.1, step)
writer.flush()
wait_for("validate")
writer.add_scalar("Loss/validation", 0.1, 19)
writer.add_scalar("Accuracy/validation", 0.9, 19)
writer.close()
wait_for("end")
"""


@pytest.fixture
def page(page: Page) -> Page:
    """A tab that measures its layout shifts."""
    page.add_init_script(OBSERVE)
    return page


def assert_nothing_jumped(page: Page) -> None:
    shifts = page.evaluate("window.shifts")
    assert sum(shift["value"] for shift in shifts) < BARELY, shifts


def launch_in_steps(deck: ServedDeck, gates: Path) -> int:
    script = {"source": WRITES_AS_IT_GOES, "filename": "train.py", "args": [str(gates)]}
    return deck.launch(script=script)["id"]


def test_curves_progress_and_history_of_a_run_arrive_in_place(
    shared_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    run_id = launch_in_steps(shared_deck, tmp_path)
    page.goto(f"{shared_deck.url}/runs/{run_id}")
    expect(page.locator("#run-head .badge")).to_have_text("Running")
    (tmp_path / "train").touch()
    expect(page.locator("#main-charts canvas")).to_have_count(2)
    (tmp_path / "validate").touch()
    expect(page.locator("#main-charts canvas")).to_have_count(4)
    (tmp_path / "end").touch()
    expect(page.locator("#run-head .badge")).to_have_text("Completed")
    assert_nothing_jumped(page)


def test_rows_of_the_list_change_in_place(shared_deck: ServedDeck, page: Page, tmp_path: Path) -> None:
    run_id = launch_in_steps(shared_deck, tmp_path)
    page.goto(f"{shared_deck.url}/runs")
    row = page.locator(f"#run-{run_id}")
    expect(row.locator(".badge")).to_have_text("Running")
    (tmp_path / "train").touch()
    expect(row.locator(".metric-tag")).to_have_text("Loss/train")
    (tmp_path / "validate").touch()
    expect(row.locator(".metric-tag")).to_have_text("Accuracy/validation")
    (tmp_path / "end").touch()
    expect(row.locator(".badge")).to_have_text("Completed")
    assert_nothing_jumped(page)


def test_no_tab_of_a_run_jumps_while_it_fills(shared_deck: ServedDeck, page: Page, tmp_path: Path) -> None:
    for gate in ("train", "validate", "end"):
        (tmp_path / gate).touch()
    run_id = launch_in_steps(shared_deck, tmp_path)
    shared_deck.wait_for_status(run_id, "completed")
    shown = {
        "charts": "#all-charts canvas",
        "log": "#log-text .log-line",
        "files": "#file-rows tr",
        "setup": "#packages",
    }
    for tab, element in shown.items():
        page.goto("about:blank")
        page.goto(f"{shared_deck.url}/runs/{run_id}#{tab}")
        wait_until_ready(page)
        expect(page.locator(element).first).to_be_visible()
        assert_nothing_jumped(page)
