"""A run that failed because the kernel killed one of its processes for memory says so; one that did not does not."""

from pathlib import Path

import pytest

from traindeck.executors.protocol import Ended
from traindeck.runner import ending
from traindeck.runner.ending import Ending, OomKills, older_counters, oom_kills, unified_counters
from traindeck.scheduling.attempts import outcome_of

LOADER = """Traceback (most recent call last):
  File "train.py", line 7, in <module>
RuntimeError: DataLoader worker (pid 4711) is killed by signal: Killed.
"""
SUBPROCESS = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
subprocess.CalledProcessError: Command '['python', 'part.py']' died with <Signals.SIGKILL: 9>.
"""
TORCHRUN = "E1127 failed (exitcode: -9) local_rank: 0 (pid: 5)\n  traceback : Signal 9 (SIGKILL) received by PID 5\n"
POOL = """Traceback (most recent call last):
concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly while the future was
"""
OWN_FAULT = "Traceback (most recent call last):\n  File\nValueError: no such column: loss\n"

OWN_GREW = (OomKills(0, 3), OomKills(1, 4))
MACHINE_GREW = (OomKills(0, 3), OomKills(0, 4))
UNKNOWN_OWN = (OomKills(None, 3), OomKills(None, 4))
NOTHING = (OomKills(2, 3), OomKills(2, 3))


@pytest.mark.parametrize(
    ("kills", "code", "log", "explains"),
    [
        (OWN_GREW, 1, OWN_FAULT, True),
        (MACHINE_GREW, 1, LOADER, True),
        (UNKNOWN_OWN, 1, LOADER, True),
        (MACHINE_GREW, 1, SUBPROCESS, True),
        (MACHINE_GREW, 1, TORCHRUN, True),
        (MACHINE_GREW, 1, POOL, True),
        (MACHINE_GREW, 1, "", True),
        (MACHINE_GREW, 137, OWN_FAULT, True),
        (MACHINE_GREW, 247, OWN_FAULT, True),
        (MACHINE_GREW, -9, "", True),
        # Somebody else's was killed.
        (MACHINE_GREW, 1, OWN_FAULT, False),
        (MACHINE_GREW, 127, "traindeck: command not found: trian\n", False),
        # The user killed it.
        (NOTHING, 1, LOADER, False),
        (NOTHING, -9, "", False),
        (NOTHING, 137, "", False),
    ],
)
def test_what_the_kernel_killed_explains_an_end_that_looks_like_it(
    tmp_path: Path, kills: tuple[OomKills, OomKills], code: int, log: str, explains: bool
) -> None:
    (tmp_path / "output.log").write_text(log)
    before, after = kills
    assert after.explain(before, code=code, child_killed=False, log=tmp_path / "output.log") == explains


def test_an_orphan_that_was_killed_is_a_sign(tmp_path: Path) -> None:
    (tmp_path / "output.log").write_text(OWN_FAULT)
    before, after = MACHINE_GREW
    assert after.explain(before, code=1, child_killed=True, log=tmp_path / "output.log")


@pytest.mark.parametrize(
    ("wait_status", "reason"),
    [
        (1 << 8, "out of memory: the kernel killed a process meanwhile; exit code 1: RuntimeError: DataLoader worker"),
        (9, "out of memory: killed by signal 9 (SIGKILL)"),
        (15, "killed by signal 15 (SIGTERM)"),
    ],
)
def test_the_reason_says_out_of_memory(tmp_path: Path, wait_status: int, reason: str) -> None:
    log = tmp_path / "output.log"
    log.write_text(LOADER)
    times = {"finished_at": 0.0, "seconds": 0.0, "stop_asked": False, "killed": False}
    ending = Ending.of(wait_status, out_of_memory=True, log=log, **times)
    said = outcome_of(Ended(ending), stopping=False).reason
    assert said is not None
    assert said.startswith(reason)


def test_a_run_that_ends_well_is_completed_whatever_was_killed(tmp_path: Path) -> None:
    times = {"finished_at": 0.0, "seconds": 0.0, "stop_asked": False, "killed": False}
    ending = Ending.of(0, out_of_memory=True, log=tmp_path / "none", **times)
    assert outcome_of(Ended(ending), stopping=False).status == "completed"


def test_the_counters_of_the_own_cgroup_are_found() -> None:
    both = "9:name=systemd:/\n4:cpu,memory:/pod/a:b\n0::/user.slice/x.scope\n"
    assert next(iter(unified_counters(both))) == "/sys/fs/cgroup/user.slice/x.scope/memory.events"
    assert next(iter(unified_counters("0::/\n"))) == "/sys/fs/cgroup/memory.events"
    assert list(older_counters(both)) == [
        "/sys/fs/cgroup/memory/pod/a:b/memory.oom_control",
        "/sys/fs/cgroup/memory/memory.oom_control",
    ]
    assert list(older_counters("0::/x\n")) == []


@pytest.mark.parametrize(
    "content", ["low 0\noom 3\noom_kill 2\noom_group_kill 7\n", "oom_kill_disable 0\noom_kill 2\n"]
)
def test_a_counter_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    (tmp_path / "cgroup").write_text("0::/a\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/memory.events").write_text(content)
    monkeypatch.setattr(ending, "OWN_CGROUPS", str(tmp_path / "cgroup"))
    monkeypatch.setattr(ending, "CGROUP_ROOTS", (str(tmp_path),))
    assert oom_kills() == OomKills(2, 0)
