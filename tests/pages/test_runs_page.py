"""The list of runs."""

import pytest

from pages.markup import Element, read
from pages.sample_runs import HOSTILE, deck_state, run_view
from traindeck.pages.deck import DeckState
from traindeck.pages.runs import RunsQuery, render_runs
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView, ProgressView, RunPage, RunView, ScriptView


def render(
    *runs: RunView, query: RunsQuery | None = None, deck: DeckState | None = None, next_cursor: str | None = None
) -> Element:
    page = RunPage(items=list(runs), next_cursor=next_cursor, total=len(runs))
    return read(render_runs(page, query=query or RunsQuery(), deck=deck or deck_state(), fragment=False))


@pytest.mark.parametrize("status", list(Status))
def test_a_row_names_its_status_in_words_and_with_an_icon(status: Status) -> None:
    row = render(run_view(status)).one("tr", id="run-42")
    badge = row.one("span", class_="badge")
    assert badge.words() == status.value.capitalize()
    assert badge.one("use").attributes["href"] == f"#i-{status.value}"


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_icon_in_the_sprite(status: Status) -> None:
    page = render(run_view(status))
    assert page.one("symbol", id=f"i-{status.value}")


def test_a_running_row_shows_bar_percentage_and_time_left() -> None:
    row = render(run_view()).one("tr", id="run-42")
    bar = row.one("progress")
    assert (bar.attributes["value"], bar.attributes["max"]) == ("1200", "6000")
    assert "20%" in row.words()
    assert "31s left" in row.words()


def test_a_bar_of_unknown_length_has_no_value() -> None:
    bar = render(run_view(progress=ProgressView(step=7))).one("progress", class_="bar")
    assert "value" not in bar.attributes


def test_almost_everything_is_not_a_hundred_percent() -> None:
    row = render(run_view(progress=ProgressView(step=5999, total=6000))).one("tr", id="run-42")
    assert "99%" in row.words()


def test_a_queued_row_says_why_it_waits_and_its_place() -> None:
    row = render(run_view(Status.QUEUED)).one("tr", id="run-42")
    assert "1 GPU slot: all 2 are taken" in row.words()
    assert "#3 in line" in row.words()


def test_a_failed_row_says_why() -> None:
    row = render(run_view(Status.FAILED, status_reason="exit code 1: out of memory")).one("tr", id="run-42")
    assert "exit code 1: out of memory" in row.words()


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("exit code 1: lab.data.errors.DataSetUnavailable: no file", "exit code 1: DataSetUnavailable: no file"),
        ("lab.errors.Stopped", "Stopped"),
        ("exit code 1: ValueError: see lab.errors.Stopped: it", "exit code 1: ValueError: see lab.errors.Stopped: it"),
        ("exit code 2: train.py: no such option", "exit code 2: train.py: no such option"),
        ("killed by signal 9", "killed by signal 9"),
    ],
)
def test_a_failed_row_names_the_exception_without_its_module_and_has_the_rest_in_its_title(
    reason: str, shown: str
) -> None:
    note = render(run_view(Status.FAILED, status_reason=reason)).one("div", class_="note")
    assert note.words() == shown
    assert note.attributes["title"] == reason


def test_validation_accuracy_is_the_key_metric_before_training_loss() -> None:
    metrics = {
        "Loss/train": MetricView(last=0.1, min=0.1, max=2, step=5),
        "Accuracy/validation": MetricView(last=0.98123, min=0.2, max=0.98123, step=5),
        "weights/norm": MetricView(last=3, min=1, max=3, step=5),
    }
    cell = render(run_view(metrics=metrics)).one("td", class_="c-metric")
    assert cell.words() == "0.9812 Accuracy/validation"


def test_a_metric_that_is_not_a_number_is_called_nan() -> None:
    cell = render(run_view(metrics={"loss": MetricView(last=None, min=1, max=2, step=5)})).one("td", class_="c-metric")
    assert cell.words() == "NaN loss"


def test_the_list_can_be_sorted_by_a_metric_that_is_in_it() -> None:
    sort = render(run_view()).one("select", id="sort")
    assert "-metrics.Loss/train" in [option.attributes["value"] for option in sort.all("option")]


def test_the_order_in_force_is_chosen_even_if_the_page_does_not_offer_it() -> None:
    sort = render(run_view(), query=RunsQuery(sort="params.lr")).one("select", id="sort")
    chosen = [option for option in sort.all("option") if "selected" in option.attributes]
    assert [option.attributes["value"] for option in chosen] == ["params.lr"]


@pytest.mark.parametrize(
    ("status", "action"),
    [(Status.QUEUED, "cancel"), (Status.RUNNING, "cancel"), (Status.FAILED, "retry"), (Status.COMPLETED, "retry")],
)
def test_a_row_offers_what_can_be_done(status: Status, action: str) -> None:
    button = render(run_view(status)).one("tr", id="run-42").one("button")
    assert button.attributes["data-action"] == action


def test_a_stopping_row_offers_nothing() -> None:
    assert render(run_view(Status.STOPPING)).one("tr", id="run-42").all("button") == []


def test_an_empty_deck_has_one_button_that_launches_a_first_run() -> None:
    page = render(deck=deck_state(counts={}))
    empty = page.one("section", class_="empty")
    assert [button.attributes["data-action"] for button in empty.all("button")] == ["first"]


def test_a_filter_without_matches_can_be_cleared() -> None:
    empty = render(query=RunsQuery(q="nothing")).one("section", class_="empty")
    assert empty.one("a").attributes["href"] == "/runs"


def test_chips_count_runs_and_keep_the_filter() -> None:
    page = render(run_view(), query=RunsQuery(q="a b"), deck=deck_state(counts={"running": 1, "failed": 1200}))
    chips = page.one("div", id="chips").all("a")
    assert [chip.words() for chip in chips] == ["All 1,201", "Running 1", "Failed 1,200"]
    assert chips[2].attributes["href"] == "/runs?q=a+b&status=failed"


def test_the_next_page_keeps_filter_order_and_status() -> None:
    query = RunsQuery(q="mnist", sort="name", status="running")
    link = render(run_view(), query=query, next_cursor="abc").one("a", rel="next")
    assert link.attributes["href"] == "/runs?q=mnist&sort=name&status=running&cursor=abc"


def test_hostile_text_is_shown_as_text() -> None:
    page = render(run_view(name=HOSTILE, tags=[HOSTILE], params={HOSTILE: HOSTILE}))
    row = page.one("tr", id="run-42")
    assert row.one("a", class_="run-name").words() == HOSTILE
    assert row.one("span", class_="tag").words() == HOSTILE
    assert row.all("img") == []


def test_characters_that_hide_or_turn_text_are_named() -> None:
    row = render(run_view(name="\u202egnp.exe\x00")).one("tr", id="run-42")
    assert row.one("a", class_="run-name").words() == "[U+202E]gnp.exe[U+0000]"


def test_a_script_is_shown_by_its_file_name_and_arguments() -> None:
    script = ScriptView(path="/home/ada/train.py", filename="train.py", args=["--lr", "0.1"])
    row = render(run_view(trainer=None, script=script, params={})).one("tr", id="run-42")
    assert "train.py" in row.words()
    assert "--lr 0.1" in row.words()


def test_the_header_shows_the_slots_of_what_the_machine_has() -> None:
    page = render(run_view(), deck=deck_state(gpus_used=1, gpus_total=2))
    assert [meter.attributes["aria-label"] for meter in page.all("span", role="meter")] == [
        "CPU slots taken",
        "GPU slots taken",
    ]
    assert len(render(run_view()).all("span", role="meter")) == 1


def test_page_and_fragment_render_the_same_list() -> None:
    runs = RunPage(items=[run_view(Status.COMPLETED)], next_cursor=None, total=1)
    page, fragment = (
        read(render_runs(runs, query=RunsQuery(), deck=deck_state(), fragment=fragment)) for fragment in (False, True)
    )
    assert fragment.one("hx-partial", hx_target="#list").words() == page.one("div", id="list").words()
    assert fragment.all("html") == []
