"""No board takes more than its share: of memory, of the process, of anybody's time."""

import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tensorboard.compat.proto.summary_pb2 import Summary

from boards.conftest import Deck, running_deck
from boards.event_logs import write_scalars
from boards.more_logs import point, value, write_events
from boards.test_life import process_of
from boards.waiting import is_alive, wait_until
from traindeck.boards.boardreader import BoardReader
from traindeck.boards.boardspec import BoardSpec, Opening
from traindeck.boards.memorylimit import MemoryLimit
from traindeck.boards.state import BoardPhase

MEGABYTE = 1_000_000
IMAGE_BYTES = MEGABYTE // 2
IMAGE_TAGS, KEPT_IMAGES = 40, 10
SPARE_MEGABYTES = 100
POINTS = 90_000
PATIENT_SECONDS = 20.0


def write_large(folder: Path) -> None:
    """As many images of each tag as a board keeps, each large."""
    image = Summary.Image(width=1, height=1, colorspace=3, encoded_image_string=bytes(IMAGE_BYTES))
    values = [Summary.Value(tag=f"image {number}", image=image) for number in range(IMAGE_TAGS)]
    write_events(folder, [point(step, one) for step in range(KEPT_IMAGES) for one in values])


def resident_megabytes(deck: Deck, web: httpx.Client, folder: Path) -> int:
    """What the process takes with one small board."""
    write_scalars(folder / "logs", [1.0])
    process: psutil.Process = process_of(deck, web, deck.show("small", folder))
    return int(process.memory_info().rss // MEGABYTE)


def state(web: httpx.Client, board: str) -> dict[str, Any]:
    """How far the board is."""
    found: dict[str, Any] = web.get(board.rstrip("/") + "-state").json()
    return found


def test_a_board_too_large_for_the_memory_shows_its_beginning_and_leaves_others_alone(
    deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    usual = resident_megabytes(deck, web, tmp_path / "small")
    write_large(tmp_path / "large" / "logs")
    with running_deck(tmp_path / "limited", memory_mb=usual + SPARE_MEGABYTES) as limited:
        small, large = limited.show("small", tmp_path / "small"), limited.show("large", tmp_path / "large")
        process = process_of(limited, web, small)

        def is_full() -> bool:
            assert web.get(small + "data/runs").json() == ["logs"]
            assert web.get(large + "data/runs").is_success
            return state(web, large)["state"] == "full"

        wait_until(is_full)
        assert 0 < state(web, large)["read_bytes"] < state(web, large)["disk_bytes"]
        tags = web.get(large + "data/plugin/images/tags").json()["logs"]
        first = {"run": "logs", "tag": next(iter(tags)), "sample": 0}
        assert web.get(large + "data/plugin/images/images", params=first).json()[0]["step"] == 0
        assert state(web, small)["state"] == "current"
        assert is_full()
        assert is_alive(process)
        assert "closed a board" not in limited.log_path.read_text()


def test_a_board_that_was_full_goes_on_once_there_is_room(tmp_path: Path) -> None:
    write_scalars(tmp_path / "logs", [float(number) for number in range(10)])
    crowding = 1.0
    reader = BoardReader(BoardSpec("run-1", {"": tmp_path}), lambda _: crowding)
    wait_until(lambda: reader.state().state is BoardPhase.FULL)
    assert reader.state().last_step in {None, 0}
    crowding = 0.0
    wait_until(lambda: reader.state().state is BoardPhase.CURRENT)
    assert reader.multiplexer.scalar_columns("logs", "loss")[0] == list(range(10))


@pytest.mark.filterwarnings("ignore:html5lib:DeprecationWarning")
def test_over_the_limit_the_largest_board_in_use_is_closed_first(tmp_path: Path) -> None:
    # TensorBoard's plugins: only the boards process has them otherwise.
    from traindeck.boards.openboards import OpenBoards

    write_scalars(tmp_path / "small" / "logs", [1.0])
    write_large(tmp_path / "large" / "logs")
    boards = OpenBoards(tmp_path / "trees", 50, 900.0, MemoryLimit(100_000 * MEGABYTE))
    openings = [Opening(BoardSpec(name, {"": tmp_path / name}), f"/{name}") for name in ("large", "small")]
    for opening in openings:
        boards.open(opening)
    large, small = (opening.key for opening in openings)
    wait_until(lambda: boards.get(large).reader.state().state is BoardPhase.CURRENT)
    assert boards.make_room()
    assert boards.get(large) is None
    assert boards.get(small) is not None
    assert boards.make_room()
    assert not boards.make_room()


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
