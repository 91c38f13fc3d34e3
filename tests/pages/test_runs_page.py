"""The list of runs."""

import pytest

from pages.markup import Element, read
from pages.sample_runs import CREATED, HOSTILE, deck_state, run_view
from traindeck.pages.runs_page import ListQuery, render_runs
from traindeck.pages.shell import DeckState
from traindeck.runner.program import Program
from traindeck.runs.status import Status
from traindeck.runs.view import MetricView, ProgressView, RunPage, RunView


def render(
    *runs: RunView, query: ListQuery | None = None, deck: DeckState | None = None, next_cursor: str | None = None
) -> Element:
    page = RunPage(items=list(runs), next_cursor=next_cursor, total=len(runs))
    return read(render_runs(page, query=query or ListQuery(), deck=deck or deck_state(), fragment=False))


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


def test_a_run_that_tells_no_progress_shows_the_step_of_its_scalars() -> None:
    metrics = {"loss": MetricView(last=1.0, min=1.0, max=2.0, step=1037)}
    row = render(run_view(progress=None, metrics=metrics)).one("tr", id="run-42")
    assert row.one("div", class_="bar-line").words() == "step 1,037"
    queued = render(run_view(Status.QUEUED, progress=None, metrics=metrics)).one("tr", id="run-42")
    assert "1,037" not in queued.words()


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
    sort = render(run_view(), query=ListQuery(sort="params.lr")).one("select", id="sort")
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


def test_an_empty_deck_has_a_button_that_launches_a_first_run_and_one_that_imports() -> None:
    page = render(deck=deck_state(counts={}))
    empty = page.one("section", class_="empty")
    launch, take_in = empty.all("button")
    assert launch.attributes["data-action"] == "first"
    assert "data-import" in take_in.attributes


def test_a_filter_without_matches_can_be_cleared() -> None:
    empty = render(query=ListQuery(q="nothing")).one("section", class_="empty")
    assert empty.one("a").attributes["href"] == "/runs"


def test_chips_count_runs_and_keep_the_filter() -> None:
    page = render(run_view(), query=ListQuery(q="a b"), deck=deck_state(counts={"running": 1, "failed": 1200}))
    chips = page.one("div", id="chips").all("a")
    assert [chip.words() for chip in chips] == ["All 1,201", "Running 1", "Failed 1,200"]
    assert chips[2].attributes["href"] == "/runs?q=a+b&status=failed"


def test_the_next_page_keeps_filter_order_and_status() -> None:
    query = ListQuery(q="mnist", sort="name", status="running")
    link = render(run_view(), query=query, next_cursor="abc").one("a", rel="next")
    assert link.attributes["href"] == "/runs?q=mnist&sort=name&status=running&cursor=abc"


def test_a_count_that_is_a_bound_says_so() -> None:
    runs = RunPage(items=[run_view()], next_cursor=None, total=10_000, total_exact=False)
    page = read(render_runs(runs, query=ListQuery(q="a"), deck=deck_state(), fragment=False))
    assert "10,000+ runs" in page.one("nav", class_="pager").words()


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
    script = Program(path="/home/ada/train.py", filename="train.py", args=("--lr", "0.1"))
    row = render(run_view(trainer=None, script=script, params={})).one("tr", id="run-42")
    assert "train.py" in row.words()
    assert "--lr 0.1" in row.words()


def test_the_header_shows_the_slots_of_what_the_machine_has() -> None:
    page = render(run_view(), deck=deck_state(gpus_used=1, gpus_total=2))
    assert [meter.attributes["aria-label"] for meter in page.all("span", role="meter")] == [
        "CPU slots in use",
        "GPU slots in use",
    ]
    assert len(render(run_view()).all("span", role="meter")) == 1


def test_page_and_fragment_render_the_same_list() -> None:
    runs = RunPage(items=[run_view(Status.COMPLETED)], next_cursor=None, total=1)
    page, fragment = (
        read(render_runs(runs, query=ListQuery(), deck=deck_state(), fragment=fragment)) for fragment in (False, True)
    )
    assert fragment.one("hx-partial", hx_target="#list").words() == page.one("div", id="list").words()
    assert fragment.all("html") == []


def test_every_row_can_be_chosen_to_be_compared() -> None:
    page = render(run_view())
    box = page.one("tr", id="run-42").one("input", type="checkbox")
    assert (box.attributes["value"], box.attributes["aria-label"]) == ("42", "Choose run 42")
    assert page.one("input", id="pick-all").attributes["aria-label"] == "Choose every run on this page"
    assert "hidden" in page.one("div", id="chosen").attributes


def test_the_options_that_were_given_to_a_script_come_first() -> None:
    params = {"alpha": 1, "lr": 0.1, "hidden_size": 64, "beta": 2, "epochs": 3}
    script = Program(filename="train.py", args=("--hidden-size", "64", "--beta=2"))
    row = render(run_view(trainer=None, script=script, params=params)).one("tr", id="run-42")
    assert [name.words() for name in row.all("bdi", class_="setting-name")] == ["hidden_size", "beta", "epochs", "lr"]


def test_a_command_is_shown_in_one_line_and_a_module_by_its_name() -> None:
    command = Program(kind="command", command=("torchrun", "--nproc_per_node=2", "train.py"), filename="torchrun")
    module = Program(kind="module", module="pkg.train", filename="pkg.train", args=("--lr", "1"))
    for script, shown, whole in (
        (command, "torchrun --nproc_per_node=2 train.py", "torchrun --nproc_per_node=2 train.py"),
        (module, "pkg.train", "python -m pkg.train --lr 1"),
    ):
        program = render(run_view(trainer=None, script=script, params={})).one("bdi", class_="program")
        assert (program.words(), program.attributes["title"]) == (shown, whole)


def test_a_retry_that_backs_off_is_counted_down_in_its_row() -> None:
    waits = run_view(Status.QUEUED, waiting_for="retry 2 of 3 in 8 s", not_before=CREATED)
    cell = render(waits).one("tr", id="run-42").one("td", class_="c-progress")
    assert cell.words().startswith("Retry 2 of 3")
    assert cell.one("time").attributes["datetime"] == "2025-11-23T07:30:00Z"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("it", "1,200 / 6,000 iterations"),
        ("B", "1.2 kB / 6 kB"),
        ("img", "1,200 / 6,000 img"),
        (" batch", "1,200 / 6,000 batches"),
        ("epoch", "1,200 / 6,000 epochs"),
    ],
)
def test_units_of_progress_bars_read_as_words(unit: str, shown: str) -> None:
    row = render(run_view(progress=ProgressView(step=1200, total=6000, unit=unit))).one("tr", id="run-42")
    assert shown in row.words()


def test_a_progress_bar_says_what_it_is_of() -> None:
    progress = ProgressView(step=450, total=1000, unit="it", eta_seconds=12, label="Epoch 3")
    row = render(run_view(progress=progress)).one("tr", id="run-42")
    line = row.one("div", class_="bar-line")
    assert [part.words() for part in (line.one("b"), line.one("bdi"), line.all("span")[1])] == [
        "45%",
        "Epoch 3",
        "12s left",
    ]
