"""A forkserver that is still importing, or takes no orders, holds up no run; and none is started twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.waiting import wait_for
from traindeck.executors.local import forkserver_client
from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.executors.local.launcher import Launcher
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runner.program import Program

READY = 'server.send(json.dumps({"ready": True, "missing": {}}).encode())'
TAKES = """
while message := server.recv(65536):
    server.send(json.dumps({"took": message.decode()}).encode())
"""
HOLDS = """
import signal
while True:
    signal.pause()
"""
STUB = """
import json, os, socket, sys
server = socket.socket(fileno=int(sys.argv[1]))
for module in {modules}:
    server.send(json.dumps({{"module": module}}).encode())
{then}
"""


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    launcher = Launcher(Forkserver(tmp_path / "forkserver.log"), cold=False)
    yield launcher
    launcher.close()
    wait_for(lambda: launcher.reap() or not launcher._children, "every cold shim has ended")


def start(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *then: str, modules: tuple[str, ...] = ()
) -> None:
    """Start a stub in the forkserver's place, and hear all that it has to say at first."""
    program = tmp_path / "stub.py"
    program.write_text(STUB.format(modules=modules, then="\n".join(then)))
    monkeypatch.setattr(forkserver_client, "PROGRAM", program)
    launcher.warm_up()
    said: list[dict[str, object]] = []
    expected = len(modules) + (READY in then)
    wait_for(lambda: said.extend(launcher.forkserver.messages()) or len(said) >= expected, "the stub has spoken")


def ordered(tmp_path: Path, source: str, number: int = 1) -> Path:
    """The order of an attempt that runs a script."""
    folder = tmp_path / f"attempt-{number}"
    folder.mkdir()
    script = tmp_path / f"script{number}.py"
    script.write_text(source)
    (tmp_path / "datasets").mkdir(exist_ok=True)
    what = ScriptOrder(
        Program(script.name, path=str(script)), source=str(script), file=str(script), path0=str(tmp_path)
    )
    order = Order(1, number, f"{number:032x}", str(folder), str(tmp_path / "datasets"), 1.0, script=what)
    (folder / "order.json").write_text(json.dumps(order.as_json()))
    return folder / "order.json"


def ends(order: Path) -> dict[str, object]:
    wait_for((order.parent / "exit.json").exists, "the run has ended")
    record: dict[str, object] = json.loads((order.parent / "process.json").read_bytes())
    return record


def test_a_run_is_not_kept_waiting_by_a_forkserver_that_takes_no_orders(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forkserver_client, "STUCK_SECONDS", 60.0)
    start(launcher, tmp_path, monkeypatch, READY, HOLDS)
    order = ordered(tmp_path, "print('once')")
    asked = launcher.launch(order)
    assert asked == launcher.forkserver.pid
    assert launcher.still_has(asked)
    monkeypatch.setattr(forkserver_client, "STUCK_SECONDS", 0.2)
    wait_for(lambda: not launcher.still_has(asked), "it is known to be stuck")
    again = launcher.launch(order)
    assert again != asked
    assert launcher.still_has(again) or (order.parent / "process.json").exists()
    assert ends(order)["start"] == "cold"
    # The next need not wait until that is found out again.
    second = ordered(tmp_path, "print('too')", 2)
    assert launcher.launch(second) != asked
    ends(second)


def test_a_forkserver_that_takes_what_it_is_asked_is_not_stuck(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(launcher, tmp_path, monkeypatch, READY, TAKES)
    asked = launcher.launch(ordered(tmp_path, ""))
    said: list[object] = []
    wait_for(lambda: said.extend(launcher.forkserver.messages()) or said, "it has taken the order")
    monkeypatch.setattr(forkserver_client, "STUCK_SECONDS", 0.0)
    assert launcher.still_has(asked)


def test_a_forkserver_that_is_stuck_for_long_is_replaced(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(launcher, tmp_path, monkeypatch, READY, HOLDS)
    first = launcher.forkserver.pid
    launcher.launch(ordered(tmp_path, ""))
    monkeypatch.setattr(forkserver_client, "HOPELESS_SECONDS", 0.0)

    def replaced() -> bool:
        launcher.warm_up()
        list(launcher.forkserver.messages())
        return launcher.forkserver.pid not in (None, first)

    wait_for(replaced, "another has taken its place")


TORCH, VISION = "import torch\n", "import torch, torchvision\n"


@pytest.mark.parametrize(
    ("modules", "source", "warm"),
    [
        ((), VISION, False),
        (("torch",), "print(1)\n", False),
        (("torch",), TORCH, False),
        (("torch",), VISION, True),
        (("torch", "torchvision"), TORCH, True),
        (("torch", "torchvision"), "print(1)\n", False),
    ],
)
def test_while_the_forkserver_imports_a_run_is_started_as_it_is_sooner(
    launcher: Launcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    modules: tuple[str, ...],
    source: str,
    warm: bool,
) -> None:
    start(launcher, tmp_path, monkeypatch, HOLDS, modules=modules)
    # What the run imports is not what is tested.
    order = ordered(tmp_path, f"import sys\nsys.exit()\n{source}")
    assert (launcher.launch(order) == launcher.forkserver.pid) == warm
    if not warm:
        ends(order)


def test_a_shim_that_comes_late_finds_the_attempt_taken(tmp_path: Path) -> None:
    order = ordered(tmp_path, "print('once')")
    command = [sys.executable, "-m", "traindeck.runner.shim", str(order)]
    first, second = (os.posix_spawn(command[0], command, os.environ) for _ in range(2))
    for pid in (first, second):
        os.waitpid(pid, 0)
    assert (order.parent / "output.log").read_text() == "once\n"


BEGINS = 'server.send(json.dumps({"began": os.getpid()}).encode())'
WAITS = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[0] + ".go").exists():
    time.sleep(0.02)
"""


def importing(launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> psutil.Process:
    """Return a forkserver that has begun, and does not get ready."""
    # One core, so that each run needs the one on which the forkserver imports.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    start(launcher, tmp_path, monkeypatch, BEGINS, HOLDS)
    wait_for(lambda: list(launcher.forkserver.messages()), "it has begun")
    assert launcher.forkserver.pid
    return psutil.Process(launcher.forkserver.pid)


def is_held(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_STOPPED


def test_imports_are_held_while_a_run_that_was_started_without_them_makes_its_own(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = importing(launcher, tmp_path, monkeypatch)
    order = ordered(tmp_path, WAITS)
    launcher.launch(order)
    wait_for(lambda: is_held(process), "the imports are held")
    launcher.warm_up()
    assert is_held(process)
    (tmp_path / "script1.py.go").touch()
    ends(order)
    wait_for(lambda: launcher.reap() or launcher.warm_up() or not is_held(process), "the imports continue")


@pytest.mark.parametrize("limit", ["HOLD_SECONDS", "HOLDS_SECONDS"])
def test_imports_are_not_held_for_longer_than_a_run_takes_for_its_own(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(forkserver_client, limit, 0.3)
    process = importing(launcher, tmp_path, monkeypatch)
    order = ordered(tmp_path, WAITS)
    launcher.launch(order)
    wait_for(lambda: is_held(process), "the imports are held")
    wait_for(lambda: launcher.warm_up() or not is_held(process), "the imports continue beside the run")
    if limit == "HOLDS_SECONDS":
        launcher.forkserver.hold()
        assert not is_held(process)
    (tmp_path / "script1.py.go").touch()
    ends(order)


def test_a_forkserver_whose_imports_are_held_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    server = """
import pathlib, sys, time
from traindeck.executors.local.forkserver_client import Forkserver
forkserver = Forkserver(pathlib.Path(sys.argv[1]) / "forkserver.log")
forkserver.ensure_started()
while not any("began" in message for message in forkserver.messages()):
    time.sleep(0.01)
forkserver.hold()
print(forkserver.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", server, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = psutil.Process(int(process.stdout.readline()))
        wait_for(lambda: is_held(child), "the imports are held")
        process.kill()
    wait_for(lambda: not child.is_running(), "the forkserver has ended", 60.0)
