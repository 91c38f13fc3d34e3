"""The page of several runs beside each other, with their curves drawn over each other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from events.eventfiles import NAME, scalar, version, write
from support.served import ServedDeck

TRAINS = """
import shutil, sys
LAYERS = 3
shutil.copy(sys.argv[1], ".")
"""


def write_curves(folder: Path, factor: float, interval: int) -> Path:
    """Write the event file of a training; its path."""
    records = [
        scalar(tag, step, value)
        for step in range(0, 100, interval)
        for tag, value in (("Loss/train", factor / (step + 1)), ("Learning rate", 0.1))
    ]
    return write(folder / NAME, version(), *records)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with runs 1 and 2 of one script, 3 of another version of it, and 4 without curves."""
    root = tmp_path_factory.mktemp("compared")
    deck = ServedDeck(root / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    wider = TRAINS.replace("LAYERS = 3", "LAYERS = 4")
    for name, source, factor, interval in (("slow", TRAINS, 2, 1), ("fast", TRAINS, 3, 3), ("wider", wider, 1, 1)):
        curves = write_curves(root / name, factor, interval)
        script = {"source": source, "filename": "train.py", "args": [str(curves)]}
        deck.launch(script=script, name=name, env={"MODE": name})
    deck.launch(script={"source": "", "filename": "train.py"}, name="no-curves", env={"MODE": "no-curves"})
    for run_id in (1, 2, 3, 4):
        deck.wait_for_status(run_id, "completed")
    yield deck
    deck.end()


def open_comparison(page: Page, deck: ServedDeck, runs: str) -> None:
    page.goto(f"{deck.url}/compare?runs={runs}")
    wait_until_ready(page)


def legend(page: Page, tag: str) -> dict[str, str]:
    items = page.locator(f".overlay[data-tag='{tag}'] .chart-legend li")
    return dict(
        items.evaluate_all("all => all.map((li) => [li.querySelector('bdi').textContent, li.lastChild.textContent])")
    )


def test_curves_are_drawn_over_each_other_with_the_values_of_each_run(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,2")
    chart = page.locator(".overlay[data-tag='loss/train']")
    expect(chart.locator("canvas")).to_be_visible()
    assert legend(page, "loss/train") == {"slow": "0.0200", "fast": "0.0300"}
    plot = chart.locator(".u-over")
    plot.hover(position={"x": 0, "y": 20})
    assert legend(page, "loss/train") == {"slow": "2", "fast": "3"}


def test_each_line_has_its_runs_own_colour_as_in_the_legend(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,2,3")
    expect(page.locator(".overlay canvas").first).to_be_visible()
    colours = page.locator(".legend .swatch").evaluate_all(
        "all => all.map((each) => getComputedStyle(each).borderTopColor)"
    )
    assert len(set(colours)) == 3
    page.get_by_role("link", name="Leave out run 1").click()
    page.wait_for_url(re.compile("runs=2,3$"))
    left = page.locator(".legend .swatch").evaluate_all(
        "all => all.map((each) => getComputedStyle(each).borderTopColor)"
    )
    assert left == colours[1:]


def test_a_run_without_curves_takes_part(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,4")
    expect(page.locator(".overlay[data-tag='loss/train'] canvas")).to_be_visible()
    assert legend(page, "loss/train") == {"slow": "0.0200", "no-curves": "–"}


def test_smoothing_and_time_redraw_every_line(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,2")
    expect(page.locator(".overlay canvas").first).to_be_visible()
    page.get_by_label("Smoothing").fill("0.9")
    page.get_by_label("Over").select_option("time")
    page.get_by_label("Log scale").check()
    expect(page.locator(".overlay[data-tag='loss/train'] canvas")).to_be_visible()
    assert legend(page, "loss/train") == {"slow": "0.0200", "fast": "0.0300"}


def test_what_differs_is_shown_and_what_is_equal_unfolds(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,2")
    section = page.locator("#section-environment")
    expect(section.get_by_role("row", name=re.compile("MODE"))).to_contain_text("slow")
    machine = page.locator("#section-host")
    expect(machine.locator("tr.equal").first).to_be_hidden()
    machine.get_by_role("checkbox").check()
    expect(machine.locator("tr.equal").first).to_be_visible()


def test_the_code_of_two_versions_is_told_apart_by_sign_and_colour(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,3")
    added, removed = page.locator(".diff .d-add"), page.locator(".diff .d-del")
    expect(added).to_have_text("+LAYERS = 4\n")
    expect(removed).to_have_text("-LAYERS = 3\n")
    paint = "line => getComputedStyle(line).backgroundColor"
    assert added.evaluate(paint) != removed.evaluate(paint)
    open_comparison(page, compared, "1,2")
    expect(page.locator(".code-pair")).to_contain_text("The code is identical.")


def test_runs_are_added_from_a_dialog_with_keys_alone(compared: ServedDeck, page: Page) -> None:
    page.goto(f"{compared.url}/runs/1")
    wait_until_ready(page)
    keys = page.keyboard
    keys.press("c")
    dialog = page.get_by_role("dialog", name="Compare with")
    expect(dialog.get_by_label("Filter runs")).to_be_focused()
    expect(dialog.get_by_role("checkbox")).to_have_count(3)
    keys.type("fast")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    keys.press("Tab")
    keys.press("Space")
    expect(dialog.get_by_role("button", name="Compare 2 runs")).to_be_enabled()
    dialog.get_by_label("Filter runs").fill("wider")
    expect(dialog.get_by_role("checkbox")).to_have_count(2)
    dialog.get_by_role("checkbox").last.check()
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/compare\?runs=1,2,3$"))
    expect(page.locator(".compare thead th")).to_have_count(3)


def test_a_run_that_does_not_exist_is_named(compared: ServedDeck, page: Page, complaints: object) -> None:
    complaints.expect("status of 404")
    page.goto(f"{compared.url}/compare?runs=1,999")
    expect(page.locator("main")).to_contain_text("999")


@pytest.mark.parametrize("context_options", [{"viewport": {"width": 360, "height": 740}}])
def test_on_a_narrow_screen_the_table_scrolls_and_the_page_does_not(compared: ServedDeck, page: Page) -> None:
    open_comparison(page, compared, "1,2,3,4")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table = page.get_by_role("region", name="Runs in columns")
    assert table.evaluate("box => box.scrollWidth > box.clientWidth")
    name = page.locator("#section-run th[scope=row]").first
    before = name.bounding_box()
    table.evaluate("box => { box.scrollLeft = 200; }")
    assert name.bounding_box() == before
