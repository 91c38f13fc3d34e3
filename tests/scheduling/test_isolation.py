"""What fails, or takes long, for one attempt stays with it: the others go on, and the one says why."""

from collections.abc import Callable

import pytest

from support.scheduling import Scheduler
from traindeck.scheduling import attempts
from traindeck.scheduling.observer import Observer

FAULTY = 2
OTHERS = (1, 3)
ERROR = ValueError("on purpose")
ALWAYS = [ERROR] * 1000


def queue_three(scheduler: Scheduler) -> None:
    for _ in range(3):
        scheduler.queue()
    scheduler.tick()


def others_end(scheduler: Scheduler) -> None:
    for run_id in OTHERS:
        scheduler.executor.end(run_id)
    scheduler.tick()
    assert [scheduler.status(run_id) for run_id in OTHERS] == ["completed", "completed"]


@pytest.mark.parametrize("method", ["reserve", "start"])
def test_a_run_that_cannot_be_started_fails_with_the_reason(scheduler, method):
    scheduler.executor.failures[f"{method} {FAULTY}"] = [ERROR]
    queue_three(scheduler)
    assert scheduler.status(FAULTY) == "failed"
    assert scheduler.reason(FAULTY).startswith("could not be ")
    assert "ValueError: on purpose" in scheduler.reason(FAULTY)
    assert not scheduler.executor.has_process(FAULTY)
    assert scheduler.free_cpus == 1
    others_end(scheduler)


def test_an_order_that_cannot_be_made_fails_its_run(scheduler, monkeypatch):
    real = attempts.make_order

    def make_order(*args, **options):
        if args[3] == 1 and args[2].id == FAULTY:
            raise ERROR
        return real(*args, **options)

    monkeypatch.setattr(attempts, "make_order", make_order)
    queue_three(scheduler)
    assert scheduler.reason(FAULTY) == "could not be started: ValueError: on purpose"
    others_end(scheduler)


def test_a_start_that_failed_though_there_is_a_process_is_one(scheduler, monkeypatch):
    real = scheduler.executor.start

    def start(order):
        handle = real(order)
        if order.run_id == FAULTY:
            raise ERROR
        return handle

    monkeypatch.setattr(scheduler.executor, "start", start)
    queue_three(scheduler)
    scheduler.pass_time()
    assert scheduler.status(FAULTY) == "running"
    scheduler.executor.end(FAULTY, 7)
    scheduler.tick()
    assert scheduler.run(FAULTY).exit_code == 7


def test_a_run_that_cannot_be_watched_goes_on(scheduler, monkeypatch):
    real = Observer.watch

    def watch(self, run_id, number):
        if run_id == FAULTY:
            raise ERROR
        real(self, run_id, number)

    monkeypatch.setattr(Observer, "watch", watch)
    queue_three(scheduler)
    assert scheduler.status(FAULTY) == "running"
    others_end(scheduler)
    scheduler.executor.end(FAULTY, 7)
    scheduler.tick()
    assert scheduler.run(FAULTY).exit_code == 7


def test_a_last_look_that_fails_changes_no_end(scheduler, monkeypatch):
    queue_three(scheduler)

    def finish(_self, run_id, _number):
        if run_id == FAULTY:
            raise ERROR

    monkeypatch.setattr(Observer, "finish", finish)
    scheduler.executor.end(FAULTY, 7)
    others_end(scheduler)
    assert (scheduler.status(FAULTY), scheduler.run(FAULTY).exit_code) == ("failed", 7)


def test_an_end_whose_meaning_cannot_be_told_is_one_all_the_same(scheduler, monkeypatch):
    queue_three(scheduler)
    real = attempts.outcome_of

    def outcome_of(report, *, stopping):
        if report.ending.exit_code == 7:
            raise ERROR
        return real(report, stopping=stopping)

    monkeypatch.setattr(attempts, "outcome_of", outcome_of)
    scheduler.executor.end(FAULTY, 7)
    others_end(scheduler)
    assert scheduler.status(FAULTY) == "lost"
    assert scheduler.reason(FAULTY) == "recording its end failed: ValueError: on purpose"
    assert scheduler.free_cpus == 3


def test_nothing_is_final_while_an_attempt_cannot_be_examined(scheduler):
    queue_three(scheduler)
    scheduler.executor.failures[f"examine {FAULTY}"] = list(ALWAYS)
    scheduler.executor.kill(FAULTY)
    others_end(scheduler)
    assert (scheduler.status(FAULTY), scheduler.free_cpus) == ("running", 2)
    assert "on purpose" in scheduler.reason(FAULTY)
    scheduler.executor.failures.clear()
    scheduler.pass_time()
    assert scheduler.status(FAULTY) == "lost"


def test_a_stop_that_fails_is_tried_again_and_holds_up_no_other(scheduler):
    queue_three(scheduler)
    scheduler.executor.failures[f"stop {FAULTY}"] = [ERROR, ERROR]
    for run_id in (1, 2, 3):
        scheduler.cancel(run_id)
    scheduler.tick()
    assert [scheduler.status(run_id) for run_id in (1, 2, 3)] == ["cancelled", "stopping", "cancelled"]
    assert scheduler.reason(FAULTY) == "stopping it failed, and is tried again: ValueError: on purpose"
    scheduler.pass_time(1)
    assert scheduler.status(FAULTY) == "stopping"
    scheduler.pass_time(1)
    assert scheduler.status(FAULTY) == "cancelled"


def test_an_executor_that_answers_nothing_for_a_while_loses_no_report(scheduler, monkeypatch):
    queue_three(scheduler)
    real = scheduler.executor.poll

    def poll(_handles):
        raise ERROR

    monkeypatch.setattr(scheduler.executor, "poll", poll)
    scheduler.executor.end(FAULTY, 7)
    scheduler.tick()
    # What waits for nothing of it goes on.
    waiting = scheduler.queue(priority=1)
    scheduler.cancel(waiting)
    monkeypatch.setattr(scheduler.executor, "poll", real)
    scheduler.pass_time()
    assert scheduler.run(FAULTY).exit_code == 7


class Held:
    """Carries out steps at once, but those of one run only when it is let go."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, name: str, work: Callable[[], None]) -> None:
        self.waiting.append(work) if name == self.name else work()


@pytest.mark.parametrize("step", ["start", "recording the start", "settling"])
def test_a_step_that_is_slow_for_one_attempt_holds_up_no_other(new_scheduler, step):
    held = Held(f"run {FAULTY} {step}")
    scheduler = new_scheduler(begin_work=held)
    queue_three(scheduler)
    if step == "settling":
        scheduler.executor.end(FAULTY)
    scheduler.cancel(1)
    scheduler.tick()
    fourth = scheduler.queue()
    scheduler.tick()
    assert [scheduler.status(run_id) for run_id in (1, fourth)] == ["cancelled", "running"]
    scheduler.executor.end(fourth)
    scheduler.tick()
    assert scheduler.status(fourth) == "completed"
    assert scheduler.status(FAULTY) in ("starting", "running")
    assert len(held.waiting) == 1
    held.waiting.pop()()
    scheduler.tick()
    assert scheduler.status(FAULTY) == ("completed" if step == "settling" else "running")
    assert scheduler.executor.last(FAULTY).starts == 1


def test_a_system_without_threads_for_now_delays_a_run_and_loses_none(new_scheduler):
    refused = [RuntimeError("can't start new thread")] * 2

    def begin(_name, work):
        if refused:
            raise refused.pop()
        work()

    scheduler = new_scheduler(begin_work=begin)
    queue_three(scheduler)
    for _ in range(3):
        scheduler.pass_time(1)
    assert [scheduler.status(run_id) for run_id in (1, 2, 3)] == ["running"] * 3
