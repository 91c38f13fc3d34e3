"""The page that shows runs beside each other."""

import json
from itertools import combinations

import pytest

from pages.markup import Element, read
from pages.sample_comparison import DIFF, compared_run, comparison, metric, rows
from pages.sample_runs import HOSTILE, deck_state
from traindeck.pages.compare_page import render_compare, run_colours
from traindeck.runs.comparison import ComparedCode, ComparedFile, ComparedMetrics, Comparison


def render(found: Comparison | None = None) -> Element:
    return read(render_compare(found or comparison(), deck=deck_state()))


def line(page: Element, name: str) -> Element:
    """The row of the table that is called `name`."""
    found = [
        row for row in page.one("table").all("tr") if [head.words() for head in row.all("th", scope="row")] == [name]
    ]
    assert len(found) == 1, f"{len(found)} rows are called {name}"
    return found[0]


def test_each_run_has_a_column_that_leads_to_it() -> None:
    heads = render().one("thead").all("th")
    assert [head.all("a")[0].attributes["href"] for head in heads] == ["/runs/41", "/runs/42"]
    assert ["Completed" in head.words() for head in heads] == [True, True]


def test_what_differs_comes_first_and_what_is_equal_can_be_shown() -> None:
    section = render().one("tbody", id="section-params")
    names = [row.one("th", scope="row").words() for row in section.all("tr")[1:]]
    assert names == ["lr", "epochs"]
    assert ["equal" in row.attributes.get("class", "") for row in section.all("tr")[1:]] == [False, True]
    assert "1 differs" in section.words()
    assert section.one("label").words() == "Show 1 equal"


def test_a_value_that_is_not_as_in_the_first_run_is_marked() -> None:
    cells = line(render(), "lr").all("td")
    assert [cell.words() for cell in cells] == ["0.1", "0.2"]
    assert ["other" in cell.attributes.get("class", "") for cell in cells] == [False, True]


def test_what_a_run_does_not_have_is_a_dash() -> None:
    assert [cell.words() for cell in line(render(), "MODE").all("td")] == ["fast", "–"]


def test_the_best_of_a_loss_is_the_least_and_of_an_accuracy_the_greatest() -> None:
    page = render()
    assert [cell.words() for cell in line(page, "Loss/train").all("td")] == ["0.5000", "0.2500 best"]
    assert [cell.words() for cell in line(page, "Accuracy/val").all("td")] == ["0.9000 best", "0.8000"]


def test_no_run_is_the_best_where_nobody_knows_which_way_is_better_or_there_is_only_one() -> None:
    metrics = ComparedMetrics(rows=[metric("speed", 1.0, 2.0), metric("Loss/val", 1.0, None)])
    page = render(comparison(metrics=metrics))
    assert page.all("span", class_="best") == []


def test_what_is_left_out_because_it_is_equal_is_counted() -> None:
    section = render().one("tbody", id="section-packages")
    assert section.words() == "Packages No difference · 137 equal in all"


def test_a_repeated_run_leads_to_the_one_that_it_repeats() -> None:
    assert line(render(), "Repeats").one("a").attributes["href"] == "/runs/41"


def test_the_code_of_each_run_is_set_against_the_firsts() -> None:
    section = render().one("section", class_="code-pair")
    assert section.one("h2").words() == "Code of #42 against #41"
    assert section.one("pre").text == DIFF
    assert section.one("span", class_="plus").words() == "+1"
    assert section.one("span", class_="minus").words() == "−1"


def test_a_long_diff_is_folded_and_a_short_one_is_not() -> None:
    files = [
        ComparedFile(path="long.py", status="changed", diff=DIFF + "+x\n" * 100),
        ComparedFile(path="short.py", status="changed", diff=DIFF),
    ]
    folds = render(comparison(code=[ComparedCode(run=42, against=41, same=False, files=files)])).all("details")
    assert ["open" in fold.attributes for fold in folds] == [False, True]


@pytest.mark.parametrize(
    ("same", "words"), [(True, "The code is identical."), (None, "One of the two runs has no kept code.")]
)
def test_where_there_is_no_difference_the_page_says_why(same: bool | None, words: str) -> None:
    page = render(comparison(code=[ComparedCode(run=42, against=41, same=same)]))
    assert words in page.one("section", class_="code-pair").words()


def test_a_run_can_be_left_out_as_long_as_two_are_left() -> None:
    assert render().all("a", title="Leave out") == []
    three = comparison(
        runs=[compared_run(number) for number in (41, 42, 43)],
        **{name: rows() for name in ("params", "script", "git", "environment", "host", "resources")},
        metrics=ComparedMetrics(rows=[metric("Loss/train", 1.0, 2.0, 3.0)]),
    )
    leave_out = [link.attributes["href"] for link in render(three).all("a", title="Leave out")]
    assert leave_out == ["/compare?runs=42,43", "/compare?runs=41,43", "/compare?runs=41,42"]


def test_the_charts_are_of_what_most_runs_wrote_first() -> None:
    metrics = ComparedMetrics(rows=[metric("Loss/train", 1.0, None), metric("speed", 1.0, 2.0)])
    curves = render(comparison(metrics=metrics)).one("section", id="curves")
    assert json.loads(curves.attributes["data-tags"]) == ["speed", "Loss/train"]
    assert [run["id"] for run in json.loads(curves.attributes["data-runs"])] == [41, 42]


def test_a_run_keeps_its_colour_when_others_join_and_no_two_share_one() -> None:
    alone = run_colours([41, 42])
    together = run_colours([42, 41, 43, 44, 45, 46, 47, 48])
    assert {run: together[run] for run in alone} == alone
    assert sorted(together.values()) == list(range(1, 9))
    for pair in combinations((1, 9, 17, 25), 2):
        assert len(set(run_colours(list(pair)).values())) == 2


def test_hostile_text_is_shown_as_text() -> None:
    page = render(
        comparison(
            runs=[compared_run(41, name=HOSTILE, tags=[HOSTILE]), compared_run(42)],
            params=rows(**{HOSTILE: [HOSTILE, "\u202egnp"]}),
            metrics=ComparedMetrics(rows=[metric(HOSTILE, 1.0, 2.0)]),
            code=[
                ComparedCode(
                    run=42,
                    against=41,
                    same=False,
                    files=[ComparedFile(path=HOSTILE, status="added", diff=f"+{HOSTILE}\n")],
                )
            ],
        )
    )
    assert page.one("main").all("img") == []
    assert "[U+202E]gnp" in page.one("table").words()
    assert page.one("pre").text == f"+{HOSTILE}\n"
    assert json.loads(page.one("section", id="curves").attributes["data-runs"])[0]["name"] == HOSTILE
