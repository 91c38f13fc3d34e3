"""From the list to a TensorBoard over several runs; and folders of event files into the list."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.test_imports import write_logs
from browser.axe import violations
from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from support.served import ServedDeck
from traindeck.boards.palette import COLOURS
from traindeck.pages.compare import run_colours


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ServedDeck]:
    deck = ServedDeck(tmp_path / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_a_folder_is_imported_and_its_runs_are_shown_in_one_tensorboard(
    empty: ServedDeck, page: Page, complaints: Complaints, tmp_path: Path
) -> None:
    # The browser writes down every refusal.
    complaints.expect("422")
    for name in ("a", "b", "c"):
        write_logs(tmp_path / "logs" / name, [3.0, 2.0, 1.0])
    page.goto(f"{empty.url}/runs")
    wait_until_ready(page)
    page.get_by_role("button", name="Import a folder…").click()
    dialog = page.get_by_role("dialog", name="Import a folder")
    dialog.get_by_label("Folder on the server's machine").fill("/nowhere")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("/nowhere cannot be read")
    assert violations(page) == []
    dialog.get_by_label("Folder on the server's machine").fill(str(tmp_path / "logs"))
    dialog.get_by_label("Tags").fill("old, mine")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_text("3 runs: 3 new.")
    expect(page.locator("tr.row")).to_have_count(3)
    expect(page.locator("tr.row").first).to_contain_text("imported")

    for number in (1, 3):
        page.get_by_role("checkbox", name=f"Choose run {number}", exact=True).check()
    with page.expect_popup() as opened:
        page.locator("#board-chosen").click()
    board = opened.value
    expect(board).to_have_url(f"{empty.url}/boards/runs-1,3/")
    expect(board).to_have_title("2 runs · TensorBoard")
    wanted = run_colours([1, 3])
    for number, name in ((1, "a"), (3, "c")):
        row = board.locator(f"tb-data-table-content-row[data-id$='/{number} {name}']")
        expect(row).to_be_visible()
        swatch = row.locator(".run-color-swatch, button[style*='background']").first
        expect(swatch).to_have_css("background-color", rgb(COLOURS[wanted[number] - 1][0]))
    board.reload()
    expect(board.locator("tb-data-table-content-row[data-id]")).to_have_count(2)
