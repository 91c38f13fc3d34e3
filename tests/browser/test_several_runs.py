"""From the list to a TensorBoard over several runs; and folders of event files into the list."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from browser.axe import violations
from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from support.logs import write_logs
from support.served import ServedDeck
from traindeck.boards.palette import COLOURS
from traindeck.pages.compare_page import run_colours


@pytest.fixture(scope="module")
def own_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with no runs but those of these tests, which tell theirs apart by tags."""
    deck = ServedDeck(tmp_path_factory.mktemp("several") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_a_folder_is_imported_and_its_runs_are_shown_in_one_tensorboard(
    own_deck: ServedDeck, page: Page, complaints: Complaints, tmp_path: Path
) -> None:
    # The browser writes down every refusal.
    complaints.expect("422")
    for name in ("a", "b", "c"):
        write_logs(tmp_path / "logs" / name, [3.0, 2.0, 1.0])
    page.goto(f"{own_deck.url}/runs")
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
    imported = own_deck.client.get("/runs", params={"q": "tag:mine"}).json()["items"]
    numbers = {run["name"]: run["id"] for run in imported}
    assert sorted(numbers) == ["a", "b", "c"]
    for number in numbers.values():
        expect(page.locator(f"#run-{number}")).to_contain_text("imported")

    chosen = (numbers["a"], numbers["c"])
    for number in chosen:
        page.get_by_role("checkbox", name=f"Choose run {number}", exact=True).check()
    with page.expect_popup() as opened:
        page.locator("#board-chosen").click()
    opened.value.wait_for_load_state()
    expect(opened.value).to_have_title("TensorBoard of 2 runs · Traindeck")
    assert opened.value.url.startswith(f"{own_deck.url}/boards/?runs={chosen[0]},{chosen[1]}")
    board = opened.value.frame_locator("#board")
    wanted = run_colours(list(chosen))
    for number, name in zip(chosen, "ac", strict=True):
        row = row_of(board, f"{number} {name}")
        expect(row).to_be_visible()
        swatch = row.locator(".run-color-swatch, button[style*='background']").first
        expect(swatch).to_have_css("background-color", rgb(COLOURS[wanted[number] - 1][0]))
    expect(opened.value.locator("#board-state")).to_have_text("Up to date")
    assert violations(opened.value) == []
    with opened.value.expect_popup() as alone:
        opened.value.get_by_role("link", name="Open in a tab of its own").click()
    expect(alone.value).to_have_url(
        re.compile(rf"^{own_deck.url}/boards/runs-{chosen[0]},{chosen[1]}/\?darkMode=false")
    )
    expect(alone.value.locator("tb-data-table-content-row[data-id]")).to_have_count(2)
    opened.value.get_by_role("link", name="Compare").click()
    expect(opened.value).to_have_url(f"{own_deck.url}/compare?runs={chosen[0]},{chosen[1]}")


def row_of(board: FrameLocator, name: str) -> Locator:
    """The row of TensorBoard's list of runs; it has an experiment's number before the name."""
    return board.locator(f"tb-data-table-content-row[data-id$='/{name}']")


def test_the_board_of_a_filter_fills_and_takes_in_what_comes_to_match(
    own_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{own_deck.url}/boards/?q=tag:late")
    expect(page.get_by_role("heading", name="No runs to show")).to_be_visible()
    expect(page.get_by_role("heading", name="TensorBoard of 0 runs")).to_be_visible()
    assert violations(page) == []
    first = bring(own_deck, tmp_path / "first", "late")
    board = page.frame_locator("#board")
    expect(row_of(board, f"{first} first")).to_be_visible()
    page.locator("#board").evaluate("frame => { frame.contentWindow.neverReloaded = true; }")
    second = bring(own_deck, tmp_path / "second", "late")
    expect(row_of(board, f"{second} second")).to_be_visible()
    expect(page.get_by_role("heading", name="TensorBoard of 2 runs")).to_be_visible()
    expect(page).to_have_title("TensorBoard of 2 runs · Traindeck")
    assert page.locator("#board").evaluate("frame => frame.contentWindow.neverReloaded === true")
    assert own_deck.client.delete(f"/runs/{second}").status_code == 204
    expect(row_of(board, f"{second} second")).to_have_count(0)
    board.get_by_role("tab", name="Time Series").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Where you are").get_by_role("link", name="Runs")).to_be_focused()


def test_runs_whose_folders_were_taken_away_are_said_to_be_gone(
    own_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    gone = bring(own_deck, tmp_path / "first", "gone")
    shutil.rmtree(tmp_path / "first")
    page.goto(f"{own_deck.url}/boards/?runs={gone}")
    expect(page.get_by_role("heading", name="The files of these runs are gone")).to_be_visible()
    page.goto(f"{own_deck.url}/boards/?runs=7777")
    expect(page.get_by_text("The deck no longer has these runs.")).to_be_visible()


def bring(deck: ServedDeck, folder: Path, tag: str) -> int:
    """Import a run with the name of the folder and a tag; its number."""
    write_logs(folder, [3.0, 2.0, 1.0])
    answer = deck.client.post("/imports", json={"path": str(folder), "tags": [tag]})
    assert answer.json()["created"] == 1
    return answer.json()["runs"][0]
