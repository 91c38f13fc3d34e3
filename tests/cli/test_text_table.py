"""Columns, and the room that there is for them."""

from traindeck.cli.terminal import Column, fit_columns

COLUMNS = (Column("number"), Column("name", least=10), Column("note", 2, least=5), Column("time", 1))
WANTED = (6, 30, 20, 4)
SHOWN = (0, 1, 2, 3)


def test_everything_has_its_full_width_where_there_is_room() -> None:
    assert fit_columns(COLUMNS, WANTED, SHOWN, 66) == {0: 6, 1: 30, 2: 20, 3: 4}


def test_columns_that_may_shrink_do_so_before_any_is_left_out() -> None:
    widths = fit_columns(COLUMNS, WANTED, SHOWN, 31)
    assert set(widths) == set(SHOWN)
    assert sum(widths.values()) + 3 * 2 == 31
    assert (widths[0], widths[3]) == (6, 4)


def test_the_least_important_columns_go_first() -> None:
    assert set(fit_columns(COLUMNS, WANTED, SHOWN, 30)) == {0, 1, 3}
    assert set(fit_columns(COLUMNS, WANTED, SHOWN, 20)) == {0, 1}


def test_what_must_be_shown_is_shown_however_narrow_the_window() -> None:
    assert fit_columns(COLUMNS, WANTED, SHOWN, 5) == {0: 6, 1: 10}
