"""A script of the user's on the launch form: every way to name it, and its own options as fields."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.complaints import Complaints
from browser.readiness import wait_until_ready
from browser.source_editor import source_editor, write_source
from support.served import ServedDeck

SCRIPT = Path(__file__).parent / "scripts" / "thirty_options.py"

WRONG = {
    "a text that is required": ("data", "", "Enter a value"),
    "a whole number": ("epochs", "1.5", "whole number"),
    "a number": ("lr", "fast", "Enter a number"),
    "a number that may be left out": ("clip", "1,5", "Enter a number"),
    "a list of whole numbers": ("layers", "32 6x", "6x is not a whole number"),
    "a list of two numbers": ("betas", "0.9", "Enter 2 values; there are 1 now"),
    "a count": ("verbose", "-1", "at least 0"),
    "one of two that exclude each other": ("step_lr", "3", "cannot be given together with cosine"),
}
RIGHT = {"data": "/data", "epochs": "3", "lr": "0.001", "clip": "", "layers": "32 64", "betas": "0.9 0.999",
         "verbose": "0", "step_lr": ""}  # fmt: skip
CHANGED = {"data": "/data set", "width": "96", "layers": "8 16 32", "lr": "3e-4", "betas": "0.8 0.99", "clip": "1.5",
           "tag": "one 'two words'", "verbose": "2", "note": "-starts with a dash"}  # fmt: skip
PARAMS = {"data": "/data set", "width": 96, "layers": [8, 16, 32], "lr": 3e-4, "betas": [0.8, 0.99], "clip": 1.5,
          "tag": ["one", "two words"], "verbose": 2, "note": "-starts with a dash", "arch": "vit", "pretrained": True,
          "bias": False}  # fmt: skip


def open_script_form(page: Page, deck: ServedDeck, way: str = "File on this machine") -> None:
    page.goto(f"{deck.url}/launch#script")
    wait_until_ready(page)
    page.get_by_role("radio", name=way).check()


def open_options(page: Page, deck: ServedDeck, script: Path = SCRIPT, shown: str = "lr") -> None:
    open_script_form(page, deck)
    page.get_by_label("Path").fill(str(script))
    expect(option(page, shown)).to_be_visible()


def option(page: Page, name: str) -> Locator:
    return page.locator(f"#option-{name}")


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#options [data-param='{name}']")


def launch(page: Page) -> None:
    page.get_by_role("button", name="Launch", exact=True).click()


def launched_run(page: Page) -> int:
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    return int(page.url.rpartition("/")[2])


def launch_and_wait(page: Page, deck: ServedDeck) -> dict:
    launch(page)
    return deck.wait_for_status(launched_run(page), "completed")


def count_runs(deck: ServedDeck) -> int:
    return deck.client.get("/runs").json()["total"]


def test_a_wrong_value_in_each_kind_of_field_is_told_there_and_nothing_is_launched(
    cold_deck: ServedDeck, page: Page
) -> None:
    open_options(page, cold_deck)
    before = count_runs(cold_deck)
    option(page, "cosine").check()
    for name, value in RIGHT.items():
        option(page, name).fill(value)
    for case, (name, value, message) in WRONG.items():
        option(page, name).fill(value)
        launch(page)
        expect(field(page, name).locator(".field-error"), case).to_contain_text(message)
        expect(page.locator("#options .field-error:visible"), case).to_have_count(1)
        expect(option(page, name), case).to_be_focused()
        expect(option(page, name), case).to_have_attribute("aria-invalid", "true")
        option(page, name).fill(RIGHT[name])
    assert count_runs(cold_deck) == before


def change_options(page: Page) -> None:
    for name, value in CHANGED.items():
        option(page, name).fill(value)
    option(page, "arch").select_option(label="vit")
    option(page, "pretrained").check()
    option(page, "bias").uncheck()


def test_the_run_gets_the_options_that_the_form_says(cold_deck: ServedDeck, page: Page) -> None:
    open_options(page, cold_deck)
    expect(field(page, "data").locator(".required")).to_be_visible()
    change_options(page)
    run = launch_and_wait(page, cold_deck)
    assert {name: run["params"][name] for name in PARAMS} == PARAMS
    assert len(run["params"]) == 30
    assert json.loads(cold_deck.log_of(run["id"])) == run["params"]


def test_both_lines_for_a_terminal_launch_the_very_run_that_the_form_does(cold_deck: ServedDeck, page: Page) -> None:
    open_options(page, cold_deck)
    change_options(page)
    page.locator("#common-tags").fill("one, two words")
    by_curl = json.loads(run_line(page, cold_deck, "curl", "--silent --noproxy '*'"))
    by_command = json.loads(run_line(page, cold_deck, "traindeck").replace("\n", ""))
    by_form = launch_and_wait(page, cold_deck)
    for run in (by_curl, by_command):
        for name in ("params", "tags", "resources"):
            assert run[name] == by_form[name]
        assert run["script"]["cwd"] == by_form["script"]["cwd"]


def run_line(page: Page, deck: ServedDeck, kind: str, options: str = "") -> str:
    """What the shown line prints when a shell runs it."""
    page.get_by_role("button", name=kind, exact=True).click()
    line = page.locator("#curl").inner_text()
    assert shutil.which("curl"), "curl is needed here"
    if kind == "traindeck":
        line = line.replace(
            "traindeck launch ", f"{sys.executable} -m traindeck.cli launch --json --url {deck.url} ", 1
        )
    environment = {**os.environ, "NO_PROXY": "*"}
    done = subprocess.run(["bash", "-ec", f"{line} {options}"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_arguments_that_are_typed_are_filled_in_as_options(cold_deck: ServedDeck, page: Page) -> None:
    open_options(page, cold_deck)
    typed = page.get_by_label("Arguments")
    typed.fill("--epochs nine")
    typed.press("Tab")
    expect(page.locator("#error-script-args")).to_contain_text("invalid int value: 'nine'")
    expect(typed).to_have_value("--epochs nine")
    typed.fill("--ep 9 --betas 0.5 0.6 -vv --no-bias /data")
    typed.press("Tab")
    expect(typed).to_have_value("")
    expect(page.locator("#options-status")).to_contain_text("Filled in below:")
    for name, value in (("epochs", "9"), ("betas", "0.5 0.6"), ("verbose", "2"), ("data", "/data"), ("lr", "0.001")):
        expect(option(page, name)).to_have_value(value)
    expect(option(page, "bias")).not_to_be_checked()


def test_an_option_among_many_is_found_by_a_word_of_it(cold_deck: ServedDeck, page: Page) -> None:
    open_options(page, cold_deck)
    page.get_by_label("Find an option").fill("rate")
    expect(page.locator("#options-count")).to_have_text("2 of 30")
    expect(option(page, "lr")).to_be_visible()
    expect(option(page, "step_lr")).to_be_visible()
    expect(option(page, "momentum")).to_be_hidden()
    launch(page)
    expect(option(page, "data")).to_be_focused()


def test_what_was_typed_survives_an_edit_of_the_script(cold_deck: ServedDeck, page: Page) -> None:
    source = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.1)\n"
    end = "print(p.parse_args())\n"
    open_script_form(page, cold_deck, "Paste")
    write_source(page, source + end)
    option(page, "lr").fill("0.5")
    write_source(page, source + "p.add_argument('--epochs', type=int, default=3)\n" + end)
    option(page, "epochs").fill("7")
    expect(option(page, "lr")).to_have_value("0.5")
    write_source(page, source.replace("--lr", "--rate") + end)
    expect(option(page, "rate")).to_be_visible()
    write_source(page, source + end)
    expect(option(page, "lr")).to_have_value("0.5")
    run = launch_and_wait(page, cold_deck)
    assert run["params"] == {"lr": 0.5}
    assert cold_deck.log_of(run["id"]) == "Namespace(lr=0.5)\n"


def test_a_script_without_options_says_so_and_takes_arguments_as_text(cold_deck: ServedDeck, page: Page) -> None:
    open_script_form(page, cold_deck, "Paste")
    write_source(page, "import sys\nprint(sys.argv[1:])\n")
    expect(page.locator("#options-status")).to_contain_text("No form:")
    page.get_by_label("Arguments").fill("--lr 'a b'")
    run = launch_and_wait(page, cold_deck)
    assert cold_deck.log_of(run["id"]) == "['--lr', 'a b']\n"


def test_the_editor_indents_with_tab_and_is_left_with_escape_and_tab(cold_deck: ServedDeck, page: Page) -> None:
    open_script_form(page, cold_deck, "Paste")
    source_editor(page).click()
    page.keyboard.type("if True:")
    page.keyboard.press("Enter")
    page.keyboard.type("print('?n/')")
    expect(page.locator("#script-source")).to_have_value("if True:\n    print('?n/')")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(page.locator("#script-source")).to_have_value("if True:\n        print('?n/')")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("#script-filename")).to_be_focused()


def zip_of(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "project.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_is_uploaded_and_one_of_its_files_started(cold_deck: ServedDeck, page: Page, tmp_path: Path) -> None:
    files = {
        "model.py": "WIDTH = 8\n",
        "train.py": "import argparse, model\np = argparse.ArgumentParser()\np.add_argument('--steps', type=int, default=2)\nprint(model.WIDTH * p.parse_args().steps)\n",
        "test.py": "print('tests')\n",
    }
    open_script_form(page, cold_deck, "Upload")
    page.locator("#upload-file").set_input_files(zip_of(tmp_path, files))
    expect(page.locator("#upload-state")).to_contain_text("project.zip: 3 files")
    page.get_by_label("Start", exact=True).select_option("train.py")
    option(page, "steps").fill("5")
    run = launch_and_wait(page, cold_deck)
    assert run["script"]["kind"] == "upload"
    assert run["params"] == {"steps": 5}
    assert cold_deck.log_of(run["id"]) == "40\n"


def test_a_zip_that_is_broken_is_refused_in_words(
    cold_deck: ServedDeck, page: Page, tmp_path: Path, complaints: Complaints
) -> None:
    complaints.expect("status of 422")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    open_script_form(page, cold_deck, "Upload")
    launch(page)
    expect(page.locator("#error-script-upload")).to_have_text("Choose a file or a folder.")
    page.locator("#upload-file").set_input_files(broken)
    expect(page.locator("#error-script-upload")).to_contain_text("zip")
    expect(page.locator("#upload-state")).to_be_empty()


def test_a_module_and_a_command_are_launched_in_their_folder(cold_deck: ServedDeck, page: Page, tmp_path: Path) -> None:
    package = tmp_path / "digits"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', type=int)\nprint(p.parse_args())\n"
    )
    open_script_form(page, cold_deck, "Module")
    page.get_by_label("Module", exact=True).and_(page.locator("#script-module")).fill("digits.train")
    launch(page)
    expect(page.locator("#script-module-cwd")).to_be_focused()
    page.locator("#script-module-cwd").fill(str(tmp_path))
    option(page, "n").fill("4")
    run = launch_and_wait(page, cold_deck)
    assert cold_deck.log_of(run["id"]) == "Namespace(n=4)\n"
    open_script_form(page, cold_deck, "Command")
    page.locator("#script-command").fill("echo 'two words' \"$HOME\"")
    run = launch_and_wait(page, cold_deck)
    assert run["script"]["command"] == ["echo", "two words", "$HOME"]
    assert cold_deck.log_of(run["id"]) == "two words $HOME\n"


def test_edit_and_run_repeats_the_code_of_the_run_with_what_was_changed(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import argparse, os\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.1)\n"
        "p.add_argument('--epochs', type=int, default=3)\nprint(p.parse_args(), os.environ['MY_TOKEN'])\n"
    )
    given = {"path": str(script), "args": ["--epochs", "5"]}
    first = cold_deck.launch(script=given, name="first", tags=["a"], env={"MY_TOKEN": "hush"})
    cold_deck.wait_for_status(first["id"], "completed")
    script.write_text("print('other code')\n")
    page.goto(f"{cold_deck.url}/launch?from={first['id']}")
    expect(option(page, "epochs")).to_have_value("5")
    expect(page.get_by_label("Arguments")).to_have_value("")
    expect(page.locator("#changes")).to_have_text(f"All parameters are those of run {first['id']}.")
    option(page, "lr").fill("0.2")
    page.locator("#common-tags").fill("a, b")
    expect(page.locator("#curl")).to_contain_text(f"/runs/{first['id']}/rerun")
    run = launch_and_wait(page, cold_deck)
    assert cold_deck.log_of(run["id"]) == "Namespace(lr=0.2, epochs=5) hush\n"
    assert (run["rerun_of"], run["tags"], run["name"]) == (first["id"], ["a", "b"], "first")


def test_edit_and_run_of_a_trainer_sends_what_was_changed(cold_deck: ServedDeck, page: Page) -> None:
    first = cold_deck.launch(trainer="mnist", params={"epochs": 9, "seed": 1}, notes="why", priority=-5)
    cold_deck.client.post(f"/runs/{first['id']}/cancel", json={})
    page.goto(f"{cold_deck.url}/launch?from={first['id']}")
    expect(page.locator("#param-epochs")).to_have_value("9")
    page.locator("#param-epochs").fill("1")
    page.get_by_role("button", name="traindeck", exact=True).click()
    expect(page.locator("#curl")).to_have_text(f"traindeck rerun {first['id']} -p epochs=1")
    launch(page)
    run = cold_deck.run(launched_run(page))
    cold_deck.client.post(f"/runs/{run['id']}/cancel", json={})
    assert run["params"] == {**first["params"], "epochs": 1}
    assert (run["rerun_of"], run["notes"], run["priority"]) == (first["id"], "why", -5)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_options_come_without_making_the_page_scroll_sideways(
    cold_deck: ServedDeck, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_options(page, cold_deck)
    for way in ("Paste", "Upload", "Module", "Command"):
        page.get_by_role("radio", name=way).check()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), way


def test_a_path_says_what_is_wrong_with_it_while_it_is_typed_and_at_its_field_when_launched(
    cold_deck: ServedDeck, page: Page, complaints: Complaints
) -> None:
    open_script_form(page, cold_deck)
    page.get_by_label("Path").fill("/nowhere/train.py")
    expect(page.locator("#options-status")).to_contain_text("does not exist")
    assert complaints.unexpected() == []
    complaints.expect("status of 422")
    launch(page)
    expect(page.locator("#error-script-path")).to_contain_text("does not exist")
    expect(page.get_by_label("Path")).to_be_focused()


def test_a_folder_is_uploaded_and_what_no_script_needs_is_left_out(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    for name in ("pkg/train.py", ".git/config", "pkg/__pycache__/train.pyc"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("print('trained')\n")
    open_script_form(page, cold_deck, "Upload")
    page.locator("#upload-folder").set_input_files(project)
    expect(page.locator("#upload-state")).to_contain_text("project: 1 file")
    run = launch_and_wait(page, cold_deck)
    assert cold_deck.log_of(run["id"]) == "trained\n"
