"""Folders, files and tags whose names are no UTF-8: the board opens, and shows them escaped."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from boards.conftest import Deck
from boards.waiting import wait_until
from events.eventfiles import NAME, frame, scalar, version, write


def odd_scalar(tag: bytes, step: int, value: float) -> bytes:
    """A record whose tag is these bytes."""
    stand_in = b"x" * len(tag)
    return frame(scalar(stand_in.decode(), step, value)[12:-4].replace(stand_in, tag))


def ask(web: httpx.Client, address: str, **params: str) -> Any:
    answer = web.get(address, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_until_current(web: httpx.Client, address: str) -> None:
    wait_until(lambda: ask(web, f"{address.rstrip('/')}-state")["state"] == "current")


def test_folders_and_files_of_any_name_are_shown(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"r\xff")
    write(root / os.fsdecode(b"b\xfe\xff") / NAME, version(), *(scalar("loss", step, step) for step in range(30)))
    write(root / "good" / os.fsdecode(b"\xff" + NAME.encode()), version(), scalar("loss", 1, 1))
    url = shared_deck.show("odd-names", root)
    assert ask(web, f"{url}data/runs") == ["b\\xfe\\xff", "good"]
    wait_until_current(web, url)
    assert set(ask(web, f"{url}data/plugin/scalars/tags")) == {"b\\xfe\\xff", "good"}
    points = ask(web, f"{url}data/plugin/scalars/scalars", run="b\\xfe\\xff", tag="loss")
    assert [step for _, step, _ in points] == list(range(30))
    assert ask(web, f"{url}data/environment")["data_location"].endswith("/r\\xff")


@pytest.mark.parametrize("count", [1, 40])
def test_tags_of_any_bytes_are_shown(shared_deck: Deck, web: httpx.Client, tmp_path: Path, count: int) -> None:
    odd = [odd_scalar(b"l\xffss", step, step) for step in range(count)]
    write(tmp_path / "log" / NAME, version(), scalar("loss", 0, 5), *odd, scalar("loss", 1, 6))
    url = shared_deck.show(f"odd-tags-{count}", tmp_path / "log")
    ask(web, f"{url}data/runs")
    wait_until_current(web, url)
    assert set(ask(web, f"{url}data/plugin/scalars/tags")["."]) == {"loss", "l\\xffss"}
    points = ask(web, f"{url}data/plugin/scalars/scalars", run=".", tag="l\\xffss")
    assert [(step, value) for _, step, value in points] == [(step, step) for step in range(count)]
    assert len(ask(web, f"{url}data/plugin/scalars/scalars", run=".", tag="loss")) == 2
