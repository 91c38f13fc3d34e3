"""The tab that tells what ran and on what, and running it again, exactly."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.readiness import wait_until_ready
from support.served import ServedDeck

TRAIN = "import model, os\nprint(model.LAYERS, os.environ.get('MODE'), flush=True)\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a script, a change that is not committed, and a file that git does not know."""
    folder = tmp_path / "nets"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "model.py").write_text("LAYERS = 3\n")
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    (folder / "model.py").write_text("LAYERS = 4\n")
    (folder / "notes.md").write_text("later")
    return folder


def launched(deck: ServedDeck, project: Path, **body: object) -> int:
    run_id = deck.launch(script={"path": str(project / "train.py"), "args": ["--lr", "a b"]}, **body)["id"]
    deck.wait_for_status(run_id, "completed")
    return run_id


def open_setup(page: Page, deck: ServedDeck, run_id: int) -> None:
    page.goto(f"{deck.url}/runs/{run_id}#setup")
    wait_until_ready(page)
    expect(page.locator(".setup")).to_be_visible()


def card(page: Page, title: str) -> object:
    return page.locator(".setup .card").filter(has=page.get_by_role("heading", name=title))


def test_command_code_git_packages_and_machine_are_told(cold_deck: ServedDeck, page: Page, project: Path) -> None:
    run_id = launched(cold_deck, project, env={"MODE": "fast", "HUB_TOKEN": "hush"})
    open_setup(page, cold_deck, run_id)
    expect(page.locator("#setup-command")).to_contain_text("train.py --lr 'a b'")
    expect(card(page, "Git")).to_contain_text("trunk")
    expect(card(page, "Python")).to_contain_text("torch")
    expect(card(page, "Machine")).to_contain_text("CPU")
    environment = card(page, "Environment")
    expect(environment).to_contain_text("HUB_TOKEN")
    expect(page.locator(".setup")).not_to_contain_text("hush")
    packages = card(page, "Packages")
    packages.get_by_label("Filter packages").fill("fastapi")
    expect(packages.locator("dt:visible")).to_have_text(["fastapi"])
    assert page.evaluate("scrollY") == 0


def test_a_kept_file_and_the_uncommitted_changes_are_opened_in_place(
    cold_deck: ServedDeck, page: Page, project: Path
) -> None:
    run_id = launched(cold_deck, project)
    (project / "model.py").write_text("LAYERS = 5\n")
    open_setup(page, cold_deck, run_id)
    code = card(page, "Code")
    code.get_by_text("model.py").click()
    expect(code.locator(".code span")).to_have_text(["LAYERS = 4\n"])
    changes = card(page, "Git")
    changes.get_by_text("Uncommitted changes").click()
    expect(changes.locator(".d-add")).to_have_text("+LAYERS = 4\n")
    expect(changes.locator(".d-del")).to_have_text("-LAYERS = 3\n")
    changes.get_by_text("1 untracked file").click()
    expect(changes.locator(".untracked li")).to_have_text(["notes.md"])


def test_a_run_that_has_not_started_fills_its_tab_once_it_has(
    cold_deck: ServedDeck, page: Page, tmp_path: Path
) -> None:
    source = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)"
    holds = {"source": source, "filename": "holds.py", "args": [str(tmp_path / "gate")]}
    cold_deck.launch(script=holds, resources={"cpus": 2})
    run_id = cold_deck.launch("print(1)")["id"]
    open_setup(page, cold_deck, run_id)
    expect(card(page, "Machine")).to_contain_text("The run has not started.")
    (tmp_path / "gate").touch()
    expect(card(page, "Machine")).to_contain_text("Memory")
    expect(card(page, "Packages").get_by_label("Filter packages")).to_be_visible()


def test_run_again_takes_the_code_as_it_was_and_leads_to_the_new_run(
    cold_deck: ServedDeck, page: Page, project: Path
) -> None:
    run_id = launched(cold_deck, project, env={"MODE": "fast"}, name="first", tags=["a"])
    (project / "model.py").write_text("LAYERS = 99\n")
    page.goto(f"{cold_deck.url}/runs/{run_id}")
    wait_until_ready(page)
    page.get_by_role("button", name="Run again").click()
    expect(page.locator(".toast")).to_contain_text(f"repeats run #{run_id}")
    expect(page.locator(".run-meta")).to_contain_text(f"Repeats #{run_id}")
    again = int(page.locator("#run").get_attribute("data-run") or 0)
    cold_deck.wait_for_status(again, "completed")
    assert cold_deck.log_of(again) == cold_deck.log_of(run_id) == "4 fast\n"


def test_a_pasted_script_is_run_again_with_a_key(cold_deck: ServedDeck, page: Page) -> None:
    run_id = cold_deck.launch("print('pasted')")["id"]
    cold_deck.wait_for_status(run_id, "completed")
    page.goto(f"{cold_deck.url}/runs/{run_id}")
    wait_until_ready(page)
    page.keyboard.press("Shift+R")
    expect(page.locator(".run-meta")).to_contain_text(f"Repeats #{run_id}")
    again = int(page.locator("#run").get_attribute("data-run") or 0)
    cold_deck.wait_for_status(again, "completed")
    assert cold_deck.log_of(again) == "pasted\n"


def test_the_record_of_the_chosen_attempt_is_shown(cold_deck: ServedDeck, page: Page) -> None:
    run_id = cold_deck.launch("print(1)")["id"]
    cold_deck.wait_for_status(run_id, "completed")
    cold_deck.client.post(f"/runs/{run_id}/retry")
    cold_deck.wait_until_ended(run_id)
    open_setup(page, cold_deck, run_id)
    with page.expect_request(lambda request: request.url.endswith("/record?attempt=1")):
        page.get_by_label("Attempt").select_option("1")
    expect(card(page, "Machine")).to_contain_text("Memory")


def test_the_address_of_the_record_opens_the_tab(cold_deck: ServedDeck, page: Page) -> None:
    run_id = cold_deck.launch("print(1)")["id"]
    page.goto(f"{cold_deck.url}/runs/{run_id}/record")
    expect(page.get_by_role("tab", name="Setup")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("1")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()
    page.keyboard.press("6")
    expect(page.get_by_role("tab", name="Setup")).to_be_focused()
