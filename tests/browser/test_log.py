"""The log of a run in the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from support.served import ServedDeck
from support.waiting import wait_for

LINES = 60_000
WINDOW = 4_000
LONG = f"""
for number in range({LINES}):
    word = "needle" if number in (7, 30_000, {LINES} - 5) else "hay"
    print(f"{{word}} {{number:05}}")
"""
GOES_ON = """
import pathlib, sys, time
for number in range(300):
    print("line", number)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
for number in range(300, 320):
    print("line", number)
print("the end")
"""
TERMINAL = r"""
import sys
for share in range(101):
    sys.stdout.write(f"\rdownloading {share}%")
print()
print("\x1b[1;31mred and bold\x1b[0m plain \x1b]0;title\x07\x1b[2Kafter")
print("<b>markup</b> & \u202eoverride")
sys.stdout.write("no newline yet \u00e9")
"""
NO_NEWLINES = "import sys\nsys.stdout.write('x' * 3_000_000 + 'needle')\nsys.stdout.write('y' * 3_000_000)"


def open_log(page: Page, deck: ServedDeck, run_id: int) -> Locator:
    page.goto(f"{deck.url}/runs/{run_id}#log")
    wait_until_ready(page)
    return page.locator("#log-text .log-line")


def below_the_end(page: Page) -> float:
    """Pixels of the log below what is seen."""
    return page.locator("#log-lines").evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight")


def expect_at_the_end(page: Page) -> None:
    page.wait_for_function(
        "box => box.scrollHeight - box.scrollTop - box.clientHeight < 2", arg=page.query_selector("#log-lines")
    )


def assert_without_gaps(lines: Locator) -> None:
    """The numbers of the lines, which count up by one, miss none; and there are no more lines than a window has."""
    numbers = [int(line.split()[1]) for line in lines.all_inner_texts()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(numbers) <= WINDOW


@pytest.fixture(scope="module")
def long_run(cold_deck: ServedDeck) -> int:
    """A run whose log is much longer than what the page holds."""
    run = cold_deck.launch(LONG)
    cold_deck.wait_for_status(run["id"], "completed")
    return run["id"]


def test_the_log_follows_the_end_and_stops_once_the_reader_scrolls_up(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = cold_deck.launch(script={"source": GOES_ON, "filename": "goes_on.py", "args": [str(gate)]})
    lines = open_log(page, cold_deck, run["id"])
    expect(lines.last).to_have_text("line 299")
    expect_at_the_end(page)
    expect(page.get_by_label("Follow")).to_be_checked()
    page.locator("#log-lines").hover()
    page.mouse.wheel(0, -1500)
    expect(page.get_by_label("Follow")).not_to_be_checked()
    gate.touch()
    expect(lines.last).to_have_text("the end")
    assert below_the_end(page) > 1000
    page.get_by_role("button", name="Follow the end").click()
    expect_at_the_end(page)
    expect(page.get_by_label("Follow")).to_be_checked()


def test_a_long_log_opens_at_its_end_and_holds_a_bounded_number_of_lines(
    cold_deck: ServedDeck, page: Page, long_run: int
) -> None:
    lines = open_log(page, cold_deck, long_run)
    expect(lines.last).to_have_text(f"hay {LINES - 1:05}")
    expect_at_the_end(page)
    expect(page.get_by_label("Follow")).to_be_checked()
    assert lines.count() <= WINDOW
    first = lines.first.inner_text()
    page.get_by_role("button", name="Load earlier lines").click()
    expect(lines.first).not_to_have_text(first)
    assert lines.count() <= WINDOW
    assert_without_gaps(lines)


def test_whoever_scrolled_back_reads_on_to_the_end_without_a_gap(
    cold_deck: ServedDeck, page: Page, long_run: int
) -> None:
    lines = open_log(page, cold_deck, long_run)
    expect(lines.last).to_have_text(f"hay {LINES - 1:05}")
    for _ in range(2):
        first = lines.first.inner_text()
        page.get_by_role("button", name="Load earlier lines").click()
        expect(lines.first).not_to_have_text(first)
    expect(lines.last).not_to_have_text(f"hay {LINES - 1:05}")

    def read_on() -> bool:
        page.locator("#log-lines").evaluate("box => (box.scrollTop = box.scrollHeight)")
        return lines.last.inner_text() == f"hay {LINES - 1:05}"

    wait_for(read_on, "the end is reached again")
    assert_without_gaps(lines)
    expect(page.get_by_label("Follow")).to_be_checked()


def test_search_goes_on_through_all_of_a_long_log_either_way_and_round(
    cold_deck: ServedDeck, page: Page, long_run: int
) -> None:
    open_log(page, cold_deck, long_run)
    search = page.get_by_label("Search the log")
    current = "() => [...(CSS.highlights.get('log-current') ?? [])].map((range) => range.startContainer.data)[0]"
    search.fill("NEEDLE")
    for key, number in (
        ("Shift+Enter", 30_000),
        ("Shift+Enter", 7),
        ("Shift+Enter", LINES - 5),
        ("Enter", 7),
        ("Enter", 30_000),
    ):
        page.wait_for_function("() => document.getElementById('log-stop').hidden")
        search.press(key)
        page.wait_for_function(f"() => ({current})() === 'needle {number:05}'")
        assert page.locator("#log-text .log-line").count() <= WINDOW
    search.fill("no such thing")
    search.press("Enter")
    expect(page.locator("#log-matches")).to_have_text("no match here")


def test_a_search_of_a_long_log_can_be_stopped(
    cold_deck: ServedDeck, page: Page, long_run: int, complaints: Complaints
) -> None:
    open_log(page, cold_deck, long_run)
    page.get_by_label("Search the log").fill("no such thing")
    page.route("**/log/search?*", lambda route: None)
    page.get_by_label("Search the log").press("Enter")
    expect(page.locator("#log-matches")).to_have_text("searching 0%")
    page.get_by_role("button", name="Stop searching").click()
    expect(page.get_by_role("button", name="Stop searching")).to_be_hidden()
    expect(page.locator("#log-matches")).to_have_text("no match here")


def test_bars_are_folded_colours_shown_and_all_else_stays_text(cold_deck: ServedDeck, page: Page) -> None:
    run = cold_deck.launch(TERMINAL)
    lines = open_log(page, cold_deck, run["id"])
    expect(lines).to_have_text(
        ["downloading 100%", "red and bold plain after", "<b>markup</b> & [U+202E]override", "no newline yet é"]
    )
    expect(page.locator("#log-text .a-31.a-bold")).to_have_text("red and bold")
    expect(page.locator("#log-text b")).to_have_count(0)


def test_a_log_without_newlines_is_shown_searched_and_scrolled_back(cold_deck: ServedDeck, page: Page) -> None:
    run = cold_deck.launch(NO_NEWLINES)
    cold_deck.wait_for_status(run["id"], "completed")
    lines = open_log(page, cold_deck, run["id"])
    expect(lines.last).to_contain_text("yyyy")
    page.get_by_label("Search the log").fill("needle")
    page.get_by_label("Search the log").press("Shift+Enter")
    expect(page.locator("#log-matches")).to_contain_text("1 of 1")
    page.get_by_role("button", name="Load earlier lines").click()
    expect(lines.first).to_contain_text("xxxx")


def test_a_run_that_prints_nothing_says_so(cold_deck: ServedDeck, page: Page) -> None:
    run = cold_deck.launch("")
    cold_deck.wait_until_ended(run["id"])
    open_log(page, cold_deck, run["id"])
    expect(page.locator("#log-size")).to_have_text("No output")


NESTED = """
import pathlib, sys, time
from tqdm import tqdm
print("before")
for epoch in tqdm(range(3), desc="Epochs", mininterval=0):
    for step in tqdm(range(400), desc="train", leave=False, mininterval=0):
        while epoch == 1 and step == 200 and not pathlib.Path(sys.argv[1]).exists():
            time.sleep(0.02)
print("after")
"""


def test_nested_bars_are_one_row_each_while_they_grow_and_afterwards(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = cold_deck.launch(script={"source": NESTED, "filename": "nested.py", "args": [str(gate)]})
    lines = open_log(page, cold_deck, run["id"])
    expect(lines.nth(1)).to_contain_text("Epochs:  33%")
    expect(lines.nth(2)).to_contain_text("train:  50%")
    expect(lines).to_have_count(3)
    gate.touch()
    cold_deck.wait_for_status(run["id"], "completed")
    expect(lines.last).to_have_text("after")
    assert [text.strip().partition("|")[0] for text in lines.all_inner_texts() if text.strip()] == [
        "before",
        "Epochs: 100%",
        "after",
    ]
    whole = (cold_deck.home / f"runs/{run['id']}/attempt-1/output.log").read_bytes()
    assert whole.count(b"\x1b[A") > 800
    assert cold_deck.client.get(f"/runs/{run['id']}/log").content == whole


BROKEN_IN_TWO = """
import sys
sys.stdout.write("x" * 1_000_000)
for _ in range(200):
    sys.stdout.write("needle" + "." * 32_764)
sys.stdout.write("\\nend\\n")
"""


MARKED = """() => [...CSS.highlights.get('log-match')].map((range) =>
    range.startContainer === range.endContainer
      ? range.startContainer.data.slice(range.startOffset, range.endOffset)
      : range.startContainer.data.slice(range.startOffset) + "|" + range.endContainer.data.slice(0, range.endOffset))"""


def test_a_match_that_stands_in_two_pieces_of_a_long_line_is_found_and_marked(
    cold_deck: ServedDeck, page: Page
) -> None:
    run = cold_deck.launch(BROKEN_IN_TWO)
    cold_deck.wait_for_status(run["id"], "completed")
    lines = open_log(page, cold_deck, run["id"])
    expect(lines.last).to_have_text("end")
    search = page.get_by_label("Search the log")
    search.fill("needle")
    search.press("Shift+Enter")
    page.wait_for_function(f"() => ({MARKED})().some((text) => text.includes('|'))")
    marked = page.evaluate(MARKED)
    assert {text.replace("|", "") for text in marked} == {"needle"}
    assert len(marked) > 5
