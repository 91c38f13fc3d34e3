"""A `tensorboard --logdir` process of its own, to compare with."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support.waiting import wait_for

START_SECONDS = 120.0

OPTIONS = ("--load_fast=false", "--reload_interval=0", "--reload_task=blocking")
"""TensorBoard's own reader, which reads all before it answers. Its data server draws other random numbers, keeps
100 histograms of 500, and leaves out points whose steps do not rise; and its answers have no certain order."""


@contextmanager
def fresh_tensorboard(logdir: Path, prefix: str, *options: str) -> Iterator[str]:
    """The address of a new TensorBoard over `logdir` below the path `prefix`, with all data read; ended at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), f"--port={port}", *options]
    command.append(f"--path_prefix={prefix}")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}{prefix}/"
            wait_for(lambda: _answers(url), "TensorBoard answers", START_SECONDS)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "data/environment", trust_env=False).is_success
    except httpx.TransportError:
        return False
