"""Nothing happens at import: no database, no thread, no process, no look into the environment, nothing heavy."""

import json
import subprocess
import sys
from typing import Any

from architecture.modules import layer, sources

SERVER = [
    name for name in sources() if layer(name) not in {"trainers", "runner", "boards"} and not name.endswith("__main__")
]
LIGHT = ("traindeck.app", "traindeck.server", "traindeck.cli.main", "traindeck.trainers.registry",
         "traindeck.boards.client", "traindeck.scheduling.dispatcher", "traindeck.events.tail")  # fmt: skip
HEAVY = {"torch", "torchvision", "tensorboard", "numpy", "alembic", "matplotlib", "pandas", "tsdownsample"}

WATCH = """
import importlib, json, os, sys
seen, package = [], sys.argv[1]

def ours(frame):
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("traindeck"):
            return name
        frame = frame.f_back

def hook(event, args):
    if event in ("sqlite3.connect", "_thread.start_new_thread", "subprocess.Popen", "os.fork", "os.posix_spawn",
                 "socket.bind", "os.mkdir"):
        seen.append([event, ours(sys._getframe())])

class Environment(dict):
    def __getitem__(self, name):
        note(name)
        return super().__getitem__(name)
    def get(self, name, default=None):
        note(name)
        return super().get(name, default)

def note(name):
    caller = sys._getframe(2).f_globals.get("__name__", "")
    if caller.startswith("traindeck"):
        seen.append(["environ " + name, caller])

sys.addaudithook(hook)
os.environ = Environment(os.environ)
modules = {}
for name in sys.argv[1:]:
    importlib.import_module(name)
    modules[name] = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"seen": seen, "modules": modules}))
"""


def imported(*modules: str) -> dict[str, Any]:
    """What was seen while modules were imported one after the other, and which packages were there after each."""
    command = [sys.executable, "-c", WATCH, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_every_module_of_the_server_opens_starts_and_reads_nothing():
    assert imported(*SERVER)["seen"] == []


def test_what_the_server_starts_with_imports_nothing_heavy():
    modules = imported(*LIGHT)["modules"]
    assert {module: heavy for module in LIGHT if (heavy := HEAVY & set(modules[module]))} == {}


def test_asking_for_help_imports_neither_the_server_nor_the_database():
    modules = set(imported("traindeck.cli.main")["modules"]["traindeck.cli.main"])

    assert not modules & (HEAVY | {"sqlalchemy", "sqlmodel", "fastapi", "uvicorn", "httpx"})


def test_a_fresh_shim_of_a_script_imports_nothing_of_trainers():
    assert "pydantic" not in imported("traindeck.runner.shim")["modules"]["traindeck.runner.shim"]
