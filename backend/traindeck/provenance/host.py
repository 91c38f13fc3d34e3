"""Describe the machine that a run ran on."""

import os
import platform
import socket
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from traindeck.executors.local.machine import driver_version, find_gpus

CPU_INFO = Path("/proc/cpuinfo")
OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))


def describe_host(held_gpus: Sequence[int] | None) -> dict[str, Any]:
    """Return host, system, processor, memory in bytes, and GPUs; the run has those with an index in `held_gpus`."""
    memory = psutil.virtual_memory().total
    gpus = [
        {
            "index": gpu.index,
            "name": gpu.name,
            "memory_bytes": gpu.memory_bytes,
            "held": held_gpus is not None and gpu.index in held_gpus,
        }
        for gpu in find_gpus()
    ]
    return {
        "name": socket.gethostname(),
        "os": system_name(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": processor_name(),
        "cpu_cores": psutil.cpu_count(logical=False),
        "cpu_threads": os.cpu_count(),
        "memory_bytes": memory,
        "gpus": gpus,
        "gpu_driver": driver_version() if gpus else None,
    }


@cache
def system_name() -> str:
    """Return a name such as "Debian GNU/Linux 12 (bookworm)", or else the kernel's name."""
    for path in OS_RELEASE:
        name = _value_of(path, "PRETTY_NAME", "=")
        if name:
            return name.strip('"')
    return f"{platform.system()} {platform.release()}"


@cache
def processor_name() -> str:
    """Return the model name of the processor."""
    return _value_of(CPU_INFO, "model name", ":") or platform.processor() or platform.machine()


def _value_of(path: Path, key: str, separator: str) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip()
    return ""
