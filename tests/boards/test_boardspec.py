"""What may be a board, and how it is named between the processes."""

from pathlib import Path

import pytest

from traindeck.boards.boardspec import BoardSpec, Opening


@pytest.mark.parametrize("prefix", ["../other", "/etc", "a/../../b", ".", "a//b", "a/", "nul\0"])
def test_a_prefix_that_leads_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        BoardSpec("run-1", {prefix: Path("/runs/1")})


def test_a_relative_folder_is_refused() -> None:
    with pytest.raises(ValueError, match="absolute"):
        BoardSpec("run-1", {"": Path("runs/1")})


@pytest.mark.parametrize("prefix", ["", "otter"])
def test_a_prefix_cannot_lie_below_another(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        BoardSpec("run-1", {prefix: Path("/a"), "otter/attempt-2": Path("/b")})


def test_an_opening_survives_the_way_to_the_other_process() -> None:
    board = BoardSpec("sweep", {"quiet-otter/attempt-1": Path("/runs/1"), "ünï": Path("/runs/2")})
    opening = Opening(board, "/boards")
    assert Opening.decode(opening.encode()) == opening


def test_a_board_with_another_folder_or_address_has_another_key() -> None:
    first = Opening(BoardSpec("run-1", {"": Path("/a")}), "/runs/1/tensorboard")
    other_folder = Opening(BoardSpec("run-1", {"": Path("/b")}), "/runs/1/tensorboard")
    other_address = Opening(first.board, "/deck/runs/1/tensorboard")
    assert len({first.key, other_folder.key, other_address.key}) == 3
