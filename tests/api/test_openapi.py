"""The OpenAPI document is complete."""

import json
from pathlib import Path

import pytest

from traindeck.app import create_app
from traindeck.settings import Settings

DOCUMENT = create_app(Settings(home=Path("nowhere"))).openapi()
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
IDS = [f"{method} {path}" for method, path, _ in OPERATIONS]


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references(one) for one in value))
    return set()


def test_the_document_that_is_served_is_the_one_that_is_generated(client):
    assert client.get("/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_every_reference_leads_somewhere():
    schemas = DOCUMENT["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in references(DOCUMENT)} <= set(schemas)
    assert {"Problem", "FieldProblem", "RunView", "LaunchBody"} <= set(schemas)


def test_operations_have_the_names_that_clients_are_generated_from():
    assert {operation["operationId"] for _, _, operation in OPERATIONS} == {
        "launchRun", "listRuns", "getRun", "editRun", "deleteRun", "cancelRun", "retryRun", "resumeRun", "getLog", "searchLog",
        "getScalars", "listFiles", "getFile", "listTrainers", "inspectScript", "streamEvents", "getHealth",
        "rerun", "getRecord", "compareRuns", "getCode", "getCodeZip", "getCodeFile", "getDiff", "upload",
        "openBoard", "getBoardState", "getBoardSetState", "importFolder", "getMetricDirections", "setMetricDirection",
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_an_operation_says_what_it_does_and_how_it_refuses(method, path, operation):
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert operation["tags"]
    refusals = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
    expected = {"400", "403", "500", "503"}
    if "{run_id}" in path:
        expected |= {"404", "422"}
    if method in ("post", "patch", "delete"):
        expected |= {"413", "415", "422", "507"}
    assert expected <= set(refusals)
    for answer in refusals.values():
        assert answer["description"]
        assert answer["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_parameter_is_described(method, path, operation):
    for parameter in operation.get("parameters", []):
        assert parameter.get("description") or parameter["schema"].get("description"), parameter["name"]


@pytest.mark.parametrize("name", ["LaunchBody", "EditBody"])
def test_what_is_sent_has_examples_that_are_accepted(client, cold_deck, written, queued, name):
    examples = DOCUMENT["components"]["schemas"][name]["examples"]
    assert examples
    for example in examples:
        if name == "EditBody":
            assert client.patch(f"/runs/{written}", json=example).status_code == 200
        elif "trainer" in example:
            run = client.post("/runs", json=example)
            assert run.status_code == 201, run.text
            client.post(f"/runs/{run.json()['id']}/cancel")
