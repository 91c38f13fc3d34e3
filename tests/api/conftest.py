"""One cold deck for the tests of the API, runs to look at, and requests that no client library would send."""

import base64
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.served import ServedDeck

PROBLEM = "application/problem+json"

WRITES = """
import os, pathlib, sys
pathlib.Path("checkpoints").mkdir()
pathlib.Path("checkpoints/last.pt").write_bytes(b"weights")
pathlib.Path("deep/er").mkdir(parents=True)
pathlib.Path("deep/er/file.txt").write_text("0123456789")
for name in ('quo"te.html', "li\\nne.svg", "ünïcode.txt", "with space & more.txt", "a" * 250):
    pathlib.Path(name).write_text("x")
pathlib.Path(".hidden").write_text("x")
os.symlink("/etc/passwd", "link")
os.symlink("/etc", "etc")
os.mkfifo("pipe")
os.utime("deep/er/file.txt", (1e12, 1e12))
sys.stdout.buffer.write(bytes(range(256)) * 40)
"""


@pytest.fixture(scope="session")
def cold_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeck]:
    """A deck for all tests of the API: cold, because none of their runs needs torch."""
    deck = ServedDeck(tmp_path_factory.mktemp("api") / "home", cpus=2, grace_seconds=2, cold=True)
    deck.start()
    yield deck
    deck.end()


@pytest.fixture
def client(cold_deck: ServedDeck) -> httpx.Client:
    return cold_deck.client


@pytest.fixture(scope="session")
def written(cold_deck: ServedDeck) -> int:
    """A run that has ended and left files of every kind, and a log of bytes that are no text."""
    run = cold_deck.launch(WRITES, name="written")
    assert cold_deck.wait_until_ended(run["id"])["status"] == "completed", cold_deck.log_of(run["id"])
    return run["id"]


@pytest.fixture
def queued(cold_deck: ServedDeck) -> Iterator[Callable[..., dict[str, Any]]]:
    """Queues runs that stay queued: a run that asks for all CPUs waits before them."""
    gate = cold_deck.launch("import signal\nsignal.pause()", resources={"cpus": 2}, priority=1000, name="gate")
    cold_deck.wait_for_status(gate["id"], "running")
    made = []

    def queue(**body: Any) -> dict[str, Any]:
        made.append(cold_deck.launch("pass", **body))
        return made[-1]

    yield queue
    for run in made:
        if cold_deck.run(run["id"]).get("status") == "queued":
            cold_deck.client.post(f"/runs/{run['id']}/cancel")
    cold_deck.client.post(f"/runs/{gate['id']}/cancel")
    cold_deck.wait_until_ended(gate["id"])


def problem_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """The content of a refusal, which has the form that every refusal has."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    content = response.json()
    assert set(content) == {"title", "status", "detail", "errors", "reference"}
    assert content["status"] == status
    assert content["detail"]
    return content


def exchange(deck: ServedDeck, request: bytes, seconds: float = 10.0) -> bytes:
    """What comes back for raw bytes, until the server closes or an answer of known length is whole."""
    url = httpx.URL(deck.url)
    with socket.create_connection((url.host, url.port), timeout=seconds) as connection:
        connection.sendall(request)
        answer = b""
        while not _is_whole(answer) and (part := connection.recv(65_536)):
            answer += part
    return answer


def status_of(answer: bytes) -> int:
    """The status code of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def _is_whole(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return bool(blank) and len(body) >= int(value)
    return False


def script_that_writes(files: dict[str, bytes]) -> str:
    """The source of a script that writes files into its working folder."""
    lines = ["import base64, pathlib"]
    for name, content in files.items():
        lines.append(f"path = pathlib.Path({name!r}); path.parent.mkdir(parents=True, exist_ok=True)")
        lines.append(f"path.write_bytes(base64.b64decode({base64.b64encode(content).decode()!r}))")
    return "\n".join(lines)


def home_of(deck: ServedDeck, run_id: int) -> Path:
    """The folder of a run."""
    return deck.home / "runs" / str(run_id)
