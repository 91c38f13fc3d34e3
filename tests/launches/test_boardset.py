"""Boards of several runs: their names, which stand in addresses, and the runs that they show."""

import pytest

from traindeck.errors import BoardNotFound, InvalidRequest
from traindeck.launches.boardset import MOST, BoardSets, board_name, board_set, name_of
from traindeck.launches.submission import Launchpad
from traindeck.runs import commands, transitions
from traindeck.runs.commands import RunSpec
from traindeck.runs.status import Status


@pytest.fixture
def runs(pad: Launchpad) -> list[int]:
    """Three runs; the first has ended."""
    with pad.database.write() as session:
        found = [
            commands.submit(session, pad.files, pad.code.blobs, RunSpec(trainer="mnist", name=name, tags=tags))
            for name, tags in (("one", ()), ("two", ("a",)), ("three", ("a",)))
        ]
        session.flush()
        transitions.move(session, found[0], Status.CANCELLED, None)
        return [run.id or 0 for run in found]


def test_a_board_of_numbers_shows_these_runs_in_their_order(pad: Launchpad, runs: list[int]) -> None:
    found = board_set(pad.database, pad.files, name_of(f"{runs[1]},{runs[0]},{runs[1]},999", None))
    assert list(found.board.folders) == [f"{runs[1]} two", f"{runs[0]} one"]
    assert (found.runs, found.count, found.live) == (2, "2 runs", True)
    assert len(set(found.board.colours.values())) == 2


def test_a_board_of_runs_that_have_ended_changes_no_more(pad: Launchpad, runs: list[int]) -> None:
    assert not board_set(pad.database, pad.files, f"runs-{runs[0]}").live


def test_a_board_of_a_filter_shows_what_matches_now(pad: Launchpad, runs: list[int]) -> None:
    name = name_of(None, "tag:a")
    found = board_set(pad.database, pad.files, name)
    assert list(found.board.folders) == [f"{runs[2]} three", f"{runs[1]} two"]
    assert (found.count, found.live) == ("2 runs", True)
    with pad.database.write() as session:
        commands.edit(session, runs[0], {"tags": ["a"]})
    assert board_set(pad.database, pad.files, name).runs == 3


def test_of_many_runs_a_board_shows_the_newest(pad: Launchpad) -> None:
    with pad.database.write() as session:
        for _ in range(MOST + 2):
            commands.submit(session, pad.files, pad.code.blobs, RunSpec(trainer="mnist"))
    assert board_set(pad.database, pad.files, name_of(None, "")).count == f"newest {MOST} of {MOST + 2} runs"


@pytest.mark.parametrize("name", ["runs", "other-1", "q-!", "q-YQ==", "q-_w", f"q-{'YWFh' * 400}"])
def test_a_name_that_no_board_has_is_not_found(pad: Launchpad, name: str) -> None:
    with pytest.raises((BoardNotFound, InvalidRequest)) as refused:
        board_set(pad.database, pad.files, name)
    assert isinstance(refused.value, BoardNotFound) == (name != "runs")


@pytest.mark.parametrize(("runs", "q"), [(None, None), ("1", "a"), ("", None), ("x", None), (None, "lr>")])
def test_what_names_no_board_is_refused(runs: str | None, q: str | None) -> None:
    with pytest.raises(InvalidRequest):
        name_of(runs, q)


def test_a_board_is_made_again_only_after_a_change(pad: Launchpad, runs: list[int]) -> None:
    kept, made = BoardSets(), []

    def make() -> object:
        made.append(board_set(pad.database, pad.files, f"runs-{runs[0]}"))
        return made[-1]

    first = kept.get("runs-1", 1, make)  # type: ignore[arg-type]
    assert kept.get("runs-1", 1, make) is first  # type: ignore[arg-type]
    assert kept.get("runs-1", 2, make) is made[1]  # type: ignore[arg-type]


def test_names_on_a_board_are_plain_and_fit_a_folder():
    assert board_name(42, "quiet-otter") == "42 quiet-otter"
    assert board_name(1, "a/b\\c") == "1 a_b_c"
    assert board_name(1, "\u202e\x00\n") == "1"
    assert len(board_name(2**62, "ü" * 500).encode()) < 255
