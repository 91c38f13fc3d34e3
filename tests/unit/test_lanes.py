"""Lanes: threads for slow work, and how one waits for them."""

import threading
from functools import partial

import anyio
import pytest

from traindeck.api.lanes import Lane
from traindeck.errors import DeckBusy

BUSY = "Too many at the moment; try again shortly."


def run(test) -> None:
    anyio.run(test)


def test_work_is_done_in_a_thread_and_its_value_and_errors_come_back():
    def fail():
        raise ValueError("no")

    async def test():
        lane = Lane(1, BUSY)
        assert await lane.run(threading.current_thread) is not threading.main_thread()
        with pytest.raises(ValueError, match="no"):
            await lane.run(fail)
        assert await lane.run(int, "3") == 3

    run(test)


def test_only_so_much_is_done_at_a_time_and_who_waits_holds_no_thread():
    begun, go_on = threading.Semaphore(0), threading.Event()

    def work():
        begun.release()
        assert go_on.wait(20)

    async def test():
        lane = Lane(2, BUSY)
        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(lane.run, work)
            for _ in range(2):
                await anyio.to_thread.run_sync(begun.acquire)
            threads = threading.active_count()
            assert not begun.acquire(blocking=False)
            # Whatever waits, ordinary work is done at once.
            assert await anyio.to_thread.run_sync(lambda: 1) == 1
            assert threading.active_count() - threads <= 1
            go_on.set()

    run(test)


def test_who_waits_too_long_is_told_so_and_work_that_has_begun_goes_on():
    go_on = threading.Event()

    async def test():
        lane = Lane(1, BUSY)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(lane.run, go_on.wait, wait_seconds=0.05))
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(DeckBusy, match=BUSY):
                await lane.run(int, wait_seconds=0.05)
            go_on.set()
        assert await lane.run(int, wait_seconds=5) == 0

    run(test)


def test_a_request_that_is_given_up_leaves_its_turn_to_the_next():
    go_on = threading.Event()

    async def test():
        lane = Lane(1, BUSY)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lane.run, go_on.wait)
            await anyio.wait_all_tasks_blocked()
            with anyio.move_on_after(0.05):
                await lane.run(int)
            go_on.set()
            assert await lane.run(int, wait_seconds=5) == 0

    run(test)
