"""Methods and query parameters that an address has, and those that it has not."""

import pytest

from support.served import ServedDeck


@pytest.mark.parametrize("address", ["/runs", "/healthz", "/trainers", "/openapi.json"])
def test_head_answers_as_get_does_but_without_a_body(shared_deck: ServedDeck, address: str) -> None:
    head, get = shared_deck.client.head(address), shared_deck.client.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_head_of_a_log_tells_its_length(shared_deck: ServedDeck) -> None:
    run = shared_deck.launch("print('x' * 99)")
    shared_deck.wait_for_status(run["id"], "completed")
    head = shared_deck.client.head(f"/runs/{run['id']}/log")
    assert (head.headers["content-length"], head.content) == ("100", b"")


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("PUT", "/runs", "GET, HEAD, POST"),
        ("PUT", "/runs/1", "GET, HEAD, PATCH, DELETE"),
        ("DELETE", "/healthz", "GET, HEAD"),
    ],
)
def test_a_method_that_does_nothing_is_told_those_that_do(
    shared_deck: ServedDeck, method: str, address: str, allowed: str
) -> None:
    answer = shared_deck.client.request(method, address)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["detail"] == f"{method} is not allowed at this address: use {allowed}."


def test_an_unknown_query_parameter_is_refused_with_the_nearest_that_there_is(shared_deck: ServedDeck) -> None:
    answer = shared_deck.client.get("/runs", params={"limt": 5})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "limt"
    assert "did you mean 'limit'?" in answer.json()["detail"]


def test_every_operation_is_summed_up_in_words(shared_deck: ServedDeck) -> None:
    paths = shared_deck.client.get("/openapi.json").json()["paths"]
    summaries = {call["operationId"]: call["summary"] for methods in paths.values() for call in methods.values()}
    assert summaries["launchRun"] == "Queue a run. It starts at once if its slots are free"
    assert all(summary for summary in summaries.values())
