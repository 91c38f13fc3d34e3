"""A board of several runs: who is on it may change while it is open, and attempts that go on are one line."""

import re
import zipfile
from pathlib import Path

import httpx
import pytest
import tensorboard

from boards.conftest import Deck
from boards.event_logs import write_scalars
from boards.test_data import shown
from traindeck.boards.boardspec import BoardSpec
from traindeck.boards.bundle import with_downloads_below
from traindeck.boards.chain import joined
from traindeck.boards.palette import COLOURS, colours_of, with_colours_from_page

TOKENS = Path(__file__).parents[2] / "frontend" / "static" / "css" / "tokens.css"


def show(deck: Deck, name: str, folders: dict[str, Path], **options: object) -> str:
    deck.specs[name] = BoardSpec(f"run-{name}", folders, colours=dict.fromkeys(folders, 1), **options)
    return f"{deck.url}/runs/{name}/tensorboard/"


def go_on(folder: Path, first: int, values: list[float], tag: str = "loss") -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step, value in enumerate(values, start=first):
            writer.add_scalar(tag, value, step)


def test_runs_join_and_leave_an_open_board(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    folders = {f"{number} otter": tmp_path / str(number) for number in (10, 9, 8)}
    for number in (8, 9, 10):
        write_scalars(tmp_path / str(number), [float(number)])
    board = show(shared_deck, "changing", dict(list(folders.items())[1:]))
    assert web.get(board + "data/runs").json() == ["9 otter", "8 otter"]
    show(shared_deck, "changing", folders)
    assert web.get(board + "data/runs").json() == ["10 otter", "9 otter", "8 otter"]
    show(shared_deck, "changing", {"10 otter": tmp_path / "10"})
    assert web.get(board + "data/runs").json() == ["10 otter"]
    assert web.get(board + "data/plugin/scalars/scalars", params={"run": "9 otter", "tag": "loss"}).status_code != 200


def test_a_renamed_run_keeps_what_was_read_of_it(shared_deck: Deck, web: httpx.Client, tmp_path: Path) -> None:
    write_scalars(tmp_path / "logs" / "train", [1.0, 2.0])
    board = show(shared_deck, "renamed", {"4 old": tmp_path / "logs"})
    before = shown(web, board, "4 old/train")
    show(shared_deck, "renamed", {"4 new": tmp_path / "logs"})
    assert web.get(board + "data/runs").json() == ["4 new/train"]
    assert shown(web, board, "4 new/train") == before


def test_an_attempt_that_goes_on_takes_the_place_of_later_steps(
    shared_deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    go_on(first / "runs" / "Nov23_10-00-00_host", 0, [float(step) for step in range(10)])
    go_on(first / "runs" / "Nov23_10-00-00_host", 0, [0.5, 0.6], tag="only at first")
    go_on(second / "runs" / "Nov23_11-30-00_host", 6, [106.0, 107.0])
    board = show(shared_deck, "goes-on", {"": second}, earlier={"": (first,)})
    assert web.get(board + "data/runs").json() == ["runs/Nov23_10-00-00_host"]
    points = [(step, value) for _, step, value in shown(web, board, "runs/Nov23_10-00-00_host")]
    assert points == [*((step, float(step)) for step in range(6)), (6, 106.0), (7, 107.0)]
    assert len(shown(web, board, "runs/Nov23_10-00-00_host", "only at first")) == 2


def test_an_attempt_joins_the_open_board_of_the_one_that_it_goes_on_from(
    shared_deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    go_on(first / "logs", 0, [0.0, 1.0, 2.0])
    board = show(shared_deck, "joins", {"": first})
    assert len(shown(web, board, "logs")) == 3
    go_on(second / "logs", 2, [102.0, 103.0])
    show(shared_deck, "joins", {"": second}, earlier={"": (first,)})
    assert [value for *_, value in shown(web, board, "logs")] == [0.0, 1.0, 102.0, 103.0]


@pytest.mark.parametrize(
    ("attempts", "names"),
    [
        ([["a", "b"], ["a", "b"]], {"a": 2, "b": 2}),
        ([["v_0"], ["v_1"], ["v_2"]], {"v_0": 3}),
        ([["train"], ["test"]], {"train": 1, "test": 1}),
        ([["f1", "f2"], ["f1", "f3"]], {"f1": 2, "f2": 2}),
        ([["f1", "f2"], ["f3", "f4"]], {"f1": 1, "f2": 1, "f3": 1, "f4": 1}),
    ],
)
def test_log_folders_are_joined_by_name_or_where_only_a_number_differs(
    attempts: list[list[str]], names: dict[str, int]
) -> None:
    found = joined({name: (Path(f"/{number}/{name}"), ()) for name in some} for number, some in enumerate(attempts))
    assert {name: len(chain) for name, chain in found.items()} == names


def test_the_colours_are_those_of_the_decks_own_pages() -> None:
    css = TOKENS.read_text()
    named = re.findall(r"--run-(\d): (#[0-9a-f]{6})", css)
    light, dark = [[value for _, value in named[at : at + 8]] for at in (0, 8)]
    assert tuple(zip(light, dark, strict=True)) == COLOURS


def test_the_first_folder_of_a_run_has_its_colour_and_no_other_run_has() -> None:
    wanted = {"4 a": 5, "7 b": 8}
    assert colours_of(["4 a", "7 b"], wanted) == [5, 8]
    found = colours_of(["4 a/test", "4 a/train", "7 b"], wanted)
    assert (found[0], found[2]) == (5, 8)
    assert found[1] not in (5, 8)


def test_tensorboards_script_takes_its_colours_from_the_page(
    shared_deck: Deck, web: httpx.Client, tmp_path: Path
) -> None:
    with zipfile.ZipFile(Path(tensorboard.__file__).parent / "webfiles.zip") as archive:
        script = archive.read("index.js")
    assert with_colours_from_page(script) != script
    write_scalars(tmp_path, [1.0])
    pages = [show(shared_deck, "coloured", {"3 otter": tmp_path}), shared_deck.show("plain", tmp_path)]
    sources = {re.search(r'<script src="([^"]+)"', web.get(page).text).group(1) for page in pages}
    assert len(sources) == 1
    assert web.get(shared_deck.url + sources.pop()).content == with_downloads_below(with_colours_from_page(script))
    assert web.get(pages[1] + "index.js").content == script
    assert with_colours_from_page(b"no palette") == with_downloads_below(b"no palette") == b"no palette"
