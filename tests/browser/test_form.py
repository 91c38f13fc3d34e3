"""The launch form."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.complaints import Complaints
from browser.source_editor import source_editor, write_source
from support.served import ServedDeck

REFUSED = "status of 422"

WRONG_TRAINER_FIELDS = {
    "an integer below its bounds": ("params.epochs", "0", "at least 1"),
    "an integer above its bounds": ("params.batch_size", "9000", "at most 8192"),
    "an integer with a fraction": ("params.seed", "1.5", "whole number"),
    "a number at an open bound": ("params.dropout", "1", "below 1"),
    "a number left out": ("params.weight_decay", "", "Enter a value"),
    "a folded field": ("params.max_steps", "-1", "at least 0"),
}
WRONG_COMMON_FIELDS = {
    "a name that is too long": ("name", "n" * 201, "200 characters"),
    "more CPU slots than there are": ("resources.cpus", "3", "this machine has 2 CPU slots"),
    "a GPU where there is none": ("resources.gpus", "1", "no GPU"),
    "a tag that is too long": ("tags", "t" * 300, "at most"),
    "fewer than no retries": ("max_retries", "-1", "at least 0"),
    "a variable without a name": ("env", "=value", "env"),
}


def open_form(page: Page, deck: ServedDeck, query: str = "?trainer=mnist") -> None:
    page.goto(f"{deck.url}/launch{query}")
    page.locator("details:not([open]) > summary").evaluate_all("all => all.forEach((each) => each.click())")


def fill(page: Page, field: str, value: str) -> None:
    page.locator(f"[data-field='{field}'] :is(input, textarea)").fill(value)


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch", exact=True).click()


def launched_run(page: Page) -> int:
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rpartition("/")[2])


def count_runs(deck: ServedDeck) -> int:
    return deck.client.get("/runs").json()["total"]


@pytest.fixture
def refused(complaints: Complaints) -> None:
    """The browser itself reports that an answer was 422."""
    complaints.expect(REFUSED)


@pytest.mark.parametrize("case", WRONG_TRAINER_FIELDS)
def test_a_wrong_parameter_is_told_at_its_field_before_anything_is_sent(
    case: str, cold_deck: ServedDeck, page: Page
) -> None:
    field, value, message = WRONG_TRAINER_FIELDS[case]
    before = count_runs(cold_deck)
    open_form(page, cold_deck)
    fill(page, field, value)
    launch(page)
    part = page.locator(f"[data-field='{field}']")
    expect(part.locator(".field-error")).to_contain_text(message)
    expect(part.locator("input")).to_be_focused()
    expect(part.locator("input")).to_have_attribute("aria-invalid", "true")
    assert count_runs(cold_deck) == before


@pytest.mark.parametrize("case", WRONG_COMMON_FIELDS)
@pytest.mark.usefixtures("refused")
def test_what_the_deck_refuses_is_told_at_its_field(case: str, cold_deck: ServedDeck, page: Page) -> None:
    field, value, message = WRONG_COMMON_FIELDS[case]
    before = count_runs(cold_deck)
    open_form(page, cold_deck)
    fill(page, field, value)
    launch(page)
    part = page.locator(f"[data-field='{field}']")
    expect(part.locator(".field-error")).to_contain_text(message)
    expect(part.locator("input, textarea")).to_be_focused()
    assert count_runs(cold_deck) == before


@pytest.mark.usefixtures("refused")
def test_a_choice_that_needs_another_field_is_told_there(cold_deck: ServedDeck, page: Page) -> None:
    open_form(page, cold_deck)
    page.get_by_label("Data set", exact=True).select_option("folder")
    launch(page)
    expect(page.locator("#error-folder")).to_contain_text("needs the path")
    expect(page.locator("#param-folder")).to_be_focused()


def test_of_several_wrong_fields_the_first_gets_the_focus_and_each_its_own_message(
    cold_deck: ServedDeck, page: Page
) -> None:
    open_form(page, cold_deck)
    for field in ("params.dropout", "params.epochs", "params.log_every"):
        fill(page, field, "-3")
    launch(page)
    expect(page.locator(".field-error:visible")).to_have_count(3)
    expect(page.locator("#param-epochs")).to_be_focused()
    page.locator("#param-epochs").fill("2")
    expect(page.locator(".field-error:visible")).to_have_count(2)


@pytest.mark.usefixtures("refused")
def test_a_script_that_is_not_there_is_told_at_its_path(cold_deck: ServedDeck, page: Page) -> None:
    open_form(page, cold_deck, "?script=/nowhere/train.py")
    launch(page)
    expect(page.locator("#error-script-path")).to_contain_text("does not exist")
    expect(page.locator("#script-path")).to_be_focused()


def test_a_changed_parameter_can_be_put_back_and_all_of_them_at_once(cold_deck: ServedDeck, page: Page) -> None:
    open_form(page, cold_deck)
    fill(page, "params.epochs", "7")
    fill(page, "params.seed", "1")
    box = page.get_by_role("checkbox", name="Channels last")
    was = box.is_checked()
    box.set_checked(not was)
    expect(page.locator("#changes")).to_contain_text("epochs, seed")
    page.get_by_role("button", name="Reset Epochs to 3").click()
    expect(page.locator("#param-epochs")).to_have_value("3")
    expect(page.locator("#changes")).not_to_contain_text("epochs")
    page.get_by_role("button", name="Reset all to defaults").click()
    expect(page.locator("#param-seed")).to_have_value("42")
    expect(box).to_be_checked(checked=was)
    expect(page.locator("#changes")).to_have_text("All parameters are at their defaults.")


def fill_in_everything(page: Page) -> None:
    fill(page, "params.seed", "11")
    page.get_by_label("Optimizer", exact=True).select_option("sgd")
    fill(page, "name", 'it\'s a "copy" of $HOME')
    fill(page, "tags", "one, two words, ünïcode")
    fill(page, "notes", "first line\nsecond 'line' \\n")
    fill(page, "env", "GREETING=hello world")
    fill(page, "priority", "4")


def test_the_copied_curl_command_launches_the_very_run_that_the_form_does(cold_deck: ServedDeck, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_form(page, cold_deck)
    fill_in_everything(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert shutil.which("curl"), "curl is needed here"
    done = subprocess.run(["bash", "-c", f"{command} --silent --noproxy '*'"], capture_output=True, check=True)
    by_curl = json.loads(done.stdout)
    cold_deck.client.post(f"/runs/{by_curl['id']}/cancel", json={})
    launch(page)
    by_form = cold_deck.run(launched_run(page))
    cold_deck.client.post(f"/runs/{by_form['id']}/cancel", json={})
    same = ("name", "trainer", "params", "tags", "notes", "priority", "resources")
    assert {key: by_curl[key] for key in same} == {key: by_form[key] for key in same}
    assert by_curl["name"] == 'it\'s a "copy" of $HOME'
    assert by_curl["params"]["optimizer"] == "sgd"


def test_a_pasted_script_is_launched_with_its_arguments(cold_deck: ServedDeck, page: Page) -> None:
    open_form(page, cold_deck)
    page.get_by_role("tab", name="Your own script").click()
    page.get_by_role("radio", name="Paste").check()
    write_source(page, "import sys\nprint(sys.argv[1:])")
    page.get_by_label("Arguments").fill("--name 'a b' \"it's\"")
    launch(page)
    run_id = launched_run(page)
    cold_deck.wait_for_status(run_id, "completed")
    assert cold_deck.log_of(run_id) == "['--name', 'a b', \"it's\"]\n"


def test_a_pasted_script_of_a_run_is_edited_and_run(cold_deck: ServedDeck, page: Page) -> None:
    run = cold_deck.launch("print('hello')", name="first", tags=["a"], env={"A": "b", "MY_TOKEN": "hush"}, notes="why")
    page.goto(f"{cold_deck.url}/runs/{run['id']}")
    page.get_by_role("link", name="Edit and run").click()
    expect(page.get_by_label("Tags", exact=True)).to_have_value("a")
    expect(page.get_by_label("Environment")).to_have_value("A=b\nMY_TOKEN=***")
    page.get_by_role("radio", name="Edit the source").check()
    expect(source_editor(page)).to_have_text("print('hello')")
    write_source(page, "print('changed')")
    launch(page)
    expect(page.locator("#error-env")).to_contain_text("The value of MY_TOKEN is hidden here")
    page.locator("#common-env").fill("A=b")
    launch(page)
    run_id = launched_run(page)
    cold_deck.wait_for_status(run_id, "completed")
    assert cold_deck.log_of(run_id) == "changed\n"


PICKY = """
from pydantic import BaseModel
from traindeck.trainers.trainer import Trainer

class Params(BaseModel):
    folder: str
    comment: str = "none"
    fast: bool = False

trainer = Trainer("picky", "Picky", "Wants a folder.", Params, "picky:train")
"""


@pytest.fixture
def picky_deck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedDeck]:
    """A deck with a trainer that must be given a text, and with one that is broken."""
    site = tmp_path / "site"
    package = site / "picky-1.0.dist-info"
    package.mkdir(parents=True)
    (site / "picky.py").write_text(PICKY)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: picky\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[traindeck.trainers]\npicky = picky:trainer\ntorn = picky:torn\n")
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    deck = ServedDeck(tmp_path / "home", cpus=1, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()


def test_a_required_text_that_is_empty_is_asked_for_and_not_launched(picky_deck: ServedDeck, page: Page) -> None:
    open_form(page, picky_deck, "?trainer=picky")
    expect(page.locator("#changes")).to_have_text("Required: folder")
    expect(page.locator("#curl")).not_to_contain_text("folder")
    launch(page)
    expect(page.locator("#error-folder")).to_have_text("Enter a value.")
    expect(page.locator("#param-folder")).to_be_focused()
    assert count_runs(picky_deck) == 0
    fill(page, "params.folder", "/data")
    expect(page.locator("#changes")).to_have_text("All other parameters are at their defaults.")
    fill(page, "params.comment", "")
    expect(page.locator("#changes")).to_have_text("Changed: comment")
    launch(page)
    assert picky_deck.run(launched_run(page))["params"] == {"folder": "/data", "comment": "", "fast": False}


def box(part: Locator) -> dict[str, float]:
    found = part.bounding_box()
    assert found is not None
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def test_what_stands_beside_each_other_on_the_form_does_not_touch(picky_deck: ServedDeck, page: Page) -> None:
    open_form(page, picky_deck, "?trainer=picky")
    switch = page.locator("[data-param='fast'] label")
    assert box(switch.locator("span"))["x"] - box(switch.locator("input"))["right"] >= 5
    assert box(page.locator("#panel-trainer .group").first)["y"] - box(page.locator(".reason").last)["bottom"] >= 8
