"""What is said of unknown names, and what it costs where there are very many."""

import time

import pytest

from traindeck.wording import MOST_ERRORS, few_unknown, nearest, shown, unknown_name, unknown_names

MANY = [f"name_{number}" for number in range(100_000)]


def test_the_first_unknown_name_gets_a_suggestion_and_the_others_do_not():
    first, second = unknown_names("field", ["nmae", "tgas"], ["name", "tags"])
    assert first == "there is no field \"nmae\"; did you mean 'name'?"
    assert second == 'there is no field "tgas"'


def test_of_many_names_the_first_are_reported_in_their_order():
    messages = unknown_names("parameter", MANY, ["lr"])
    assert len(messages) == MOST_ERRORS
    assert messages[-1] == f'there is no parameter "name_{MOST_ERRORS - 1}"'


def test_a_message_stays_short_however_many_names_there_are_instead():
    message = unknown_name("parameter", "zzz", [f"option_{number}" for number in range(20_000)])
    assert len(message) < 3000
    assert message.endswith(" and 19900 more")


@pytest.mark.parametrize("name", ["ab" * 1_000_000, "\0" * 1_000_000])
def test_a_name_of_megabytes_is_neither_compared_nor_repeated(name):
    assert len(unknown_name("field", name, ["name", "tags"])) < 300
    assert len(shown(name)) <= 80


def test_a_suggestion_costs_a_bounded_time_however_many_names_there_are():
    before = time.process_time()
    nearest("name_5", MANY)
    assert time.process_time() - before < 2


def test_what_is_known_stays_where_unknown_names_are_left_out():
    values = {**dict.fromkeys(MANY[:50_000], 1), "lr": 2, **dict.fromkeys(MANY[50_000:], 1)}
    few = few_unknown(values, {"lr", "epochs"})
    assert few == {**dict.fromkeys(MANY[:MOST_ERRORS], 1), "lr": 2}
