"""The feed of the event streams: one reading for all who listen."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session

from traindeck.api.events import BATCH, Feed
from traindeck.db.engine import Database
from traindeck.db.tables import Run
from traindeck.runs.changes import Changes
from traindeck.runs.queue import Capacity


class CountedReads:
    """A database that counts how often it is read, and can be out of reach."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.count = 0
        self.fails = False

    @contextmanager
    def read(self) -> Iterator[Session]:
        self.count += 1
        if self.fails:
            raise OSError("out of reach")
        with self.database.read() as session:
            yield session


@pytest.fixture
def deck(database: Database) -> Any:
    capacity = Capacity(cpus=1, gpus=0, free_cpus=1, free_gpus=0)
    return SimpleNamespace(
        database=CountedReads(database), changes=Changes(), slots=SimpleNamespace(capacity=capacity),
        closing=SimpleNamespace(begun=False),
    )  # fmt: skip


@pytest.fixture
def run_ids(database: Database) -> list[int]:
    with database.write() as session:
        runs = [Run(name=f"run {number}", trainer="mnist") for number in range(BATCH + 50)]
        session.add_all(runs)
        session.flush()
        return [run.id for run in runs]


def heard(pieces: list[bytes]) -> list[tuple[str, int]]:
    """The names of events and the numbers of their runs."""
    events = []
    for event in b"".join(pieces).decode().split("\r\n\r\n")[:-1]:
        name, data = (line.partition(": ")[2] for line in event.split("\r\n"))
        events.append((name, json.loads(data)["id"]))
    return events


async def take(subscriber, deck) -> list[bytes]:
    return await asyncio.wait_for(subscriber.take(deck), 20)


def test_a_change_is_read_once_however_many_listen(deck, run_ids):
    async def test():
        feed = Feed()
        with ExitStack() as stack:
            subscribers = [stack.enter_context(feed.subscribe(deck, None)) for _ in range(50)]
            deck.changes.publish(run_ids[0])
            told = [await take(subscriber, deck) for subscriber in subscribers]
        assert deck.database.count == 1
        assert all(heard(pieces) == [("run", run_ids[0])] for pieces in told)

    asyncio.run(test())


def test_a_stream_of_one_run_hears_of_that_alone_and_others_are_not_read_for_it(deck, run_ids):
    async def test():
        feed = Feed()
        with feed.subscribe(deck, run_ids[1]) as subscriber:
            for run_id in run_ids:
                deck.changes.publish(run_id)
            assert heard(await take(subscriber, deck)) == [("run", run_ids[1])]
        assert deck.database.count == 1

    asyncio.run(test())


def test_a_run_that_is_gone_is_told_as_deleted(deck):
    async def test():
        with Feed().subscribe(deck, None) as subscriber:
            deck.changes.publish(10**6)
            assert heard(await take(subscriber, deck)) == [("deleted", 10**6)]

    asyncio.run(test())


def test_a_stream_that_is_far_behind_holds_little_and_misses_nothing(deck, run_ids):
    async def test():
        feed = Feed()
        with feed.subscribe(deck, None) as slow, feed.subscribe(deck, run_ids[-1]) as quick:
            for run_id in run_ids:
                deck.changes.publish(run_id)
            await take(quick, deck)
            held = [event for event in slow._events.values() if event is not None]
            assert len(held) == BATCH
            pieces = await take(slow, deck)
        assert sorted(heard(pieces)) == [("run", run_id) for run_id in run_ids]

    asyncio.run(test())


def test_nobody_listens_to_changes_once_the_last_stream_is_gone(deck, run_ids):
    async def test():
        feed = Feed()
        for _ in range(3):
            with feed.subscribe(deck, None):
                assert len(deck.changes._listeners) == 1
            assert not deck.changes._listeners
        with feed.subscribe(deck, None) as subscriber:
            deck.changes.publish(run_ids[0])
            assert await take(subscriber, deck)

    asyncio.run(test())


def test_streams_end_where_a_change_cannot_be_read_and_new_ones_hear_again(deck, run_ids):
    async def test():
        feed = Feed()
        with feed.subscribe(deck, None) as subscriber:
            deck.database.fails = True
            deck.changes.publish(run_ids[0])
            assert await take(subscriber, deck) == []
            assert subscriber.ended
            deck.database.fails = False
            with feed.subscribe(deck, None) as another:
                deck.changes.publish(run_ids[0])
                assert heard(await take(another, deck)) == [("run", run_ids[0])]

    asyncio.run(test())


def test_streams_end_when_the_deck_closes(deck):
    async def test():
        with Feed().subscribe(deck, None) as subscriber:
            deck.closing.begun = True
            deck.changes.wake_all()
            assert await take(subscriber, deck) == []
            assert subscriber.ended

    asyncio.run(test())
