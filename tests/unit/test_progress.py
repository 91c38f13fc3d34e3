"""Progress of an attempt, and the time that is left."""

import json

import pytest

from traindeck.runner import progress as module
from traindeck.runner.progress import Progress, ProgressFile, read_progress


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def file(tmp_path) -> ProgressFile:
    return ProgressFile(tmp_path / "progress.json")


def test_the_first_report_is_there_at_once(file, clock):
    file.report(1, 10, "epoch", "training")
    assert read_progress(file.path) == Progress(1, 10, "epoch", None, "training")


def test_reports_in_quick_succession_are_written_together(file, clock):
    for step in range(1, 6):
        file.report(step, 100)
    assert read_progress(file.path).step == 1
    file.flush()
    assert read_progress(file.path).step == 5


def test_the_last_step_is_written_however_soon_it_comes(file, clock):
    file.report(1, 2)
    file.report(2, 2)
    assert read_progress(file.path).step == 2


def test_the_time_left_follows_from_the_recent_speed(file, clock):
    for step in range(101):
        file.report(step, 1000)
        clock.now += 1.0
    assert read_progress(file.path).eta_seconds == pytest.approx(900, abs=10)
    for step in range(101, 400, 10):
        file.report(step, 1000)
        clock.now += 1.0
    assert read_progress(file.path).eta_seconds == pytest.approx(60, abs=10)


def test_there_is_no_time_left_to_tell_without_a_total_or_a_second_report(file, clock):
    file.report(5, None)
    clock.now += 5
    file.report(6, None)
    assert read_progress(file.path).eta_seconds is None


def test_a_new_phase_does_not_inherit_the_speed_of_the_last(file, clock):
    for step in range(10):
        file.report(step, 10, label="download")
        clock.now += 1
    file.report(0, 1000, label="training")
    assert read_progress(file.path) == Progress(0, 1000, "step", None, "training")


def test_a_step_beyond_the_total_leaves_no_negative_time(file, clock):
    file.report(1, 10)
    clock.now += 1
    file.report(12, 10)
    assert read_progress(file.path).eta_seconds == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"step": 1, "more": 2}', "{}"])
def test_what_is_no_report_is_no_progress(tmp_path, content):
    path = tmp_path / "progress.json"
    path.write_text(content)
    assert read_progress(path) is None


def test_a_report_that_cannot_be_written_does_not_cost_the_training(tmp_path):
    file = ProgressFile(tmp_path / "gone" / "progress.json")
    file.report(1, 2)
    (tmp_path / "gone").mkdir()
    file.report(2, 2)
    assert json.loads(file.path.read_text())["step"] == 2
