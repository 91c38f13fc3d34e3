"""What others wrote, on a terminal."""

from traindeck.cli.show import field_lines
from traindeck.cli.terminal import escape_controls, escape_lines


def test_control_characters_and_direction_marks_are_shown_and_not_obeyed() -> None:
    hostile = "\x1b[31mred\x07\r\n\x9b2J\u202egnp.\u200b\x00\x7f"
    assert escape_controls(hostile) == r"\x1b[31mred\x07\r\n\x9b2J\u202egnp.\u200b\x00\x7f"


def test_half_a_surrogate_pair_is_shown_as_its_number() -> None:
    assert escape_controls("a\udc80") == r"a\udc80"


def test_letters_of_any_language_and_symbols_stay_as_they_are() -> None:
    assert escape_controls("Größe 学習率 🦦 [bold]") == "Größe 学習率 🦦 [bold]"


def test_only_line_feeds_stay_where_lines_are_meant() -> None:
    assert escape_lines("one\ntwo\x1b\rthree") == "one\ntwo\\x1b\\rthree"


def test_no_field_of_a_run_reaches_the_terminal_with_a_control_character() -> None:
    content = {"na\x1bme": "a\x1bb", "notes": "one\n\x1btwo", "params": {"p\x9b": {"q": ["\x1b"]}}, "tags": ["\x1bt"]}
    assert all(line.isprintable() for line in field_lines(content))
