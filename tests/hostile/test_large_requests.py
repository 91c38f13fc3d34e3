"""Requests with very many mistakes: the first few are reported, at a bounded cost, in a bounded answer."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from support.served import ServedDeck
from traindeck.api.runs import EditBody
from traindeck.api.strict import field_errors, strict_json
from traindeck.launches.requests import Body, LaunchBody, RerunBody
from traindeck.options.checking import check_params
from traindeck.trainers.mnist.params import MnistParams
from traindeck.trainers.parameters import InvalidParams, validate_params

MOST = 20
CPU_SECONDS = 2.0
"""Far above what any of it takes, and far below what a comparison for each name took."""

UNKNOWN = {f"a{number}": number for number in range(100_000)}
TRAINER = {"trainer": "mnist"}
SCRIPT = {"source": "", "filename": "a.py"}


class Inner(BaseModel):
    width: int = 1


class Nested(BaseModel):
    inner: Inner = Inner()
    layers: list[Inner] = []


def errors_of(body: type[Body], value: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        body.model_validate(value)
    return [error.field for error in field_errors(caught.value.errors(include_url=False), body)]


def refused_params(model: type[BaseModel], params: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidParams) as caught:
        validate_params(model, params)
    return [error.field for error in caught.value.errors]


FIRST = [f"a{number}" for number in range(MOST)]

CASES: dict[str, tuple[Callable[[], list[str]], list[str]]] = {
    "fields of a launch": (lambda: errors_of(LaunchBody, UNKNOWN), FIRST),
    "fields of an edit": (lambda: errors_of(EditBody, UNKNOWN), FIRST),
    "fields of a rerun": (lambda: errors_of(RerunBody, UNKNOWN), FIRST),
    "fields of a script": (
        lambda: errors_of(LaunchBody, {"script": {**SCRIPT, **UNKNOWN}}), [f"script.{one}" for one in FIRST]
    ),
    "resources": (
        lambda: errors_of(LaunchBody, {**TRAINER, "resources": UNKNOWN}), [f"resources.{one}" for one in FIRST]
    ),
    "resources of a rerun": (
        lambda: errors_of(RerunBody, {"resources": UNKNOWN}), [f"resources.{one}" for one in FIRST]
    ),
    "wrong parameters of a trainer": (lambda: refused_params(MnistParams, UNKNOWN), FIRST),
    "wrong parameters inside a parameter": (
        lambda: refused_params(Nested, {"inner": UNKNOWN}), [f"inner.{one}" for one in FIRST]
    ),
    "wrong members of a list": (
        lambda: refused_params(Nested, {"layers": ["x"] * 100_000}), [f"layers.{number}" for number in range(MOST)]
    ),
    "a wrong value after many right ones": (
        lambda: refused_params(Nested, {"layers": [*[{}] * 50_000, *["x"] * 50_000]}), [""]
    ),
    "options of a script": (
        lambda: [
            error.field
            for error in check_params(
                {"properties": {}, "x-declared": {"options": [], "commands": None}, "x-exclusive": []}, UNKNOWN
            )[1]
        ],
        FIRST,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_first_mistakes_are_reported_at_a_bounded_cost(case):
    find, expected = CASES[case]
    before = time.process_time()

    found = find()

    assert found == expected
    assert time.process_time() - before < CPU_SECONDS


@pytest.mark.parametrize("variables", [{f"!{n}": "" for n in range(100_000)}, {f"A{n}": 1 for n in range(100_000)}])
@pytest.mark.parametrize(("body", "more"), [(LaunchBody, TRAINER), (RerunBody, {})])
def test_wrong_variables_are_reported_at_a_bounded_cost(body, more, variables):
    before = time.process_time()

    assert len(errors_of(body, {**more, "env": variables})) == MOST
    assert time.process_time() - before < CPU_SECONDS


def test_one_variable_too_many_is_still_one_too_many():
    assert errors_of(LaunchBody, {**TRAINER, "env": {f"A{n}": "" for n in range(201)}}) == ["env"]
    LaunchBody.model_validate({**TRAINER, "env": {f"A{n}": "" for n in range(200)}})


def test_a_right_value_is_kept_beside_many_unknown_names():
    assert errors_of(LaunchBody, {**UNKNOWN, "priority": "high", **TRAINER})[0] == "priority"


@pytest.mark.parametrize(
    "text",
    ['{"a":[' + "[]," * 600_000 + "0]}", '{"a":[' + "{}," * 600_000 + "0]}", "[" + "1.5e3," * 300_000 + "1e999]"],
    ids=["lists", "objects", "numbers"],
)
def test_two_megabytes_of_json_are_read_in_a_bounded_time(text):
    before = time.process_time()
    try:
        strict_json(text.encode())
    except json.JSONDecodeError:
        assert "1e999" in text
    assert time.process_time() - before < CPU_SECONDS


@pytest.mark.parametrize(
    "content", [b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-16-le")]
)
def test_json_in_another_encoding_is_read_as_before(content):
    assert strict_json(content) == {"a": 1}


@pytest.mark.parametrize("levels", [150, 300])
def test_json_of_some_hundred_levels_is_read(levels):
    value = strict_json(b"[" * levels + b"]" * levels)
    for _ in range(levels - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    ("method", "path", "body", "first"),
    [
        ("POST", "/runs", UNKNOWN, "a0"),
        ("POST", "/runs", {**TRAINER, "params": UNKNOWN}, "params.a0"),
        ("POST", "/scripts/inspect", UNKNOWN, "script"),
        ("POST", "/imports", UNKNOWN, "path"),
        ("GET", "/runs?" + "&".join(f"a{number}" for number in range(9000)), None, "a0"),
        ("GET", "/healthz?" + "&".join(f"a{number}=1" for number in range(7000)), None, "a0"),
    ],
    ids=["fields", "parameters", "fields to inspect", "fields to import", "query", "query of another route"],
)
def test_an_answer_reports_the_first_mistakes_and_stays_small(target: ServedDeck, method, path, body, first):
    answer = target.client.request(method, path, json=body)

    assert answer.status_code == 422
    content = answer.json()
    assert content["errors"][0]["field"] == first
    assert len(content["errors"]) == MOST
    assert len(answer.content) < 20_000


def test_what_a_message_repeats_of_a_request_is_cut(target: ServedDeck):
    answer = target.client.post("/runs", json={"x" * 1_000_000: 1})

    assert answer.status_code == 422
    assert len(answer.content) < 20_000
