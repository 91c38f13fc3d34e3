"""What the executor of this machine reports, whatever became of shims, files and servers."""

import errno
import json
import os
import select
from dataclasses import replace

import pytest

from executors.conftest import Machine
from traindeck.executors.local import executor as module
from traindeck.executors.local.executor import Tracked
from traindeck.executors.protocol import Dropped, Ended, Lost, NotStarted, Started, Unknown
from traindeck.runner.claim import give_up_attempt
from traindeck.runner.identity import marked


def mark_of(machine: Machine) -> str:
    return str(json.loads(machine.attempt.order.read_bytes())["mark"])


def test_a_started_attempt_is_reported_as_long_as_it_lives_and_then_how_it_ended(machine):
    assert machine.start() == machine.handle
    started = machine.poll()
    assert isinstance(started, Started)
    assert machine.poll() == started == machine.examine()
    machine.end(7)
    assert machine.poll() == Unknown("its process is gone")
    report = machine.examine()
    assert isinstance(report, Ended)
    assert (report.ending.exit_code, report.started_at) == (7, started.at)


def test_an_attempt_that_ended_before_it_was_asked_for_is_reported_as_started_first(machine):
    machine.start()
    machine.end()
    assert isinstance(machine.poll(), Started)
    assert isinstance(machine.poll(), Unknown)


def test_a_handle_is_json_and_finds_the_attempt_again_after_a_restart(machine):
    machine.start()
    machine.poll()
    kept = json.loads(json.dumps(machine.handle.content))
    later = machine.next_server(replace(machine.handle, content=kept))
    assert later.examine() == machine.poll()
    later.end(3)
    assert isinstance(later.poll(), Started)
    report = later.examine()
    assert isinstance(report, Ended)
    assert report.ending.exit_code == 3
    later.executor.close()


def test_starting_twice_starts_one_process(machine):
    machine.start()
    machine.poll()
    order = machine.attempt.order.read_bytes()
    machine.start()
    assert machine.attempt.order.read_bytes() == order
    assert isinstance(machine.poll(), Started)
    record = json.loads(machine.attempt.process.read_bytes())
    assert record["shim"]["pid"] == machine.launcher.processes[0].pid


def test_the_end_of_a_shim_is_heard_of_at_once(machine):
    machine.start()
    machine.poll()
    descriptors = machine.executor.descriptors([machine.handle])
    assert select.select(descriptors, [], [], 0)[0] == []
    machine.launcher.kill()
    assert select.select(descriptors, [], [], 10)[0] == descriptors
    machine.executor.forget(machine.handle)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptors[0])


def test_what_a_killed_shim_left_is_ended_before_the_attempt_is_lost(machine):
    machine.start()
    machine.poll()
    machine.launcher.launch(machine.attempt.order)
    left = machine.launcher.processes.pop()
    machine.launcher.kill()
    assert marked(mark_of(machine)) == [left.pid]
    report = machine.examine()
    assert isinstance(report, Lost)
    assert not report.with_node
    assert left.wait(10) == -9


def test_nothing_is_lost_while_what_is_left_cannot_be_ended(machine, monkeypatch):
    machine.start()
    machine.poll()
    machine.launcher.kill()
    monkeypatch.setattr(module, "marked", lambda _mark: [4711])
    monkeypatch.setattr(module, "signal_all", lambda _pids, _number: None)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.0)
    assert machine.examine() == Unknown("processes that it has left cannot be ended: 4711")
    monkeypatch.setattr(module, "marked", lambda _mark: [])
    assert isinstance(machine.examine(), Lost)


def test_after_a_restart_of_the_machine_no_process_is_looked_at(machine):
    machine.start()
    later = machine.next_server(replace(machine.handle, content={"boot_id": "earlier"}))
    assert later.examine() == Lost("host restarted", with_node=True)
    assert machine.launcher.processes[0].poll() is None
    later.end(7)
    assert isinstance(later.examine(), Ended)


def test_a_stop_that_was_asked_for_before_there_was_a_shim_reaches_it(machine):
    machine.launcher.starts = False
    machine.start()
    machine.executor.stop(machine.handle, 1.0)
    machine.launcher.starts = True
    machine.launcher.launch(machine.attempt.order)
    assert isinstance(machine.poll(), Started)
    assert machine.launcher.processes[0].wait(10) == -15


def test_a_shim_that_does_not_end_in_time_is_killed(machine, monkeypatch):
    machine.start()
    machine.poll()
    monkeypatch.setattr(Tracked, "signal", lambda *_: None)
    monkeypatch.setattr(module, "STOP_MARGIN_SECONDS", -10.0)
    machine.executor.stop(machine.handle, 1.0)
    monkeypatch.undo()
    machine.poll()
    assert machine.launcher.processes[0].wait(10) == -9


@pytest.mark.parametrize("restarted", [False, True])
def test_an_order_that_is_examined_before_it_is_taken_is_never_carried_out(machine, restarted):
    machine.launcher.starts = False
    machine.start()
    later = machine.next_server() if restarted else machine
    reason = "the deck was stopped in between" if restarted else "no process came up within 120 s"
    assert later.examine() == NotStarted(reason)
    assert later.examine() == NotStarted(reason)
    assert not give_up_attempt(machine.attempt.folder)


def test_an_order_that_nobody_has_any_more_is_dropped_and_after_a_while_given_up(machine, monkeypatch):
    machine.launcher.starts = False
    machine.start()
    assert machine.poll() == Dropped()
    monkeypatch.setattr(module, "START_TIMEOUT_SECONDS", -1.0)
    assert isinstance(machine.poll(), Unknown)


def test_a_full_disk_is_why_an_attempt_cannot_be_started(machine, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device", "order.json")

    monkeypatch.setattr(module, "write_whole", full)
    assert machine.start() == NotStarted("No space left on device: order.json")
    assert machine.launcher.launches == 0


def damage(machine: Machine, content: str) -> None:
    machine.attempt.process.write_text(content)


@pytest.mark.parametrize("content", ['{"shim": {"pid": "x"}}', '{"shim": {"pi', "[]", "7"])
def test_an_attempt_whose_shim_cannot_be_named_is_followed_by_its_mark(machine, content):
    machine.start()
    damage(machine, content)
    later = machine.next_server()
    assert later.examine() == Started(None, "process.json cannot be read")
    assert later.poll() == Unknown("process.json cannot be read")
    later.end(7)
    report = later.examine()
    assert isinstance(report, Ended)
    assert report.ending.exit_code == 7


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)], ids=["pipe", "folder", "link"]
)
def test_a_run_that_replaced_its_records_at_once_is_followed_by_its_mark_and_started_once(machine, make):
    machine.start()
    for path in (machine.attempt.process, machine.attempt.order):
        path.unlink()
        make(path)
    assert isinstance(machine.poll(), Unknown)
    assert isinstance(machine.examine(), Started)
    machine.end(3)
    report = machine.examine()
    assert isinstance(report, Ended)
    assert (report.ending.exit_code, machine.launcher.launches) == (3, 1)


def test_an_attempt_whose_shim_cannot_be_named_can_be_stopped(machine):
    machine.start()
    damage(machine, "")
    later = machine.next_server()
    later.examine()
    later.executor.stop(later.handle, 1.0)
    assert isinstance(later.examine(), Started)
    assert machine.launcher.processes[0].wait(10) == -15
    assert isinstance(later.examine(), Lost)


def test_a_shim_that_cannot_be_understood_is_followed_by_its_mark_too(machine, monkeypatch):
    def find(_self, _record):
        raise ValueError("on purpose")

    monkeypatch.setattr(Tracked, "find", find)
    machine.start()
    assert machine.poll() == Unknown("ValueError: on purpose")
    assert machine.examine() == Started(None, "finding its process failed: ValueError: on purpose")
    assert machine.poll() == Unknown("finding its process failed: ValueError: on purpose")


def test_a_shim_is_looked_for_again_where_descriptors_were_short(machine, monkeypatch):
    real, refused = os.pidfd_open, [OSError(errno.EMFILE, "Too many open files")]

    def pidfd_open(pid):
        if refused:
            raise refused.pop()
        return real(pid)

    monkeypatch.setattr(os, "pidfd_open", pidfd_open)
    machine.start()
    assert isinstance(machine.poll(), Unknown)
    assert isinstance(machine.examine(), Started)


def test_a_closed_executor_starts_nothing(machine):
    machine.executor.close()
    machine.start()
    assert machine.launcher.launches == 0


def test_a_forkserver_that_cannot_be_heard_keeps_no_report_back(machine, monkeypatch):
    machine.start()

    def messages():
        raise ValueError("on purpose")

    monkeypatch.setattr(machine.launcher.forkserver, "messages", messages)
    assert isinstance(machine.poll(), Started)
    machine.end()
    machine.poll()
    assert isinstance(machine.examine(), Ended)
