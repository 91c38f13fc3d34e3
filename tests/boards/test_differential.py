"""A board answers every question of TensorBoard's front end as a fresh `tensorboard --logdir` does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from boards import more_logs
from boards.conftest import Deck
from boards.event_logs import write_every_kind
from boards.fresh_tensorboard import OPTIONS, fresh_tensorboard
from boards.questions import Question, questions
from boards.waiting import wait_until

LISTING = Question("data/plugins_listing")
PLUGINS = set(
    "scalars timeseries images audio histograms distributions text graphs pr_curves custom_scalars mesh projector "  # noqa: SIM905
    "hparams".split()
)
KINDS = {
    "long": more_logs.write_long,
    "pictures": more_logs.write_pictures,
    "groups": more_logs.write_groups,
    "sweep": more_logs.write_sweep,
    "odd": more_logs.write_odd,
    "broken": more_logs.write_broken,
    "traced": more_logs.write_trace,
    "every kind": write_every_kind,
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
        ours, theirs = self.send(self.ours, question), self.send(self.theirs, question)
        for name, of in (("status", "status_code"), ("content", "content")):
            mine, other = getattr(ours, of), getattr(theirs, of)
            if mine != other and not (name == "content" and _same_json(ours, theirs)):
                return f"{question}: {name} {mine[:300] if name == 'content' else mine!r} is not {other!r:.300}"
        kinds = [answer.headers.get("content-type") for answer in (ours, theirs)]
        return None if kinds[0] == kinds[1] else f"{question}: {kinds}"


def _same_json(ours: httpx.Response, theirs: httpx.Response) -> bool:
    """Runs come in the order in which the file system lists their folders, which is nobody's to promise."""
    try:
        return bool(ours.json() == theirs.json())
    except json.JSONDecodeError:
        return False


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log directory with everything."""
    work = tmp_path_factory.mktemp("logs")
    for write in KINDS.values():
        write(work)
    return work


@pytest.fixture(scope="module")
def both(logs: Path, shared_deck: Deck) -> Iterator[Both]:
    """Our board and a fresh TensorBoard over it."""
    with fresh_tensorboard(logs, *OPTIONS) as theirs, httpx.Client(timeout=60, trust_env=False) as web:
        yield Both(shared_deck.show("differential", logs), theirs, web)


def test_every_answer_is_the_same(both: Both) -> None:
    # The projector of a fresh TensorBoard looks for its files in the background.
    wait_until(lambda: both.differs(LISTING) is None)
    asked = list(dict.fromkeys(questions(both.ask)))
    plugins = {question.path.split("/")[2] for question in asked if "/plugin/" in question.path}
    assert plugins == PLUGINS
    differences = [difference for question in asked if (difference := both.differs(question))]
    assert not differences, "\n".join([f"{len(differences)} of {len(asked)} differ", *differences[:20]])
    assert len(asked) > 300
