"""No board takes more than its share: of memory, of the process, of anybody's time."""

import time
from pathlib import Path

import httpx
import psutil
from tensorboard.compat.proto.summary_pb2 import Summary

from boards.conftest import Deck, running_deck
from boards.event_logs import write_scalars
from boards.more_logs import point, value, write_events
from boards.test_life import process_of
from boards.waiting import is_alive, wait_until

MEGABYTE = 1_000_000
IMAGE_BYTES = 8 * MEGABYTE
KEPT_IMAGES = 10
POINTS = 90_000
PATIENT_SECONDS = 20.0


def write_large(folder: Path) -> None:
    """As many images as a board keeps, each large."""
    images = []
    for step in range(KEPT_IMAGES):
        image = Summary.Image(width=1, height=1, colorspace=3, encoded_image_string=bytes(IMAGE_BYTES))
        images.append(point(step, Summary.Value(tag="image", image=image)))
    write_events(folder, images)


def resident_megabytes(deck: Deck, web: httpx.Client, folder: Path) -> int:
    """What the process takes with one small board."""
    write_scalars(folder / "logs", [1.0])
    process: psutil.Process = process_of(deck, web, deck.show("small", folder))
    return int(process.memory_info().rss // MEGABYTE)


def test_a_board_that_takes_too_much_ends_the_process_and_others_open_again(
    deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    usual = resident_megabytes(deck, web, tmp_path / "small")
    write_large(tmp_path / "large" / "logs")
    with running_deck(tmp_path / "limited", memory_mb=usual + 40) as limited:
        small = limited.show("small", tmp_path / "small")
        process = process_of(limited, web, small)
        web.get(limited.show("large", tmp_path / "large") + "data/runs")
        wait_until(lambda: not is_alive(process))
        assert "MB of memory" in limited.log_path.read_text()
        wait_until(lambda: web.get(small + "data/runs").json() == ["logs"])


def test_a_large_log_lets_other_boards_answer(deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "small" / "logs", [1.0])
    small = deck.show("small", tmp_path / "small")
    web.get(small + "data/runs")
    events = [point(step, value(f"tag-{tag}", step)) for step in range(POINTS // 3) for tag in range(3)]
    write_events(tmp_path / "large" / "logs", events)
    large = deck.show("large", tmp_path / "large")
    asked = {"run": "logs", "tag": "tag-2"}
    slowest = 0.0

    def is_read() -> bool:
        nonlocal slowest
        began = time.perf_counter()
        assert web.get(small + "data/runs").json() == ["logs"]
        slowest = max(slowest, time.perf_counter() - began)
        answer = web.get(large + "data/plugin/scalars/scalars", params=asked)
        return answer.is_success and answer.json()[-1][1] == POINTS // 3 - 1

    wait_until(is_read)
    assert slowest < PATIENT_SECONDS


def test_a_process_that_hangs_is_replaced_well_before_an_answer_times_out(
    deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    write_scalars(tmp_path / "work" / "logs", [1.0])
    board = deck.show("1", tmp_path / "work")
    process = process_of(deck, web, board)
    process.suspend()
    began = time.perf_counter()
    assert web.get(board + "data/runs").json() == ["logs"]
    assert time.perf_counter() - began < PATIENT_SECONDS
    assert not is_alive(process)
