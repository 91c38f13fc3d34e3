"""A wrong setting is refused with the option or the variable that has it, its value, and what is allowed."""

import pytest

from traindeck.cli.arguments import read_settings
from traindeck.cli.exits import CommandFailed, Exit


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("cpus", 0, "--cpus must be a whole number from 1 to 4,096; got 0"),
        ("port", 70_000, "--port must be a whole number from 0 to 65,535; got 70000"),
        ("grace_seconds", -1.0, "--grace-seconds must be a number from 0 to 3,600; got -1.0"),
        ("gpus", "0,x", "--gpus must be a list of different GPU indices such as 0,1; got '0,x'"),
        (
            "host",
            "0.0.0.0",
            "--host must be a loopback address, because a deck has no access control; got '0.0.0.0'. Use 127.0.0.1",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_what_is_allowed(option: str, value: object, message: str) -> None:
    assert refusal(**{option: value}) == message


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TRAINDECK_CPUS", "0", "TRAINDECK_CPUS must be a whole number from 1 to 4,096; got 0"),
        ("TRAINDECK_CPUS", "many", "TRAINDECK_CPUS must be a whole number from 1 to 4,096; got many"),
        ("TRAINDECK_GRACE_SECONDS", "nan", "TRAINDECK_GRACE_SECONDS must be a number from 0 to 3,600; got nan"),
        ("TRAINDECK_COLD", "maybe", "TRAINDECK_COLD must be true or false; got maybe"),
        ("TRAINDECK_BOARD_LIMIT", "0", "TRAINDECK_BOARD_LIMIT must be a whole number from 1 to 1,000; got 0"),
        ("TRAINDECK_GPUS", "0,0", "TRAINDECK_GPUS must be a list of different GPU indices such as 0,1; got '0,0'"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert refusal() == message


def test_an_option_and_a_variable_can_be_wrong_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINDECK_PORT", "-1")
    assert refusal(cpus=0) == (
        "TRAINDECK_PORT must be a whole number from 0 to 65,535; got -1\n"
        "--cpus must be a whole number from 1 to 4,096; got 0"
    )


def refusal(**options: object) -> str:
    with pytest.raises(CommandFailed) as refused:
        read_settings(**options)
    assert refused.value.exit_code is Exit.USAGE
    return str(refused.value)
