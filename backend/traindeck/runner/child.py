"""Turns a freshly forked process into the one that the user's code expects to be started in."""

import gc
import importlib
import os
import random
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

from traindeck.runner import prctl
from traindeck.runner.finish import end_process
from traindeck.runner.mainmodule import execute, run_script
from traindeck.runner.mirror import mirror
from traindeck.runner.order import COLD, Order
from traindeck.runner.richbars import follow_rich
from traindeck.runner.unseen import unseen
from traindeck.runner.variables import HOOK, child_environment, hook_of_attempt, stamp_mark, variables_of_start
from traindeck.runner.wakeups import restore_default_signals
from traindeck.runner.writers import flush_often, link_event_files

DATASET_FOLDERS = ("data", "../data")
TRAINING = "traindeck.trainers.running"
"""What runs trainers, by its name: it is built on this package, which imports nothing of it."""


@unseen
def become_trainer(order: Order, start: str, umask: int) -> NoReturn:
    """Run the user's code of `order` in this process, and end it; called right after the fork.

    `umask` is the one that the program gets: its files are made as if the user had started it.
    """
    _leave_the_shim()
    _open_streams(order)
    stamp_mark(order.mark)
    variables = child_environment(order)
    variables["PYTHONPATH"] = variables["PYTHONPATH"].replace(HOOK, hook_of_attempt(order), 1)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.umask(umask)
    _use_folder(order)
    if order.script and start == COLD:
        os.environ.update(variables_of_start(order.script, os.environ))
        execute(order.script)
    _be_like_new(order)
    end_process(lambda: run_script(order.script) if order.script else _run_trainer(order))


def _run_trainer(order: Order) -> int:
    # Only now: what checks a trainer's parameters is two thirds of what a fresh shim would import for a script.
    code: int = importlib.import_module(TRAINING).run_trainer(order)
    return code


def _be_like_new(order: Order) -> None:
    """Undo what a warm process has done that a fresh one would not have, and choose for the script."""
    # Python 3.11 keeps the number that the thread had in the parent.
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]
    _fresh_random_states()
    _limit_threads(order.cpus)
    flush_often()
    link_event_files(order.folder)
    if order.script:
        if TRAINING in sys.modules:
            sys.modules[TRAINING].offer_another_source(order)
        follow_rich(order.path / "bars.json")
    gc.enable()


def _leave_the_shim() -> None:
    os.setpgid(0, 0)
    restore_default_signals()
    prctl.set_name("python")
    # Without its shim a run cannot be stopped, and how it ends is not recorded: so it ends with the shim.
    prctl.signal_with_parent(signal.SIGKILL)
    if sys.platform == "linux":
        _prefer_for_oom_kill()


def _prefer_for_oom_kill() -> None:
    """Where memory runs out, the kernel shall take a training run and not the deck."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 (before anything else is imported)
            file.write("500")
    except OSError:
        return


def _open_streams(order: Order) -> None:
    """Stdin is empty, stdout and stderr go to the log; no other descriptor is left open."""
    empty = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, empty), (1, log), (2, log)):
        os.dup2(source, target, inheritable=True)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _use_folder(order: Order) -> None:
    order.work.mkdir(exist_ok=True)
    os.chdir(order.work)
    mirror(order)
    link_datasets(order)
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        # What a worker started with "spawn" takes for the folder that the program was started in.
        process.ORIGINAL_DIR = os.getcwd()  # type: ignore[attr-defined]  # noqa: PTH109
        process.current_process().authkey = os.urandom(32)


def _fresh_random_states() -> None:
    """Seed what was imported before the fork: else unseeded runs would all be the same run."""
    random.seed()
    if "numpy" in sys.modules:
        importlib.import_module("numpy").random.seed()
    if "torch" in sys.modules:
        # The CPU generator only: torch.seed() would also ask CUDA, which seeds itself when it is first used.
        importlib.import_module("torch").default_generator.seed()


def _limit_threads(cpus: int) -> None:
    if "torch" in sys.modules:
        importlib.import_module("torch").set_num_threads(cpus)


def link_datasets(order: Order) -> None:
    """Link what the deck's `datasets/` holds into the working folder; a name that is taken stays as it is.

    A script that says `MNIST(os.getcwd(), download=True)`, or `"./data"`, or `"../data"`, then finds the data there
    instead of downloading it for every run; and what it downloads to `data` stays for the next.
    """
    datasets = Path(order.datasets)
    if not datasets.is_dir():
        return
    for name in DATASET_FOLDERS:
        _link(order.work / name, datasets)
    for dataset in datasets.iterdir():
        if not dataset.name.startswith("."):
            _link(order.work / dataset.name, dataset)


def _link(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except OSError:
        # Taken, by an earlier attempt or the user; or a file system without links: the script downloads then.
        return
