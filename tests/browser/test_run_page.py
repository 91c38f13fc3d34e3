"""The page of one run: what it tells, what can be done with it, and that it finds its way back to its deck."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

FAILS = "print('about to fail')\nraise ValueError('the loss is not a number')"
WRITES_FILES = """
import pathlib
pathlib.Path("checkpoints").mkdir()
pathlib.Path("checkpoints/last.pt").write_bytes(bytes(range(256)))
pathlib.Path("table #1 ü.csv").write_text("a,b")
"""
GOES_ON = """
import pathlib, sys, time
print("one")
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
print("two")
"""


def ended(deck: ServedDeck, source: str, **body: object) -> int:
    run = deck.launch(source, **body)
    deck.wait_until_ended(run["id"])
    return run["id"]


def open_run(page: Page, deck: ServedDeck, run_id: int, tab: str = "") -> None:
    page.goto(f"{deck.url}/runs/{run_id}{tab}")
    wait_until_ready(page)


def badge(page: Page) -> object:
    return page.locator("#run-head .badge")


def test_a_failed_run_shows_its_reason_and_leads_to_its_log(cold_deck: ServedDeck, page: Page) -> None:
    open_run(page, cold_deck, ended(cold_deck, FAILS))
    expect(page.get_by_role("note")).to_contain_text("exit code 1: ValueError: the loss is not a number")
    page.get_by_role("link", name="See the log").click()
    expect(page.locator("#log-text")).to_contain_text("about to fail")
    expect(page.locator("#log-text .log-line").last).to_have_text("ValueError: the loss is not a number")


def test_history_tells_every_change(cold_deck: ServedDeck, page: Page) -> None:
    open_run(page, cold_deck, ended(cold_deck, FAILS))
    expect(page.locator(".history .badge")).to_have_text(["Queued", "Starting", "Running", "Failed"])
    expect(page.locator(".history li").last).to_contain_text("ValueError")


def test_a_time_is_shown_in_the_readers_zone_with_utc_beside_it(cold_deck: ServedDeck, page: Page) -> None:
    run_id = ended(cold_deck, "")
    open_run(page, cold_deck, run_id)
    created = cold_deck.run(run_id)["created_at"]
    title = page.locator(".facts time").first.get_attribute("title") or ""
    assert title.endswith(f"{created[:10]} {created[11:19]} UTC")


def test_a_retried_run_has_the_log_of_each_attempt(cold_deck: ServedDeck, page: Page) -> None:
    run_id = ended(cold_deck, "import os\nprint('attempt', os.environ['TRAINDECK_ATTEMPT'])")
    open_run(page, cold_deck, run_id, "#log")
    expect(page.locator("#log-text")).to_have_text("attempt 1")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#log-text")).to_have_text("attempt 2")
    page.get_by_label("Attempt").select_option("1")
    expect(page.locator("#log-text")).to_have_text("attempt 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the log").click()
    assert Path(download.value.path()).read_text() == "attempt 1\n"
    page.get_by_label("Attempt").select_option("2")
    expect(page.locator("#log-text")).to_have_text("attempt 2")


def test_files_are_listed_filtered_and_downloaded_byte_for_byte(cold_deck: ServedDeck, page: Page) -> None:
    open_run(page, cold_deck, ended(cold_deck, WRITES_FILES), "#files")
    expect(page.locator("#file-rows th")).to_have_text(["checkpoints/last.pt", "table #1 ü.csv"])
    with page.expect_download() as download:
        page.get_by_role("link", name="checkpoints/last.pt").click()
    assert download.value.suggested_filename == "last.pt"
    assert Path(download.value.path()).read_bytes() == bytes(range(256))
    page.get_by_label("Filter files").fill("table")
    with page.expect_download() as download:
        page.get_by_role("link", name="table #1 ü.csv").click()
    assert download.value.suggested_filename == "table #1 ü.csv"
    expect(page.locator("#file-rows tr:visible")).to_have_count(1)


def test_name_tags_and_notes_are_edited_in_place(cold_deck: ServedDeck, page: Page, complaints: Complaints) -> None:
    run_id = ended(cold_deck, "", name="before")
    open_run(page, cold_deck, run_id)
    page.get_by_role("button", name="Edit name, tags, and notes").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_have_value("before")
    complaints.expect("status of 422")
    dialog.get_by_label("Name").fill("   ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("name")
    dialog.get_by_label("Name").fill("after")
    dialog.get_by_label("Tags").fill("good, better")
    dialog.get_by_label("Notes").fill("one\ntwo")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("after")
    expect(page.locator(".run-meta .tag")).to_have_text(["better", "good"])
    expect(page.locator(".notes")).to_have_text("one\ntwo")
    expect(page).to_have_title("after · Completed · Traindeck")


def test_a_run_is_deleted_only_after_a_clear_yes(cold_deck: ServedDeck, page: Page) -> None:
    run_id = ended(cold_deck, "")
    open_run(page, cold_deck, run_id)
    page.get_by_role("button", name="Delete this run").click()
    expect(page.get_by_role("dialog")).to_contain_text("cannot be undone")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert cold_deck.run(run_id)["id"] == run_id
    navigations: list[str] = []
    page.on("request", lambda request: navigations.append(request.url) if request.is_navigation_request() else None)
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("button", name="Delete run").click()
    expect(page.locator("#toasts")).to_contain_text(f"Run #{run_id} was deleted")
    # The answer, the event and the next refresh each tell the page that its run is gone.
    assert navigations == [page.url] == [f"{cold_deck.url}/runs"]
    expect(page.locator(f"#run-{run_id}")).to_have_count(0)
    assert cold_deck.client.get(f"/runs/{run_id}").status_code == 404


def test_the_page_of_a_run_that_another_page_deletes_goes_back_to_the_list(cold_deck: ServedDeck, page: Page) -> None:
    run_id = ended(cold_deck, "")
    # The page asks for its fragment as soon as its event stream is open.
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        page.goto(f"{cold_deck.url}/runs/{run_id}")
    cold_deck.client.delete(f"/runs/{run_id}")
    expect(page.locator("#toasts")).to_contain_text(f"Run #{run_id} was deleted")
    assert page.url == f"{cold_deck.url}/runs"


def test_a_running_run_is_cancelled_from_its_page(cold_deck: ServedDeck, page: Page, tmp_path: Path) -> None:
    script = {"source": GOES_ON, "filename": "goes_on.py", "args": [str(tmp_path / "gate")]}
    run = cold_deck.launch(script=script)
    open_run(page, cold_deck, run["id"])
    expect(badge(page)).to_have_text("Running")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel run").click()
    expect(badge(page)).to_have_text("Cancelled")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


@pytest.fixture
def fixed_port_deck(deck: ServedDeck) -> ServedDeck:
    """A deck that comes back at the same address."""
    deck.settings["port"] = int(deck.url.rpartition(":")[2])
    return deck


def test_an_open_page_recovers_by_itself_when_its_server_is_restarted(
    fixed_port_deck: ServedDeck, page: Page, tmp_path: Path, complaints: Complaints
) -> None:
    deck = fixed_port_deck
    # Refused, reset, empty, cut short: whatever the page was about to ask when its server died.
    complaints.expect("net::ERR_")
    script = {"source": GOES_ON, "filename": "goes_on.py", "args": [str(tmp_path / "gate")]}
    run = deck.launch(script=script)
    open_run(page, deck, run["id"], "#log")
    expect(page.locator("#log-text")).to_have_text("one")
    page.evaluate("window.neverReloaded = true")
    deck.kill()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    (tmp_path / "gate").touch()
    deck.start()
    expect(page.get_by_text("Reconnecting…")).to_be_hidden()
    expect(badge(page)).to_have_text("Completed")
    expect(page.locator("#log-text .log-line")).to_have_text(["one", "two"])
    assert page.evaluate("window.neverReloaded") is True


WRITES_ITS_ATTEMPT = """
import os, pathlib, shutil, sys
attempt = os.environ["TRAINDECK_ATTEMPT"]
shutil.copy(pathlib.Path(sys.argv[1]) / attempt / sys.argv[2], ".")
pathlib.Path("table.csv").write_text(attempt)
"""


@pytest.fixture
def run_of_two_attempts(cold_deck: ServedDeck, tmp_path: Path) -> int:
    for attempt in (1, 2):
        records = [scalar(tag, 1, attempt) for tag in ("attempt", f"only/{attempt}")]
        write(tmp_path / str(attempt) / NAME, version(), *records)
    script = {"source": WRITES_ITS_ATTEMPT, "filename": "script.py", "args": [str(tmp_path), NAME]}
    run_id = cold_deck.launch(script=script)["id"]
    cold_deck.wait_until_ended(run_id)
    cold_deck.client.post(f"/runs/{run_id}/retry")
    cold_deck.wait_until_ended(run_id)
    assert cold_deck.run(run_id)["attempt"] == 2
    return run_id


def chart_value(page: Page, tag: str) -> Locator:
    return page.locator(f".chart[data-tag='{tag}'] .chart-value").filter(visible=True)


def test_curves_and_files_are_of_the_attempt_that_is_chosen(
    cold_deck: ServedDeck, page: Page, run_of_two_attempts: int
) -> None:
    open_run(page, cold_deck, run_of_two_attempts)
    expect(chart_value(page, "attempt")).to_have_text("2")
    page.get_by_label("Attempt").select_option("1")
    expect(chart_value(page, "attempt")).to_have_text("1")
    page.get_by_role("tab", name="Charts").click()
    expect(page.locator("#all-charts .chart-tag")).to_have_text(["attempt", "only/1"])
    page.get_by_role("tab", name="Files").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="table.csv").click()
    assert Path(download.value.path()).read_text() == "1"
    page.get_by_label("Attempt").select_option("2")
    expect(page.get_by_role("link", name="table.csv")).not_to_have_attribute("href", re.compile("attempt"))
    page.get_by_role("tab", name="Charts").click()
    expect(page.locator("#all-charts .chart-tag")).to_have_text(["attempt", "only/2"])


def test_what_the_charts_lack_is_said_of_each_attempt(page: Page, cold_deck: ServedDeck) -> None:
    source = """
import os, pathlib
if os.environ["TRAINDECK_ATTEMPT"] == "1":
    pathlib.Path("<i>a.tfevents.gz").write_bytes(bytes([31, 139, 8]) + bytes(60))
"""
    run_id = ended(cold_deck, source)
    open_run(page, cold_deck, run_id)
    told = page.locator(".main-charts").locator("xpath=preceding-sibling::ul[1]")
    expect(told).to_have_text("<i>a.tfevents.gz: it is compressed (gzip) and cannot be read; decompress it")
    cold_deck.client.post(f"/runs/{run_id}/retry")
    cold_deck.wait_until_ended(run_id)
    open_run(page, cold_deck, run_id)
    expect(told).to_be_hidden()
    page.get_by_label("Attempt").select_option("1")
    expect(told).to_have_text("<i>a.tfevents.gz: it is compressed (gzip) and cannot be read; decompress it")
