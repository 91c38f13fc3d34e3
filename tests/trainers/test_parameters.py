import math

import pytest
from pydantic import BaseModel, Field, computed_field, field_validator

from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.parameters import InvalidParams, complete_params, validate_params
from traindeck.trainers.tour import TourParams


def refusal(params: dict, model: type[BaseModel] = MnistParams) -> tuple[str, str]:
    with pytest.raises(InvalidParams) as caught:
        validate_params(model, params)
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


class Inner(BaseModel):
    width: int = 1


class Lenient(BaseModel):
    inner: Inner = Inner()
    layers: list[Inner] = []
    rate: float = Field(0.1, alias="learningRate")

    @field_validator("rate")
    @classmethod
    def known_rate(cls, rate: float) -> float:
        return {0.1: 0.1, 0.2: 0.2, 0.3: math.nan}[rate]


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"inne": {}}, "inne", "there is no parameter \"inne\"; did you mean 'inner'?"),
        ({"learningrate": 1}, "learningrate", "there is no parameter \"learningrate\"; did you mean 'learningRate'?"),
        ({"inner": {"widht": 1}}, "inner.widht", "there is no parameter \"inner.widht\"; did you mean 'inner.width'?"),
        (
            {"layers": [{}, {"widht": 1}]},
            "layers.1.widht",
            "there is no parameter \"layers.1.widht\"; did you mean 'layers.1.width'?",
        ),
        ({"inner": {"zzz": 1}}, "inner.zzz", 'there is no parameter "inner.zzz"; there are: inner.width'),
    ],
)
def test_an_unknown_parameter_is_refused_where_the_model_would_ignore_it(params, field, message):
    assert refusal(params, Lenient) == (field, message)


@pytest.mark.parametrize("name", ["rate", "learningRate"])
def test_a_parameter_goes_by_its_name_or_its_alias(name):
    assert complete_params(Lenient, {name: 0.2})["rate"] == 0.2


def test_a_model_that_allows_more_parameters_gets_them():
    class Open(BaseModel, extra="allow"):
        pass

    assert complete_params(Open, {"more": 1}) == {"more": 1}


def test_a_validator_that_raises_something_of_its_own_is_named_in_a_refusal():
    assert refusal({"rate": 0.5}, Lenient) == ("", "the trainer's own check failed with KeyError: 0.5")


def test_parameters_that_come_to_something_without_a_form_in_json_are_refused():
    with pytest.raises(InvalidParams, match="way to write parameters as JSON failed with ValueError"):
        complete_params(Lenient, {"rate": 0.3})


def test_what_is_computed_from_the_parameters_is_none_of_them():
    class Computing(BaseModel):
        size: int = 2

        @computed_field
        @property
        def area(self) -> int:
            return self.size**2

    complete = complete_params(Computing, {})
    assert validate_params(Computing, complete).area == 4
