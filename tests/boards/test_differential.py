"""A board answers every question of TensorBoard's front end as a fresh `tensorboard --logdir` does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from boards import more_logs
from boards.conftest import Deck
from boards.event_logs import write_every_kind
from boards.fresh_tensorboard import OPTIONS, fresh_tensorboard
from boards.questions import Question, questions
from support.waiting import wait_for

READ_SECONDS = 120.0
LISTING = Question("data/plugins_listing")
SCALARS = Question("data/plugin/scalars/tags")
PLUGINS = set(
    "scalars timeseries images audio histograms distributions text graphs pr_curves custom_scalars mesh projector "  # noqa: SIM905
    "hparams".split()
)
KINDS = {
    "long": more_logs.write_long,
    "pictures": more_logs.write_pictures,
    "groups": more_logs.write_groups,
    "sweep": more_logs.write_sweep,
    "growing": more_logs.write_growing,
    "odd": more_logs.write_odd,
    "broken": more_logs.write_broken,
    "traced": more_logs.write_trace,
    "every kind": write_every_kind,
    "tour": more_logs.write_tour,
    "classifier": more_logs.write_classifier,
}


class Both:
    """The two that are compared, over one log directory."""

    def __init__(self, ours: str, theirs: str, web: httpx.Client) -> None:
        self.ours, self.theirs = ours, theirs
        self._web = web

    def send(self, board: str, question: Question) -> httpx.Response:
        """One answer."""
        if question.form:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._web.post(board + question.path, content=question.form, headers=kind)
        if question.text:
            return self._web.post(board + question.path, content=question.text)
        return self._web.get(board + question.path)

    def ask(self, question: Question) -> Any:
        """The fresh TensorBoard's answer."""
        answer = self.send(self.theirs, question)
        assert answer.status_code == 200, (question, answer.text)
        return answer.json()

    def differs(self, question: Question) -> str | None:
        """How the two answers differ; None where they do not."""
        ours, theirs = (_shown(self.send(board, question)) for board in (self.ours, self.theirs))
        different = [f"{part} {mine[:400]!r} is not {their[:400]!r}" for part, mine, their in _pairs(ours, theirs)]
        return f"{question}: {', '.join(different)}" if different else None


def _shown(answer: httpx.Response) -> dict[str, bytes]:
    """What must be the same: status, type and content."""
    if answer.is_server_error:
        # Where TensorBoard fails, its bare page is replaced by an answer of the deck.
        return {"status": str(answer.status_code).encode()}
    content = answer.content
    if answer.url.path.endswith("hparams/session_groups") and answer.is_success:
        # A session's values are a map of protobuf's, whose order differs from process to process.
        content = json.dumps(answer.json(), sort_keys=True).encode()
    if answer.url.path.endswith("data/environment"):
        # TensorBoard's own command line stands there, port and all.
        content = json.dumps({name: value for name, value in answer.json().items() if name != "debug"}).encode()
    kind = answer.headers.get("content-type", "").encode()
    return {"status": str(answer.status_code).encode(), "type": kind, "content": content}


def _pairs(ours: dict[str, bytes], theirs: dict[str, bytes]) -> Iterator[tuple[str, bytes, bytes]]:
    parts = sorted({*ours, *theirs})
    return ((part, ours.get(part, b""), theirs.get(part, b"")) for part in parts if ours.get(part) != theirs.get(part))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log directory with everything."""
    work = tmp_path_factory.mktemp("logs")
    for write in KINDS.values():
        write(work)
    return work


@pytest.fixture(scope="module")
def both(logs: Path, shared_deck: Deck) -> Iterator[Both]:
    """Our board and a fresh TensorBoard over it, each below the same path of its server."""
    ours = shared_deck.show("differential", logs)
    prefix = urlsplit(ours).path.rstrip("/")
    with fresh_tensorboard(logs, prefix, *OPTIONS) as theirs, httpx.Client(timeout=60, trust_env=False) as web:
        yield Both(ours, theirs, web)


@pytest.mark.timeout(600)
def test_every_answer_is_the_same(both: Both) -> None:
    # Ours reads on behind its first answers, the projector of a fresh TensorBoard looks for its files likewise.
    wait_for(lambda: both.differs(SCALARS) is None, "ours has read all", READ_SECONDS)
    wait_for(lambda: both.differs(LISTING) is None, "both know their tabs", READ_SECONDS)
    asked = list(dict.fromkeys(questions(both.ask)))
    plugins = {question.path.split("/")[2] for question in asked if "/plugin/" in question.path}
    assert plugins == PLUGINS
    differences = [difference for question in asked if (difference := both.differs(question))]
    assert not differences, "\n".join([f"{len(differences)} of {len(asked)} differ", *differences[:20]])
    assert len(asked) > 300


def test_the_head_of_an_answer_is_the_same_without_its_content(both: Both, web: httpx.Client) -> None:
    address = "data/plugin/scalars/scalars?run=long&tag=loss&format=csv"
    whole, head = web.get(both.ours + address), web.head(both.ours + address)
    assert (head.status_code, head.content) == (200, b"")
    kinds = [answer.headers["content-type"] for answer in (whole, head, web.head(both.theirs + address))]
    assert kinds == ["text/csv; charset=utf-8"] * 3
    assert len(whole.text.splitlines()) == 1_001


def test_a_board_without_its_slash_leads_to_it(both: Both, web: httpx.Client) -> None:
    answers = [web.get(board.rstrip("/")) for board in (both.ours, both.theirs)]
    assert [answer.is_redirect for answer in answers] == [True, True]
    assert [answer.headers["location"] for answer in answers] == [urlsplit(both.ours).path] * 2


def test_where_less_is_kept_than_is_sampled_the_data_server_shows_the_same(
    logs: Path, both: Both, web: httpx.Client
) -> None:
    """What `tensorboard` takes by itself where it is installed; see OPTIONS for where the two part."""
    with fresh_tensorboard(logs, "", "--load_fast=true") as fast:
        for run, tag in (("logs", "loss/train"), ("groups/losses_train", "losses"), ("traced", "loss")):
            address = f"data/plugin/scalars/scalars?{urlencode({'run': run, 'tag': tag})}"
            ours = web.get(both.ours + address)
            wait_for(
                lambda address=address, ours=ours: web.get(fast + address).content == ours.content,  # type: ignore[misc]
                f"{run} {tag} are the same",
            )
            assert len(ours.json()) >= 3
