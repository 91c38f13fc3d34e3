"""The page of one run."""

import json
from typing import Any

import pytest

from pages.markup import Element, read
from pages.sample_runs import CREATED, HOSTILE, run_view
from traindeck.pages.run_page import render_run
from traindeck.runner.program import Program
from traindeck.runs.status import Status
from traindeck.runs.view import HistoryEntry, MetricView, RunView


def render(run: RunView, **changes: Any) -> Element:
    history = [HistoryEntry(at=CREATED, attempt=1, from_status=None, to_status=Status.QUEUED)]
    given: dict[str, Any] = {"history": history, "attempts": [1], "trainer_title": "ConvNet", "checkpoint": None}
    return read(render_run(run, **{**given, "fragment": False, **changes}))


def buttons(page: Element) -> set[str]:
    return {button.attributes["data-action"] for button in page.one("div", id="run-head").all("button")}


CHECKPOINT = "/home/ada/deck/runs/42/attempt-1/work/checkpoints/last.pt"
ALWAYS = {"edit", "rerun", "compare"}


def test_what_the_charts_lack_stands_above_them() -> None:
    told = ["<i>.tfevents: it is compressed\u202e", "b.tfevents: its wall times are in milliseconds"]
    page = render(run_view(), problems=told)
    for panel in ("panel-overview", "panel-charts"):
        lines = page.one("section", id=panel).one("ul", class_="chart-problems")
        assert "hidden" not in lines.attributes
        assert [line.words() for line in lines.all("li")] == [told[0].replace("\u202e", "[U+202E]"), told[1]]
    none = render(run_view()).one("section", id="panel-charts").one("ul", class_="chart-problems")
    assert "hidden" in none.attributes


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_page(status: Status) -> None:
    page = render(run_view(status))
    assert page.one("div", id="run-head").one("span", class_="badge").words() == status.value.capitalize()


def test_the_reason_of_a_failure_is_shown_in_full() -> None:
    reason = "exit code 1: " + "a long story " * 60
    page = render(run_view(Status.FAILED, status_reason=reason))
    assert reason.strip() in page.one("div", class_="reason").words()


def test_a_run_that_goes_on_can_be_cancelled_and_not_deleted() -> None:
    assert buttons(render(run_view())) == {"cancel"} | ALWAYS


def test_a_run_that_ended_can_be_retried_and_deleted() -> None:
    assert buttons(render(run_view(Status.FAILED))) == {"retry", "delete"} | ALWAYS


def test_only_a_run_with_a_checkpoint_can_be_resumed() -> None:
    assert "resume" in buttons(render(run_view(Status.FAILED), checkpoint=CHECKPOINT))
    assert "resume" not in buttons(render(run_view(), checkpoint=CHECKPOINT))


def test_the_title_of_the_tab_tells_how_far_a_run_is() -> None:
    assert render(run_view()).one("title").words() == "20% quiet-otter · Traindeck"


def test_a_completed_run_that_never_told_its_progress_has_a_full_bar() -> None:
    bar = render(run_view(Status.COMPLETED, progress=None)).one("progress", class_="bar")
    assert bar.attributes["value"] == bar.attributes["max"]


def test_a_queued_run_says_what_it_waits_for() -> None:
    head = render(run_view(Status.QUEUED)).one("div", id="run-head")
    assert "Number 3 in line. Waits for 1 GPU slot: all 2 are taken" in head.words()


def test_parameters_are_listed_with_what_they_are() -> None:
    params = {"lr": 0.0001, "amp": True, "decay": None, "folder": ""}
    facts = render(run_view(params=params)).one("div", id="run-facts").all("dl")[0]
    shown = {div.one("dt").words(): div.one("dd").words() for div in facts.all("div")}
    assert shown == {"lr": "0.0001", "amp": "on", "decay": "none", "folder": '""'}


def test_a_script_shows_where_it_came_from() -> None:
    script = Program(path="/home/ada/train.py", filename="train.py", args=("--lr", "0.1", "a b"))
    page = render(run_view(trainer=None, script=script, params={}), trainer_title=None)
    facts = page.one("div", id="run-facts")
    assert "/home/ada/train.py" in facts.words()
    assert facts.one("pre", id="command").words() == "python train.py --lr 0.1 'a b'"


@pytest.mark.parametrize(
    ("script", "command", "title"),
    [
        (
            Program(kind="module", module="pkg.train", filename="pkg.train"),
            "python -m pkg.train",
            "pkg.train",
        ),
        (
            Program(kind="command", command=("torchrun", "my train.py"), filename="torchrun"),
            "torchrun 'my train.py'",
            "torchrun 'my train.py'",
        ),
        (Program(kind="upload", filename="src/train.py"), "python src/train.py", "src/train.py"),
        (
            Program(kind="source", filename="a.py", python="/venv/bin/python"),
            "/venv/bin/python a.py",
            "a.py",
        ),
    ],
)
def test_each_kind_of_script_has_its_command_and_its_title(script: Program, command: str, title: str) -> None:
    page = render(run_view(trainer=None, script=script, params={}), trainer_title=None)
    assert page.one("pre", id="command").words() == command
    assert page.one("div", class_="run-meta").one("bdi", class_="program").words() == title


def test_the_parameters_of_a_script_are_shown_as_a_trainers_beside_its_command() -> None:
    script = Program(filename="train.py", args=("--lr", "0.1"))
    facts = render(run_view(trainer=None, script=script, params={"lr": 0.1, "epochs": 3})).one("div", id="run-facts")
    assert [heading.words() for heading in facts.all("h2")][:2] == ["Command", "Parameters"]
    assert "epochs" in facts.all("dl")[0].words()


def test_every_run_can_be_run_again_exactly_whatever_it_runs() -> None:
    pasted = Program(kind="source", path=None, filename="train.py", args=())
    for run in (run_view(), run_view(trainer=None, script=pasted, params={})):
        page = render(run)
        assert "rerun" in buttons(page)
        assert page.one("pre", id="again").words() == "traindeck rerun 42"


def test_an_imported_run_offers_no_command_that_would_run_it_again() -> None:
    page = render(run_view(trainer=None, script=None, params={}))
    assert page.all("pre", id="again") == []
    assert "rerun" not in buttons(page)


def test_a_run_that_repeats_another_leads_to_it() -> None:
    meta = render(run_view(rerun_of=41)).one("div", class_="run-meta")
    assert meta.one("a").attributes["href"] == "/runs/41"
    assert "Repeats #41" in meta.words()
    assert render(run_view()).one("div", class_="run-meta").all("a") == []


def test_a_run_can_be_edited_and_run() -> None:
    assert render(run_view()).one("a", id="act-change").attributes["href"] == "/launch?from=42"


@pytest.mark.parametrize(
    ("resume_arg", "told"),
    [
        ("--resume", "given as --resume"),
        ("ckpt=", "given as ckpt="),
        (None, "named in TRAINDECK_RESUME_FROM"),
    ],
)
def test_resume_says_from_which_checkpoint_it_goes_on_and_how_the_script_is_told(
    resume_arg: str | None, told: str
) -> None:
    script = Program(filename="train.py", resume_arg=resume_arg)
    run = run_view(Status.FAILED, trainer=None, script=script, params={}, attempt=2)
    page = render(run, checkpoint=CHECKPOINT, attempts=[1, 2], told="TRAINDECK_RESUME_FROM")
    note = page.one("p", class_="resume-note")
    assert "resume" in buttons(page)
    assert f"Resume continues from checkpoints/last.pt, {told}." in note.words()
    assert note.one("a").attributes["href"] == "/runs/42/files/checkpoints/last.pt?attempt=1"


def test_a_script_that_is_not_known_to_read_a_checkpoint_is_not_offered_to_resume() -> None:
    run = run_view(Status.FAILED, trainer=None, script=Program(filename="train.py"), params={})
    page = render(run, checkpoint=CHECKPOINT)
    note = page.one("p", class_="resume-note")
    assert "resume" not in buttons(page)
    assert note.words().startswith("Last checkpoint: checkpoints/last.pt. Resume is not available")
    assert note.one("a").attributes["href"] == "/runs/42/files/checkpoints/last.pt"


def test_a_trainer_needs_no_telling_how_it_resumes() -> None:
    note = render(run_view(Status.FAILED), checkpoint=CHECKPOINT).one("p", class_="resume-note")
    assert note.words() == "Resume continues from checkpoints/last.pt."


def test_a_checkpoint_that_is_a_folder_is_named_and_no_link() -> None:
    note = render(run_view(Status.FAILED), checkpoint="/d/runs/42/attempt-1/work/out/checkpoint-500")
    note = note.one("p", class_="resume-note")
    assert note.words() == "Resume continues from out/checkpoint-500."
    assert note.all("a") == []


def test_a_retry_that_backs_off_is_counted_down() -> None:
    waits = run_view(Status.QUEUED, waiting_for="retry 2 of 3 in 8 s", not_before=CREATED)
    head = render(waits).one("div", id="run-head")
    assert "Retry 2 of 3" in head.words()
    assert "in 8 s" not in head.words()
    assert "in line" not in head.words()
    assert len([time for time in head.all("time") if "data-countdown" in time.attributes]) == 1


def test_the_scalars_to_draw_first_are_named_as_json() -> None:
    metrics = {tag: MetricView(last=1, min=1, max=1, step=9) for tag in ("w/norm", 'a"b', "val_loss", "train_loss")}
    data = render(run_view(metrics=metrics)).one("div", id="run-progress").attributes
    assert json.loads(data["data-main-tags"]) == ["train_loss", "val_loss", 'a"b', "w/norm"]
    assert data["data-tag-count"] == "4"


def test_folders_of_event_files_that_cannot_be_read_are_named() -> None:
    folders = ["/data/exp", f"s3://{HOSTILE}"]
    page = render(run_view(Status.COMPLETED), unreadable=folders)
    said = page.one("div", id="run-progress").attributes["data-unread-logs"]
    assert all(folder in said for folder in folders)
    assert "traindeck import" in said
    assert said in [words.words() for words in page.one("section", id="panel-tensorboard").all("p")]
    assert render(run_view(Status.COMPLETED)).one("div", id="run-progress").attributes["data-unread-logs"] == ""


def test_each_attempt_can_be_chosen_where_there_are_several() -> None:
    chooser = render(run_view(attempt=2), attempts=[1, 2]).one("select", id="attempt")
    assert [option.words() for option in chooser.all("option")] == ["1", "2"]
    assert "hidden" in render(run_view()).one("label", class_="attempt").attributes


def test_a_run_that_has_not_begun_has_no_attempt_zero_to_choose() -> None:
    chooser = render(run_view(Status.QUEUED), attempts=[]).one("select", id="attempt")
    assert [option.words() for option in chooser.all("option")] == ["1"]


def test_history_tells_each_change_with_its_reason() -> None:
    entry = HistoryEntry(at=CREATED, attempt=1, from_status=Status.RUNNING, to_status=Status.FAILED, reason="exit 1")
    items = render(run_view(Status.FAILED), history=[entry]).one("ol", class_="history").all("li")
    assert "Failed" in items[0].words()
    assert "exit 1" in items[0].words()


def test_each_tab_controls_a_panel() -> None:
    page = render(run_view())
    panels = {panel.attributes["id"] for panel in page.all("section", role="tabpanel")}
    assert {tab.attributes["aria-controls"] for tab in page.all("button", role="tab")} == panels


def test_tensorboard_is_not_loaded_before_its_tab_is_opened() -> None:
    frame = render(run_view()).one("iframe")
    assert "src" not in frame.attributes
    assert frame.attributes["data-src"] == "/runs/42/tensorboard/"


def test_hostile_text_is_shown_as_text() -> None:
    page = render(
        run_view(Status.FAILED, name=HOSTILE, notes=HOSTILE, status_reason=HOSTILE, params={HOSTILE: HOSTILE})
    )
    assert page.one("h1").words() == HOSTILE
    assert page.one("p", class_="notes").words() == HOSTILE
    assert HOSTILE in page.one("title").words()
    assert page.one("main").all("img") == []


def test_page_and_fragment_render_the_same_parts() -> None:
    page, fragment = (render(run_view(Status.COMPLETED), fragment=fragment) for fragment in (False, True))
    for part in ("run-head", "run-facts"):
        assert fragment.one("hx-partial", hx_target=f"#{part}").words() == page.one("div", id=part).words()
