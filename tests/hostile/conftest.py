"""One cold deck for what must not get through to it."""

from collections.abc import Iterator

import pytest

from support.served import ServedDeck


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    deck = ServedDeck(tmp_path_factory.mktemp("hostile") / "home", cpus=2, grace_seconds=1, cold=True)
    deck.start()
    yield deck
    deck.end()
