"""What a user does without Traindeck: start programs with Python, one after another or several at once."""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.served import PROGRAMS

TIMEOUT_SECONDS = 300.0


def run_cold(program: str, *args: str) -> str:
    """Run one of the programs with Python, in an empty folder; what it printed."""
    with tempfile.TemporaryDirectory(prefix="traindeck-bench-") as folder:
        command = [sys.executable, str(PROGRAMS / program), *args]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS)
        return done.stdout


def finished_per_second(program: str, runs: int, at_once: int) -> float:
    """Run a program `runs` times, `at_once` at a time."""
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run_cold, [program] * runs))
    return runs / (time.perf_counter() - began)
