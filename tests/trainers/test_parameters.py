import math

import pytest

from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.parameters import InvalidParams, validate_params
from traindeck.trainers.tour.params import TourParams


def refusal(params: dict) -> tuple[str, str]:
    with pytest.raises(InvalidParams) as caught:
        validate_params(MnistParams, params)
    (error,) = caught.value.errors
    return error.field, error.message


def test_no_parameters_at_all_are_a_complete_launch():
    complete = validate_params(MnistParams, {}).model_dump(mode="json")
    assert set(complete) == set(MnistParams.model_fields)


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"epochs": 0}, "epochs", "epochs is 0, but must be at least 1"),
        ({"lr": 0}, "lr", "lr is 0, but must be greater than 0"),
        ({"dropout": 1.0}, "dropout", "dropout is 1.0, but must be less than 1"),
        ({"epochs": "3"}, "epochs", 'epochs is "3", but must be a whole number'),
        ({"epochs": True}, "epochs", "epochs is true, but must be a whole number"),
        ({"epochs": 1.5}, "epochs", "epochs is 1.5, but must be a whole number"),
        ({"lr": None}, "lr", "lr is null, but must be a number"),
        ({"lr": math.nan}, "lr", "lr is NaN, but must be a finite number"),
        ({"channels_last": 1}, "channels_last", "channels_last is 1, but must be true or false"),
        ({"optimizer": "Adam"}, "optimizer", "optimizer is \"Adam\", but must be 'adam', 'adamw' or 'sgd'"),
        ({"epoch": 3}, "epoch", "there is no parameter \"epoch\"; did you mean 'epochs'?"),
        ({"dataset": "folder"}, "folder", 'folder is "", but the data set "folder" needs the path of its images'),
    ],
)
def test_a_refusal_names_the_field_the_value_and_what_would_be_right(params, field, message):
    assert refusal(params) == (field, message)


def test_an_unknown_parameter_unlike_any_other_is_answered_with_all_names():
    _, message = refusal({"zzz": 1})
    assert "there are: batch_size, channels_last" in message


def test_every_wrong_parameter_is_reported_at_once():
    with pytest.raises(InvalidParams) as caught:
        validate_params(MnistParams, {"epochs": 0, "batch_size": 0, "nonsense": 1})
    assert {error.field for error in caught.value.errors} == {"epochs", "batch_size", "nonsense"}


@pytest.mark.parametrize(
    "value",
    [10**5000, "\ud800", [[[]]], {"a": 1}, "x" * 100_000],
    ids=["many digits", "half a character", "lists", "an object", "a long text"],
)
def test_a_hostile_value_is_refused_in_a_short_message(value):
    _, message = refusal({"epochs": value})
    assert len(message) < 300


@pytest.mark.parametrize("model", [MnistParams, TourParams])
def test_every_field_tells_the_launch_form_its_title_help_group_default_and_bounds(model):
    for name, field in model.model_json_schema()["properties"].items():
        assert {"title", "description", "group", "default"} <= set(field), name
        if field["type"] in ("integer", "number"):
            assert {"minimum", "exclusiveMinimum"} & set(field), name
            assert {"maximum", "exclusiveMaximum"} & set(field), name
