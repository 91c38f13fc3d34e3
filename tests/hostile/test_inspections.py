"""A script that is asked for its options may misbehave: it is bounded, and the next one is asked as ever."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.waiting import wait_for
from traindeck.executors.local.forkserver_client import Forkserver
from traindeck.executors.local.inspector import Inspector
from traindeck.executors.local.launcher import Launcher
from traindeck.options.given import resolve_script_params
from traindeck.options.inspection import Inspection, Target
from traindeck.runner.identity import descendants
from traindeck.runner.program import Program

GOOD = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float)\nparser.parse_args()\n"
ANSWER = (
    "import argparse, os, sys\nanswer = os.path.join(os.path.dirname(os.getcwd()), 'answer.json')\nparse_args = 0\n"
)
PARSES = "\n# parser.parse_args()\nparser.parse_args\n"
"""Has a script looked upon as one with a parser."""


@pytest.fixture
def inspector(tmp_path: Path) -> Inspector:
    launcher = Launcher(Forkserver(tmp_path / "log"), cold=True)
    return Inspector(launcher, tmp_path / "cache" / "flags", cold_seconds=20)


@pytest.fixture
def ask(inspector: Inspector, tmp_path: Path) -> Callable[[str], Inspection]:
    """Asks a script, and then a good one."""

    def ask(source: str) -> Inspection:
        # The process of the tests may have decks of other tests for children.
        before = descendants(os.getpid())
        found = inspector.inspect(target(tmp_path, "hostile", source + PARSES))
        assert inspector.inspect(target(tmp_path, "good", GOOD)).schema is not None
        wait_for(lambda: set(descendants(os.getpid())) <= set(before), "nothing of it is left")
        assert list((tmp_path / "cache" / "inspections").iterdir()) == []
        return found

    return ask


def target(tmp_path: Path, name: str, source: str) -> Target:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(source)
    return Target(Program(cwd=str(folder)), path0=folder, source=folder / "train.py", file=str(folder / "train.py"))


@pytest.mark.parametrize(
    "written",
    [
        "os.mkfifo(answer)",
        "os.mkdir(answer)",
        "os.symlink('/dev/zero', answer)",
        "os.symlink('/proc/self/environ', answer)",
        "open(answer, 'w').write('[' * 100_000)",
        "open(answer, 'w').write('[' * 900 + ']' * 900)",
        "open(answer, 'w').write('{\"a\":' * 400 + '1' + '}' * 400)",
        "open(answer, 'w').write('x' * 20_000_000)",
        "open(answer, 'wb').truncate(90_000_000)",
        "open(answer, 'wb').write(b'\\xff')",
        "open(answer, 'w').write('[]')",
        "open(answer, 'w').write('{}')",
        "open(answer, 'w').write('{\"reason\": 5}')",
        "open(answer, 'w').write('{\"parser\": 1, \"declaration\": 2}')",
        "open(answer, 'w').write('{\"parser\": \"argparse\", \"declaration\": {\"options\": [1]}}')",
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_read_within_bounds(ask, written):
    found = ask(f"{ANSWER}{written}\nos._exit(0)")

    assert found.schema is None
    assert found.reason
    assert found.seconds < 15


def test_a_pipe_where_the_watching_process_writes_is_not_waited_for(ask):
    source = "import os\nfor number in range(os.getpid() - 50, os.getpid() + 50):\n"
    source += "    os.mkfifo(os.path.join(os.path.dirname(os.getcwd()), f'answer.{number}'))\n"
    source += "os.mkfifo(os.path.join(os.path.dirname(os.getcwd()), 'answer.partial'))\nos._exit(3)"

    assert "exit code 3" in ask(source).reason


def test_folders_that_are_too_deep_to_walk_are_removed(ask):
    # More of them than Python recurses, and a path longer than the kernel takes.
    assert (
        ask("import os\nfor _ in range(1100):\n    os.mkdir('deep')\n    os.chdir('deep')\nos._exit(1)").schema is None
    )


def test_memory_is_bounded(ask, monkeypatch):
    monkeypatch.setenv("PYTHONMALLOC", "malloc")

    assert "MemoryError" in ask("held = bytearray(200_000_000_000)").reason


def test_memory_that_is_shared_is_bounded(ask):
    found = ask("import mmap\nmmap.mmap(-1, 500_000_000_000)")

    assert "Cannot allocate" in found.reason


def test_many_processes_are_ended(ask):
    source = "import os, time\nfor _ in range(400):\n    if not os.fork():\n        time.sleep(1000)\ntime.sleep(1000)"

    assert "processes" in ask(source).reason


def test_the_processor_is_bounded_where_the_watching_process_was_killed(ask):
    source = "import resource\nassert 0 < resource.getrlimit(resource.RLIMIT_CPU)[0] <= 120\n"
    source += "assert resource.getrlimit(resource.RLIMIT_DATA)[1] < 1e11 > 0\nraise SystemExit('bounded')"

    assert "bounded" in ask(source).reason


def test_a_script_that_kills_what_watches_it_ends_with_it(ask):
    assert ask("import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(1000)").schema is None


def test_a_script_learns_nothing_of_the_deck(ask, monkeypatch):
    monkeypatch.setenv("TRAINDECK_TOKEN", "of the deck")
    source = "import os\nall = open('/proc/self/environ').read() + open('/proc/%d/environ' % os.getppid()).read()\n"
    source += "raise SystemExit(str('of the deck' in all or 'TRAINDECK_TOKEN' in str(os.environ)))"

    assert ask(source).reason.endswith("exit False")


# The forkserver is still importing, or hangs.


@pytest.fixture
def warm(tmp_path: Path) -> Callable[[str], Launcher]:
    """A launcher whose forkserver was just started, and is in a state that it stays in."""
    launchers = []

    def start(program: str) -> Launcher:
        (tmp_path / "forkserver.py").write_text(program)
        forkserver = Forkserver(tmp_path / "log")
        launchers.append(Launcher(forkserver, cold=False))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("traindeck.executors.local.forkserver_client.PROGRAM", tmp_path / "forkserver.py")
            forkserver.ensure_started()
        return launchers[-1]

    yield start
    for launcher in launchers:
        launcher.forkserver.ready = False
        launcher.close()


def test_while_the_forkserver_is_importing_a_script_is_asked_in_a_fresh_python(warm, tmp_path):
    launcher = warm("import time\ntime.sleep(1000)")
    inspector = Inspector(launcher, tmp_path / "cache" / "flags")

    assert inspector.inspect(target(tmp_path, "good", GOOD)).schema is not None
    assert not launcher.forkserver.ready


def test_a_forkserver_that_hangs_is_not_waited_for(warm, tmp_path):
    launcher = warm("import time\ntime.sleep(1000)")
    launcher.forkserver.ready = True
    # So long that the test would time out.
    inspector = Inspector(launcher, tmp_path / "cache" / "flags", seconds=1000)

    assert inspector.inspect(target(tmp_path, "good", GOOD)).schema is not None


# Programs whose options have no form are not run past their parsers.

TRAINS = "open({mark!r}, 'w').write('x')\n"
LIBRARIES = {
    "jsonargparse": "import argparse\n"
    "class ArgumentParser(argparse.ArgumentParser):\n"
    "    def parse_args(self, args=None, **kw):\n        return self.parse_known_args(args)[0]\n"
    "    def parse_known_args(self, args=None, namespace=None):\n"
    "        return super().parse_known_args([], namespace)\n"
    "def CLI(function):\n    parser = ArgumentParser()\n    parser.parse_args()\n    function()\nauto_cli = CLI\n",
    "tyro": "def cli(function):\n    function()\n",
    "fire": "def Fire(function):\n    function()\n",
    "docopt": "def docopt(doc):\n    return {}\n",
}
USES = [
    "import jsonargparse\njsonargparse.CLI(main)",
    "from jsonargparse import auto_cli\nauto_cli(main)",
    "import tyro\ntyro.cli(main)",
    "from tyro import cli\ncli(main)",
    "import fire\nfire.Fire(main)",
    "from fire import Fire as run\nrun(main)",
    "import docopt\ndocopt.docopt('x')\nmain()",
    "from absl import app\napp.run(lambda argv: main())",
    "from absl import flags\nflags.FLAGS(['x'])\nmain()",
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("hidden", [False, True], ids=["seen", "imported by a computed name"])
def test_a_program_without_a_form_is_not_run_past_its_parser(inspector, tmp_path, use, hidden):
    (tmp_path / "hostile").mkdir()
    for name, source in LIBRARIES.items():
        (tmp_path / "hostile" / f"{name}.py").write_text(source)
    mark = tmp_path / ".trained"
    source = f"def main():\n    {TRAINS.format(mark=str(mark))}\n"
    if hidden:
        # Nothing of it is seen by reading the script; and some of it has a parser, so that it is run.
        source += f"exec({use!r})\nimport argparse\nargparse.ArgumentParser().parse_args()\n"
    else:
        source += f"{use}\n"
    found = inspector.inspect(target(tmp_path, "hostile", source + PARSES))

    assert not mark.exists()
    assert "has no form" in found.reason
    schema, params, errors = resolve_script_params(found, ["--anything", "1"], {}, parsing=inspector)
    assert (schema, params, errors) == (["--anything", "1"], {}, [])


def test_a_library_that_is_watched_for_is_otherwise_as_it_is(ask, tmp_path):
    (tmp_path / "hostile").mkdir()
    (tmp_path / "hostile" / "fire.py").write_text("Fire = 1\nnoted = (__loader__.__class__.__name__, __spec__.name)\n")
    source = "import fire, importlib, inspect\nimportlib.reload(fire)\n"
    source += "raise SystemExit(fire.__loader__.__class__.__name__ + ' ' + inspect.getsource(fire)[:8])"

    assert ask(source).reason.endswith("SourceFileLoader Fire = 1")
