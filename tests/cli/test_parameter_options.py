"""Options of the command line as parameters of a trainer."""

from typing import Any

import pytest

from traindeck.cli.exits import CommandFailed, Exit
from traindeck.cli.parameter_options import ParameterReader

SCHEMA = {
    "$defs": {"Kind": {"enum": ["adam", "sgd"], "type": "string"}, "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}]}},
    "properties": {
        "epochs": {"type": "integer"},
        "learning_rate": {"type": "number"},
        "channels_last": {"type": "boolean"},
        "no_decay": {"type": "boolean"},
        "folder": {"type": "string"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "label": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "optimizer": {"$ref": "#/$defs/Kind"},
        "size": {"enum": [1, 2]},
        "layers": {"type": "array"},
        "more": {"type": "object"},
        "loop": {"$ref": "#/$defs/Loop"},
        "with-hyphen": {"type": "integer"},
    },
}


def read(*arguments: str, pairs: tuple[str, ...] = ()) -> dict[str, Any]:
    parameters = ParameterReader(SCHEMA, ("--follow", "--name"))
    parameters.read_options(arguments)
    parameters.read_pairs(pairs)
    return parameters.read


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--epochs", "3"], {"epochs": 3}),
        (["--epochs=3", "--epochs", "4"], {"epochs": 4}),
        (["--epochs", "1e3"], {"epochs": 1000}),
        (["--learning-rate", "1e-4"], {"learning_rate": 1e-4}),
        (["--learning_rate=-1"], {"learning_rate": -1.0}),
        (["--learning-rate", "-1"], {"learning_rate": -1.0}),
        (["--channels-last"], {"channels_last": True}),
        (["--channels-last", "--epochs", "1"], {"channels_last": True, "epochs": 1}),
        (["--channels-last", "false"], {"channels_last": False}),
        (["--no-channels-last"], {"channels_last": False}),
        (["--no-decay"], {"no_decay": True}),
        (["--no-no-decay"], {"no_decay": False}),
        (["--folder", "123"], {"folder": "123"}),
        (["--folder="], {"folder": ""}),
        (["--folder", "a=b"], {"folder": "a=b"}),
        (["--limit", "none"], {"limit": None}),
        (["--limit", "5"], {"limit": 5}),
        (["--label", "null"], {"label": None}),
        (["--label", "best"], {"label": "best"}),
        (["--optimizer", "sgd"], {"optimizer": "sgd"}),
        (["--size", "2"], {"size": 2}),
        (["--layers", "[1, 2]"], {"layers": [1, 2]}),
        (["--more", '{"a": 1}'], {"more": {"a": 1}}),
        (["--loop", "text"], {"loop": "text"}),
        (["--with-hyphen", "1"], {"with-hyphen": 1}),
    ],
)
def test_an_option_becomes_a_value_of_the_type_that_the_schema_gives(
    arguments: list[str], expected: dict[str, Any]
) -> None:
    found = read(*arguments)
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


@pytest.mark.parametrize("text", ["three", "1.5", "", "0x10", "inf"])
def test_text_of_another_type_goes_to_the_deck_which_says_what_would_be_right(text: str) -> None:
    assert read("--epochs", text) == {"epochs": text}


def test_a_pair_is_read_by_the_schema_too_and_an_unknown_name_is_the_decks_to_judge() -> None:
    assert read(pairs=("epochs=2", "learning-rate=0.5", "unheard=of=it")) == {
        "epochs": 2,
        "learning_rate": 0.5,
        "unheard": "of=it",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epoch", "3"], "there is no option \"--epoch\"; did you mean '--epochs'?"),
        (["--folow"], "there is no option \"--folow\"; did you mean '--follow'?"),
        (["--no-epochs"], "there is no option \"--no-epochs\"; did you mean '--epochs'?"),
        (["--epochs"], "--epochs needs a value"),
        (["3"], "'3' is not an option"),
        (["-e", "3"], "'-e' is not an option"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_would_be_right(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        read(*arguments)
    assert message in str(failed.value)
    assert failed.value.exit_code is Exit.USAGE


@pytest.mark.parametrize("pair", ["epochs", "=3", ""])
def test_a_pair_without_a_name_or_an_equals_sign_is_refused(pair: str) -> None:
    with pytest.raises(CommandFailed, match="must be name=value"):
        read(pairs=(pair,))
