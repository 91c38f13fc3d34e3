"""The environment of a run: the deck's own, what the slots say, what the user set."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

from traindeck.runner.order import Order, ScriptOrder

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

HOOK = str(Path(__file__).with_name("hook"))
"""Its sitecustomize.py makes event files fresh and known in every Python that the run starts."""
HOOK_LINK = "hook"
"""In the folder of an attempt: a link to `HOOK`, by whose place that Python knows the attempt."""

MARK = "TRAINDECK_MARK"
MARK_CHARACTERS = 32
PLACEHOLDER = "0" * MARK_CHARACTERS
"""What forkservers carry, of every deck: no attempt's mark."""
ENV_START_FIELD = 47
"""Of /proc/PID/stat, counted from the state; see proc(5), fields 50 and 51."""
OPEN_FILES = "TRAINDECK_OPEN_FILES"
"""How a process of the runner is told which limit of open files the user has."""


def variables_of_limit(limit: int | None) -> dict[str, str]:
    """Return what makes `restore_open_files` restore this limit; nothing for None."""
    return {} if limit is None else {OPEN_FILES: str(limit)}


def restore_open_files() -> None:
    """Restore the limit of open files that the server had before it raised its own, for this process and its children.

    The server cannot do it for a process that it starts: between fork and exec no Python code is safe beside threads.
    """
    if limit := os.environ.pop(OPEN_FILES, None):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def plain_environment() -> dict[str, str]:
    """Return the variables of this process without those of the deck: what helpers of the deck are started with."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRAINDECK_")}


def child_environment(order: Order) -> dict[str, str]:
    """Return every variable of the process. The deck's settings are not among them, what the user set wins."""
    inherited = plain_environment()
    variables = {
        **inherited,
        **_where_programs_are(order, inherited),
        **dict.fromkeys(THREAD_VARIABLES, str(order.cpus)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **_gpu_variables(order.gpus),
        **order.env,
        **_own_variables(order),
    }
    return {**variables, "PYTHONPATH": _path(HOOK, variables.get("PYTHONPATH"))}


def hook_of_attempt(order: Order) -> str:
    """Make the attempt's link to `HOOK`, and return it; `HOOK` itself where there can be none."""
    link = order.path / HOOK_LINK
    if os.pathsep in str(link):
        return HOOK
    try:
        link.symlink_to(HOOK)
    except OSError:
        return HOOK
    return str(link)


def _where_programs_are(order: Order, inherited: Mapping[str, str]) -> dict[str, str]:
    """For a command, PATH as an activated environment has it: its `python` and `torchrun` are then the deck's."""
    folder, path = os.path.dirname(sys.executable), inherited.get("PATH", os.defpath)  # noqa: PTH120
    if order.script is None or order.script.program.kind != "command" or folder in path.split(os.pathsep):
        return {}
    return {"PATH": _path(folder, path)}


def variables_of_start(script: ScriptOrder, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what the environment of a module that is executed must say beyond that: where it is found.

    It works in a folder of its own, which `python -m` would search. hook/sitecustomize.py takes them away again.
    """
    if script.program.kind != "module":
        return {}
    hook, _, others = variables["PYTHONPATH"].partition(os.pathsep)
    folder = os.path.realpath(script.path0)
    # A folder with a colon in its name cannot stand in PYTHONPATH: then the hook puts it into sys.path.
    path = _path(hook, None if os.pathsep in folder else folder, others)
    return {"PYTHONSAFEPATH": "1", "TRAINDECK_MODULE_FOLDER": folder, "PYTHONPATH": path}


def _path(*parts: str | None) -> str:
    return os.pathsep.join(part for part in parts if part)


def _gpu_variables(gpus: list[int] | None) -> dict[str, str]:
    if gpus is None:
        return {}
    # By bus, as NVML counts: CUDA's own order puts the fastest card first.
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus))}


def _own_variables(order: Order) -> dict[str, str]:
    variables = {
        MARK: order.mark,
        "TRAINDECK_RUN_ID": str(order.run_id),
        "TRAINDECK_ATTEMPT": str(order.attempt),
    }
    if order.resume_from:
        variables["TRAINDECK_RESUME_FROM"] = order.resume_from
    return variables


def placeholder_mark() -> dict[str, str]:
    """Return what the environment of a forking process must hold, so that its children can be marked."""
    return {MARK: PLACEHOLDER}


def stamp_mark(mark: str) -> None:
    """Write `mark` over the placeholder in the memory that /proc/PID/environ shows.

    That file shows what a program was started with: without this, a process that was only forked would be nameless
    to the server, which must find it after its shim was killed. What it forks in turn inherits the mark.
    """
    if sys.platform != "linux":
        return
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[ENV_START_FIELD]), int(fields[ENV_START_FIELD + 1])
    if not start:
        return
    prefix = f"{MARK}=".encode()
    at = ctypes.string_at(start, end - start).find(prefix + PLACEHOLDER.encode())
    if at >= 0:
        ctypes.memmove(start + at + len(prefix), mark.encode()[:MARK_CHARACTERS], MARK_CHARACTERS)
