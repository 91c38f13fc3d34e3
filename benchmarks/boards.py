"""What it costs to open a run's TensorBoard: through the deck, and as a fresh `tensorboard` process.

python -m benchmarks.boards
"""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from tensorboard.summary.writer.record_writer import RecordWriter

from benchmarks.samples import p50, p95
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.client import Boards

BOARDS = 50
PROCESSES = 5
TAGS = 10
MILLION = 1_000_000
REST_SECONDS = 5.0
DEADLINE_SECONDS = 60.0
FIRST_DATA = "data/plugin/scalars/scalars?run=logs&tag=tag-0"
MODULE = "traindeck.boards.process"
MEGABYTE = 1e6


def measure(points: int = 10_000, boards: int = BOARDS) -> dict[str, float]:
    """Open boards over runs of `TAGS` tags with `points` points each.

    Returns:
        `open_p50_seconds`, `open_p95_seconds` and `open_worst_seconds` from the request of the page to its first
        data; `board_megabytes` of memory that each open board adds; `megabytes_with_…` of the process with 1, 10
        and all boards; `rest_percent` of a core that they take when nobody looks; `fresh_data_seconds` until a
        point that was just written is shown; `million_seconds` until a run with a million points is, and
        `meanwhile_worst_seconds`, the slowest answer of another board before that; `fresh_seconds` and
        `fresh_megabytes` of a new `tensorboard` process for the same run, p50.
    """
    with tempfile.TemporaryDirectory() as folder:
        first = write_run(Path(folder, "0"), points)
        runs = [first, *(copy_run(first, Path(folder, str(index))) for index in range(1, boards + 1))]
        return _through_deck(runs, Path(folder)) | _fresh(runs[1 : PROCESSES + 1])


def write_run(folder: Path, points: int) -> Path:
    """Write `points` points of each of `TAGS` tags below `folder`, and return it."""
    path = folder / "logs" / "events.out.tfevents.1700000000.host.1.0"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())
        for step in range(points):
            for tag in range(TAGS):
                writer.write(_record(tag, step))
    return folder


def _record(tag: int, step: int) -> bytes:
    value = Summary.Value(tag=f"tag-{tag}", simple_value=1 / (step + tag + 1))
    record: bytes = Event(step=step, wall_time=step, summary=Summary(value=[value])).SerializeToString()
    return record


def copy_run(run: Path, folder: Path) -> Path:
    """The same run in another folder."""
    shutil.copytree(run, folder)
    return folder


def _through_deck(runs: list[Path], folder: Path) -> dict[str, float]:
    million = write_run(folder / "million", MILLION // TAGS)
    with served([*runs, million], folder) as url, httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as web:
        boards = [f"{url}/{index}/" for index in range(1, len(runs))]
        _open(web, f"{url}/0/")
        base = _own_megabytes(MODULE)
        seconds, megabytes = [], []
        for board in boards:
            seconds.append(_open(web, board))
            megabytes.append(_own_megabytes(MODULE))
        return {
            "open_p50_seconds": p50(seconds),
            "open_p95_seconds": p95(seconds),
            "open_worst_seconds": max(seconds),
            "board_megabytes": (megabytes[-1] - base) / len(boards),
            "base_megabytes": base - (megabytes[-1] - base) / len(boards),
            "megabytes_with_1": base,
            "megabytes_with_10": megabytes[8],
            "megabytes_with_all": megabytes[-1],
            "rest_percent": _percent_at_rest(),
            "fresh_data_seconds": _until_shown(web, boards[0], runs[1]),
            **_beside_a_million(web, boards[0], f"{url}/{len(runs)}/"),
        }


def _percent_at_rest() -> float:
    (process,) = own(MODULE)
    before = process.cpu_times()
    time.sleep(REST_SECONDS)
    after = process.cpu_times()
    return float(100 * (after.user + after.system - before.user - before.system) / REST_SECONDS)


def _until_shown(web: httpx.Client, board: str, run: Path) -> float:
    """Seconds from writing a point to an answer with it; it is asked for again and again."""
    (path,) = (run / "logs").iterdir()
    step = MILLION
    with path.open("ab") as file:
        RecordWriter(file).write(_record(0, step))
    began = time.perf_counter()
    while web.get(board + FIRST_DATA).raise_for_status().json()[-1][1] != step:
        pass
    return time.perf_counter() - began


def _beside_a_million(web: httpx.Client, small: str, large: str) -> dict[str, float]:
    began = time.perf_counter()
    waits = []
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_wait_for_data, large + FIRST_DATA, began + DEADLINE_SECONDS, MILLION // TAGS - 1)
        while not reading.done():
            asked = time.perf_counter()
            web.get(small + FIRST_DATA).raise_for_status()
            waits.append(time.perf_counter() - asked)
        reading.result()
    return {"million_seconds": time.perf_counter() - began, "meanwhile_worst_seconds": max(waits)}


@contextmanager
def served(runs: list[Path], folder: Path, limit: int | None = None) -> Iterator[str]:
    """The address below which each run's board is, by index; `limit` of them are open at most, all by default."""
    boards = Boards(folder / "boards.log", limit=limit or len(runs))

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


def _wait_for_data(url: str, end: float, step: int = 1) -> None:
    """Until the last point that is shown has at least that step."""
    with httpx.Client(timeout=DEADLINE_SECONDS, trust_env=False) as web:
        while time.perf_counter() < end:
            try:
                answer = web.get(url)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success and answer.json()[-1][1] >= step:
                return
            time.sleep(0.005)
    raise TimeoutError(f"no data from {url}")


def own(module: str) -> list[psutil.Process]:
    """Our children that run `module`."""
    return [child for child in psutil.Process().children() if module in child.cmdline()]


def _own_megabytes(module: str) -> float:
    """Proportional memory of our children that run `module`, and of their children."""
    family: list[Any] = [process for child in own(module) for process in (child, *child.children(recursive=True))]
    return float(sum(process.memory_full_info().pss for process in family)) / MEGABYTE


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
