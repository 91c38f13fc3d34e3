"""A served deck does what its OpenAPI document says, whatever it is sent: schemathesis makes the requests up."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.conftest import WRITES
from api.test_openapi import DOCUMENT
from support.served import ServedDeck

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
]
EXAMPLES = 20
EXAMPLES_OF_ANY_RUN = 8
"""Nearly all of these name a run that is not there, so that nothing else of the request is looked at."""
ENDLESS = "GET /events"
# A body that is too long for its schema may also be too long to be read at all.
REFUSED = {"checks": {"negative_data_rejection": {"expected-statuses": [400, 403, 404, 405, 409, 413, 415, 422]}}}
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict(REFUSED))
OPERATIONS = [one.ok() for one in SCHEMA.get_all_operations() if one.ok().label != ENDLESS]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck with a run that has ended, and one that holds the only slot: what is launched here never starts."""
    deck = ServedDeck(tmp_path_factory.mktemp("conformance") / "home", cpus=1, grace_seconds=0.5, cold=True)
    deck.start()
    deck.wait_until_ended(deck.launch(WRITES)["id"])
    holder = deck.launch("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.pause()")
    deck.wait_for_status(holder["id"], "running")
    yield deck
    deck.end()


def send_to(operation: APIOperation) -> list[tuple[APIOperation, GenerationMode, bool]]:
    """What is sent to an operation: right requests and wrong ones, of any run and of one that there is."""
    of_a_run = "{run_id}" in operation.path
    parameters = [one.name for one in operation.iter_parameters()]
    taken = len(parameters) + len(operation.body)
    # A path that is none is no file of the run, like any other that is not there.
    can_be_wrong = taken - len({"run_id", "path"}.intersection(parameters))
    combinations = [(GenerationMode.POSITIVE, False)]
    if of_a_run:
        combinations.append((GenerationMode.POSITIVE, True))
    if taken:
        combinations.append((GenerationMode.NEGATIVE, False))
    if of_a_run and can_be_wrong:
        combinations.append((GenerationMode.NEGATIVE, True))
    return [(operation, mode, known) for mode, known in combinations]


# Deleting comes last: it takes away the known run.
CASES = [
    case for operation in sorted(OPERATIONS, key=lambda one: one.method == "delete") for case in send_to(operation)
]
IDS = [f"{operation.label} {mode.value} {'known' if known else 'any'}" for operation, mode, known in CASES]


@pytest.mark.parametrize(("operation", "mode", "known"), CASES, ids=IDS)
def test_every_answer_is_one_that_is_documented(busy: ServedDeck, operation, mode, known):
    strategy = operation.as_strategy(mode, path_parameters={"run_id": 1} if known else None)
    of_any_run = "{run_id}" in operation.path and not known

    @seed(1)
    @settings(
        max_examples=EXAMPLES_OF_ANY_RUN if of_any_run else EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def send(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS, base_url=busy.url, timeout=20)

    send()
    assert busy.client.get("/healthz").status_code == 200
