"""The list of runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck
from support.waiting import wait_for

MANY = 120
WAITS_FOR_A_FILE = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck on which nothing runs at the start of a test."""
    deck = ServedDeck(tmp_path_factory.mktemp("listed") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


@pytest.fixture
def gate(listed: ServedDeck, tmp_path: Path) -> Iterator[Path]:
    """The file that runs of the test wait for; they have ended when the next test starts."""
    yield tmp_path / "gate"
    (tmp_path / "gate").touch()
    listed.wait_until_idle()


def launch_waiting(deck: ServedDeck, gate: Path, **body: object) -> int:
    """A run that goes on until the file `gate` is there."""
    script = {"source": WAITS_FOR_A_FILE, "filename": "waits.py", "args": [str(gate)]}
    return deck.launch(script=script, **body)["id"]


def fill_slots(deck: ServedDeck, gate: Path) -> int:
    return launch_waiting(deck, gate, name="holds-all-slots", resources={"cpus": 2})


def badge(page: Page, run_id: int) -> object:
    return page.locator(f"#run-{run_id} .badge")


def names(page: Page) -> list[str]:
    return page.locator(".run-name").all_inner_texts()


def test_a_status_changes_on_the_open_page_without_a_reload(listed: ServedDeck, page: Page, gate: Path) -> None:
    completed = listed.client.get("/runs", params={"q": "status:completed"}).json()["total"]
    first = fill_slots(listed, gate)
    page.goto(f"{listed.url}/runs")
    page.evaluate("window.neverReloaded = true")
    expect(badge(page, first)).to_have_text("Running")
    expect(page).to_have_title("(1) Runs · Traindeck")
    expect(page.locator("#deck .slots-count")).to_have_text("2/2")
    second = listed.launch("print(1)", name="comes-later")["id"]
    expect(badge(page, second)).to_have_text("Queued")
    expect(page.locator(f"#run-{second} .c-progress")).to_contain_text("Waits for 1 CPU slot: all 2 are in use")
    gate.touch()
    expect(badge(page, first)).to_have_text("Completed")
    expect(badge(page, second)).to_have_text("Completed")
    expect(page.locator("#deck .slots-count")).to_have_text("0/2")
    expect(page.locator("#chip-completed .num")).to_have_text(str(completed + 2))
    assert page.evaluate("window.neverReloaded") is True


def test_cancel_asks_first_for_a_run_that_trains_and_retry_starts_it_again(
    listed: ServedDeck, page: Page, gate: Path
) -> None:
    running = fill_slots(listed, gate)
    queued = listed.launch("print(1)")["id"]
    page.goto(f"{listed.url}/runs")
    expect(badge(page, running)).to_have_text("Running")
    page.get_by_role("button", name=f"Cancel run {queued}").click()
    expect(badge(page, queued)).to_have_text("Cancelled")
    page.get_by_role("button", name=f"Cancel run {running}").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name=f"Cancel run {running}").click()
    assert listed.run(running)["status"] == "running"
    page.get_by_role("button", name="Cancel run", exact=True).click()
    expect(badge(page, running)).to_have_text("Cancelled")
    page.get_by_role("button", name=f"Retry run {queued}").click()
    expect(badge(page, queued)).to_have_text("Completed")
    assert listed.run(queued)["attempt"] == 1


def test_filter_sort_and_status_chips_narrow_the_list_and_stand_in_the_address(
    listed: ServedDeck, page: Page, gate: Path, complaints: Complaints
) -> None:
    before = listed.client.get("/runs").json()["total"]
    fill_slots(listed, gate)
    for name, tags in (("beta", ["good"]), ("alpha", ["good", "odd"]), ("gamma", [])):
        listed.launch("print(1)", name=name, tags=tags)
    page.goto(f"{listed.url}/runs")
    page.get_by_label("Filter runs").fill("tag:good")
    expect(page.locator(".run-name")).to_have_text(["alpha", "beta"])
    page.get_by_label("Sort").select_option("created")
    expect(page.locator(".run-name")).to_have_text(["beta", "alpha"])
    expect(page).to_have_url(re.compile(r"q=tag%3Agood&sort=created"))
    page.reload()
    expect(page.locator(".run-name")).to_have_text(["beta", "alpha"])
    page.get_by_label("Filter runs").fill("")
    expect(page.locator(".run-name")).to_have_count(before + 4)
    page.locator("#chip-running").click()
    expect(page.locator(".run-name")).to_have_text(["holds-all-slots"])
    page.go_back()
    expect(page.locator(".run-name")).to_have_count(before + 4)
    page.get_by_label("Filter runs").fill("no such run")
    expect(page.get_by_role("heading", name="No run matches")).to_be_visible()
    complaints.expect("status of 422")
    page.get_by_label("Filter runs").fill("colour:red")
    expect(page.locator("#filter-error")).to_contain_text("'colour' is not a field")
    page.get_by_label("Filter runs").fill("alpha")
    expect(page.locator("#filter-error")).to_be_hidden()
    expect(page.locator(".run-name")).to_have_text(["alpha"])


@pytest.fixture(scope="module")
def crowded_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with many runs, which are imported, as that is quicker than to launch them."""
    root = tmp_path_factory.mktemp("crowded")
    for number in range(MANY):
        write(root / "logs" / f"run-{number:03}" / NAME, version(), scalar("loss", 1, number))
    deck = ServedDeck(root / "home", cold=True)
    deck.start()

    def all_imported() -> bool:
        # A call takes what it can read in some seconds.
        return deck.client.post("/imports", json={"path": str(root / "logs")}).json()["left"] == 0

    wait_for(all_imported, "all are imported")
    yield deck
    deck.end()


def test_a_long_list_has_pages_and_the_way_back_is_the_browsers(crowded_deck: ServedDeck, page: Page) -> None:
    page.goto(f"{crowded_deck.url}/runs")
    expect(page.locator(".row")).to_have_count(50)
    expect(page.locator(".pager")).to_contain_text("120 runs")
    seen = names(page)
    for rows in (50, 20):
        page.get_by_role("link", name="Next page").click()
        expect(page.locator(".run-name").first).not_to_have_text(seen[-50])
        expect(page.locator(".row")).to_have_count(rows)
        seen += names(page)
    assert len(set(seen)) == MANY
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.go_back()
    expect(page.locator(".run-name").first).to_have_text(seen[50])
    page.go_back()
    expect(page.locator(".run-name").first).to_have_text(seen[0])
    page.go_forward()
    page.get_by_role("link", name="First page").click()
    expect(page.locator(".run-name").first).to_have_text(seen[0])


def test_everything_is_reached_with_the_keyboard_alone(listed: ServedDeck, page: Page) -> None:
    for name in ("older", "newer"):
        listed.launch("print(1)", name=name)
    listed.wait_until_idle()
    page.goto(f"{listed.url}/runs")
    wait_until_ready(page)
    keys = page.keyboard
    keys.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    keys.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("button", name="Import…")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_role("link", name="New run")).to_be_focused()
    keys.press("/")
    expect(page.get_by_label("Filter runs")).to_be_focused()
    keys.press("Escape")
    keys.press("j")
    expect(page.get_by_role("link", name="newer")).to_be_focused()
    keys.press("j")
    expect(page.get_by_role("link", name="older")).to_be_focused()
    keys.press("k")
    keys.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    keys.press("k")
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("newer")
    wait_until_ready(page)
    keys.press("3")
    expect(page.get_by_role("tab", name="Log")).to_be_focused()
    keys.press("ArrowRight")
    expect(page.get_by_role("tab", name="TensorBoard")).to_have_attribute("aria-selected", "true")
    keys.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New run")
    wait_until_ready(page)
    page.get_by_label("Epochs", exact=True).press("n")
    keys.press("Escape")
    keys.press("g")
    keys.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")


def test_tags_are_as_wide_as_their_text_and_leave_room_for_the_name(cold_deck: ServedDeck, page: Page) -> None:
    several = [f"a-longer-tag-{number}" for number in range(12)]
    run_ids = [cold_deck.launch("", name="n" * 200, tags=tags)["id"] for tags in (["a", "seed"], several)]
    page.goto(f"{cold_deck.url}/runs")
    slack = "all => all.map((tag) => tag.clientWidth - tag.querySelector('bdi').getBoundingClientRect().width)"
    slacks = page.locator(f"#run-{run_ids[0]} .tag").evaluate_all(slack)
    assert [slack for slack in slacks if not 13 <= slack <= 16] == []
    for run_id in run_ids:
        name, line = (page.locator(f"#run-{run_id} {part}").bounding_box() for part in (".run-name", ".run-line"))
        assert name is not None
        assert line is not None
        assert name["width"] > line["width"] / 3
        assert line["height"] < 30


def test_a_chosen_theme_stays_on_other_pages_until_the_system_s_is_chosen(cold_deck: ServedDeck, page: Page) -> None:
    page.goto(f"{cold_deck.url}/runs")
    root, theme = page.locator("html"), page.locator("#theme")
    for label in ("light", "dark"):
        theme.click()
        expect(theme).to_have_attribute("aria-label", f"Colors: {label}")
    page.goto(f"{cold_deck.url}/launch")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(theme).to_have_attribute("title", "Colors: dark (t)")
    theme.click()
    page.reload()
    expect(root).not_to_have_attribute("data-theme", "dark")
    expect(theme).to_have_attribute("title", "Colors: as the system (t)")
