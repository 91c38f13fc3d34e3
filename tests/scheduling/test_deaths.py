"""Server, process, shim and machine die in every order: an attempt has one process, and its run the right end."""

from itertools import permutations

import pytest
from sqlalchemy import text

from support.scheduling import Scheduler

DEATHS = ("server", "process", "shim", "node", "stop")
ORDERS = [order for length in (1, 2, 3) for order in permutations(DEATHS, length) if length < 3 or order[1] == "server"]


class Life:
    """One run, and what happens to it."""

    def __init__(self, new_scheduler, scheduler: Scheduler | None = None, *, automatic: bool = True) -> None:
        self.new_scheduler = new_scheduler
        self.scheduler: Scheduler = scheduler or new_scheduler()
        self.scheduler.executor.automatic = automatic
        self.run_id = self.scheduler.queue()
        self.scheduler.tick()

    @property
    def executor(self):
        return self.scheduler.executor

    def die(self, what: str) -> None:
        alive = self.executor.has_process(self.run_id)
        if what == "server":
            self.scheduler = self.new_scheduler(after=self.scheduler)
        elif what == "stop" and self.scheduler.status(self.run_id) in ("starting", "running"):
            self.scheduler.cancel(self.run_id)
        elif what == "process" and alive:
            self.executor.end(self.run_id, 7)
        elif what == "shim" and alive:
            self.executor.kill(self.run_id)
        elif what == "node" and alive:
            self.executor.restart_nodes()


def end_of(order: tuple[str, ...], *, heard: bool) -> str:
    """What the run ends as. `heard`: the scheduler takes up each death before the next; else it hears of all later."""
    first = next((death for death in order if death in ("process", "shim", "node")), None)
    stopped = "stop" in order
    if heard and stopped and first is not None:
        stopped = order.index("stop") < order.index(first)
    if heard and stopped:
        return "cancelled"  # It obeys at once.
    if first == "node":
        return "lost"
    if stopped:
        return "cancelled"
    return {"process": "failed", "shim": "lost", None: "completed"}[first]


def check(life: Life, expected: str) -> None:
    if life.executor.has_process(life.run_id):
        life.executor.end(life.run_id)
    life.scheduler.pass_time()
    assert life.scheduler.status(life.run_id) == expected
    assert life.scheduler.free_cpus == 3
    assert life.executor.last(life.run_id).handle.attempt == 1
    assert life.executor.last(life.run_id).starts == 1


@pytest.mark.parametrize("heard", [True, False])
def test_a_running_run_ends_as_what_came_first(new_scheduler, heard):
    scheduler = new_scheduler()
    for order in ORDERS:
        if not heard and "server" in order:
            continue  # The next server looks at once.
        life = Life(new_scheduler, scheduler)
        for death in order:
            life.die(death)
            if heard:
                life.scheduler.tick()
        check(life, end_of(order, heard=heard))
        scheduler = life.scheduler


@pytest.mark.parametrize("death", ["process", "shim", "node"])
def test_what_died_while_there_was_no_server_is_found_by_the_next(new_scheduler, death):
    life = Life(new_scheduler)
    life.scheduler.let_go()
    life.die(death)
    life.die("server")
    assert life.scheduler.status(life.run_id) == end_of((death,), heard=True)
    check(life, end_of((death,), heard=True))


@pytest.mark.parametrize("stopping", [False, True])
def test_an_order_that_the_server_left_gets_no_process_any_more(new_scheduler, stopping):
    life = Life(new_scheduler, automatic=False)
    if stopping:
        life.die("stop")
    life.die("server")
    # Late, but the attempt was given up.
    first = life.executor.processes[life.run_id, 1]
    life.executor.begin(life.run_id)
    life.scheduler.tick()
    assert first.starts == 0
    if stopping:
        assert life.scheduler.history(life.run_id) == ["starting", "stopping", "cancelled"]
    else:
        assert life.scheduler.history(life.run_id)[:2] == ["starting", "queued"]
        life.scheduler.tick()
        life.executor.begin(life.run_id)
        life.scheduler.tick()
        assert life.scheduler.status(life.run_id) == "running"
        assert [one.starts for one in life.executor.processes.values()] == [0, 1]


def test_a_stop_that_was_asked_of_a_killed_server_is_carried_out_by_the_next(new_scheduler):
    life = Life(new_scheduler)
    life.scheduler.cancel(life.run_id)
    life.die("server")
    assert life.executor.stopped == []
    life.scheduler.tick()
    assert life.executor.stopped == [life.run_id]
    assert life.scheduler.status(life.run_id) == "cancelled"


class DiesAt:
    """Carries out so many steps, and none after that: the server was killed before it, or in its middle."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self, _name: str, work) -> None:
        self.left -= 1
        if self.left >= 0:
            work()


@pytest.mark.parametrize("steps", range(5))
def test_a_server_that_is_killed_before_any_step_leaves_it_to_the_next(new_scheduler, steps):
    first = new_scheduler(begin_work=DiesAt(steps))
    run_id = first.queue()
    first.tick()
    if first.executor.processes:
        first.executor.end(run_id, 7)
    first.tick()
    second = new_scheduler(after=first)
    second.tick()
    if not steps:
        # It had no process: the run was queued again.
        second.executor.end(run_id, 7)
        second.tick()
    assert (second.status(run_id), second.run(run_id).exit_code) == ("failed", 7)
    assert sum(one.starts for one in second.executor.processes.values()) == 1
    assert second.history(run_id)[-3:] == ["starting", "running", "failed"]


DAMAGES = {
    "no row of its attempt": "DELETE FROM attempt WHERE run_id = 2",
    "a handle that is no JSON": "UPDATE attempt SET handle = '[' WHERE run_id = 2",
    "a handle that is no object": "UPDATE attempt SET handle = '7' WHERE run_id = 2",
    "GPUs that are no JSON": "UPDATE attempt SET gpus = '[' WHERE run_id = 2",
    "metrics that are no JSON": "UPDATE run SET metrics = '[' WHERE id = 2",
}


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_next_server_starts_whatever_was_left_of_one_attempt(new_scheduler, damage, ended):
    first = new_scheduler()
    for _ in range(3):
        first.queue()
    first.tick()
    if ended:
        first.executor.end(2, 7)
    with first.database._writer.begin() as connection:
        connection.execute(text(DAMAGES[damage]))
    second = new_scheduler(after=first)
    assert second.free_cpus in (0, 1)
    for run_id in (1, 3):
        second.executor.end(run_id)
    second.tick()
    with second.database._writer.begin() as connection:
        assert connection.execute(text("SELECT status FROM run ORDER BY id")).scalars().all()[::2] == ["completed"] * 2
        connection.execute(text("UPDATE run SET metrics = '{}' WHERE id = 2"))
    if not ended:
        second.executor.end(2, 7)
    second.pass_time()
    assert (second.status(2), second.run(2).exit_code) == ("failed", 7)
