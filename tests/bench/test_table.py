"""The table of the benchmark, and the figures in it."""

import pytest
from benchmarks.row import Goal, Row
from benchmarks.samples import p95, summary
from benchmarks.table import figure, render


def test_a_row_that_should_be_small_is_better_by_how_much_smaller_it_is() -> None:
    row = Row("start", "s", 0.05, 2.0, "python", Goal(0.1))
    assert row.ratio == pytest.approx(40)
    assert row.reached is True


def test_a_row_that_should_be_large_is_better_by_how_much_larger_it_is() -> None:
    row = Row("runs", "runs/s", 6.0, 0.5, "python", Goal(8, at_least=True))
    assert row.ratio == pytest.approx(12)
    assert row.reached is False


def test_a_goal_may_be_one_of_the_ratio() -> None:
    goal = Goal(1.8, at_least=True, of_ratio=True)
    assert Row("trainer", "steps/s", 190.0, 100.0, "the loop", goal).reached is True
    assert Row("trainer", "steps/s", 170.0, 100.0, "the loop", goal).reached is False


def test_seconds_are_better_where_they_are_fewer_also_where_the_goal_is_a_ratio() -> None:
    goal = Goal(0.95, at_least=True, of_ratio=True)
    assert Row("first step", "s", 2.0, 2.0, "python", goal).reached is True
    slower = Row("first step", "s", 3.0, 2.0, "python", goal)
    assert slower.ratio == pytest.approx(2 / 3)
    assert slower.reached is False


def test_without_a_baseline_there_is_no_ratio_and_without_a_goal_nothing_to_reach() -> None:
    row = Row("memory", "MB", 104.0)
    assert row.ratio is None
    assert row.reached is None


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0431, "s", "43.1 ms"),
        (0.099, "s", "99.0 ms"),
        (2.4149, "s", "2.41 s"),
        (13.04, "s", "13.0 s"),
        (531.2, "MB", "531 MB"),
        (1062.1, "×", "1,062 ×"),
    ],
)
def test_figures_have_three_digits(value: float, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


def test_the_table_is_markdown_whose_columns_line_up() -> None:
    rows = [
        Row("submit → first step", "s", 0.05, 2.4, "python script.py", Goal(0.1)),
        Row("a page", "s", 0.03, None, "not measured", Goal(0.025)),
        Row("memory", "MB", 104.0),
        Row("searches", "s", None, None, "no Python is named"),
    ]
    lines = render(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")] == [
        "", "submit → first step", "2.40 s (python script.py)", "50.0 ms", "48.0 ×", "≤ 0.1 s", "reached", "",
    ]  # fmt: skip
    assert [cell.strip() for cell in lines[3].split("|")][2:7] == [
        "not measured", "30.0 ms", "", "≤ 25 ms", "**missed**",
    ]  # fmt: skip
    assert [cell.strip() for cell in lines[5].split("|")][2:7] == ["no Python is named", "not measured", "", "", ""]


def test_percentiles_are_interpolated_between_samples() -> None:
    assert p95([float(number) for number in range(101)]) == pytest.approx(95)
    assert p95([3.0]) == 3.0
    assert summary([1.0, 2.0, 3.0], "seconds") == {
        "samples": 3, "least_seconds": 1.0, "p50_seconds": 2.0, "p95_seconds": pytest.approx(2.9),
        "greatest_seconds": 3.0,
    }  # fmt: skip
