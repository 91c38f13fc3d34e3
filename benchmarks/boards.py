"""What it costs to open a run's TensorBoard: through the deck, and as a fresh `tensorboard` process.

python -m benchmarks.boards
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from traindeck.boards.client import Boards
from traindeck.boards.spec import BoardSpec

BOARDS = 20
PROCESSES = 5
TAGS = 10
DEADLINE_SECONDS = 60.0
FIRST_DATA = "data/plugin/scalars/scalars?run=logs&tag=tag-0"
MEGABYTE = 1e6


def measure(points: int = 1_000) -> dict[str, float]:
    """Open boards over runs of `TAGS` tags with `points` points each.

    Returns:
        `open_p50_seconds` and `open_worst_seconds` from the request of the page to its first data;
        `board_megabytes` of memory that each open board adds; `base_megabytes` without any;
        `fresh_seconds` and `fresh_megabytes` of a new `tensorboard` process for the same run, p50.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs = [_write_run(Path(folder, str(index)), points) for index in range(BOARDS)]
        return _through_deck(runs, Path(folder)) | _fresh(runs[:PROCESSES])


def _write_run(folder: Path, points: int) -> Path:
    writer = EventFileWriter(str(folder / "logs"))
    for step in range(points):
        for tag in range(TAGS):
            value = Summary.Value(tag=f"tag-{tag}", simple_value=1 / (step + tag + 1))
            writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[value])))
    writer.close()
    return folder


def _through_deck(runs: list[Path], folder: Path) -> dict[str, float]:
    with _deck(runs, folder) as url, httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as web:
        _open(web, f"{url}/0/")
        base = _own_megabytes("traindeck.boards.process")
        seconds = [_open(web, f"{url}/{index}/") for index in range(1, len(runs))]
        each = (_own_megabytes("traindeck.boards.process") - base) / len(seconds)
    return {
        "open_p50_seconds": statistics.median(seconds),
        "open_worst_seconds": max(seconds),
        "board_megabytes": each,
        "base_megabytes": base - each,
    }


@contextmanager
def _deck(runs: list[Path], folder: Path) -> Iterator[str]:
    boards = Boards(folder / "boards.log")

    async def board(request: Request) -> Response:
        index = int(request.path_params["index"])
        return await boards.proxy(request, BoardSpec(f"run-{index}", {"": runs[index]}), request.path_params["path"])

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await boards.stop()

    app = Starlette(routes=[Route("/{index}/{path:path}", board)], lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def _open(web: httpx.Client, board: str) -> float:
    """Seconds from asking for the page to having the points of its first chart."""
    began = time.perf_counter()
    for path in ("", "data/runs", FIRST_DATA):
        answer = web.get(board + path).raise_for_status()
    assert len(answer.json()) > 1
    return time.perf_counter() - began


def _fresh(runs: list[Path]) -> dict[str, float]:
    measured = [_fresh_process(run) for run in runs]
    seconds, megabytes = zip(*measured, strict=True)
    return {"fresh_seconds": statistics.median(seconds), "fresh_megabytes": statistics.median(megabytes)}


def _fresh_process(run: Path) -> tuple[float, float]:
    """Seconds from the start of `tensorboard` to its first data, and its megabytes then."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(run), "--port", str(port)]
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for_data(f"http://127.0.0.1:{port}/{FIRST_DATA}", began + DEADLINE_SECONDS)
            return time.perf_counter() - began, _own_megabytes("tensorboard.main")
        finally:
            process.terminate()


def _wait_for_data(url: str, end: float) -> None:
    with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as web:
        while time.perf_counter() < end:
            try:
                answer = web.get(url)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success and len(answer.json()) > 1:
                return
            time.sleep(0.005)
    raise TimeoutError(f"no data from {url}")


def _own_megabytes(module: str) -> float:
    """Proportional memory of our children that run `module`, and of their children."""
    found = [child for child in psutil.Process().children() if module in child.cmdline()]
    family: list[Any] = [process for child in found for process in (child, *child.children(recursive=True))]
    return sum(process.memory_full_info().pss for process in family) / MEGABYTE


if __name__ == "__main__":
    print(json.dumps({points: measure(points) for points in (1_000, 10_000)}, indent=2))
