"""The projector reads what lies below the run, and nothing else (HOSTILE 16)."""

import os
from pathlib import Path

import httpx
import pytest

from boards.conftest import Deck
from boards.event_logs import POINTS, write_scalars

PLUGIN = "data/plugin/projector/"
FOLDER_OF_ASSETS = Path("plugins/org_tensorflow_tensorboard_projector")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    write_scalars(tmp_path / "work" / "logs", [1.0])
    (tmp_path / "secret.tsv").write_text("1\t2\n3\t4\n")
    (tmp_path / "work" / "mine.tsv").write_text("5\t6\n")
    (tmp_path / "work" / "logs" / "tensors.tsv").write_text("1\t2\n3\t4\n")
    return tmp_path / "work"


def configure(folder: Path, **paths: str) -> None:
    """Write a projector configuration of one embedding named "points"."""
    sprite = paths.pop("sprite", None)
    lines = [f'{name}: "{path}"' for name, path in paths.items()]
    lines += [f'sprite {{ image_path: "{sprite}" single_image_dim: 8 }}'] if sprite else []
    text = 'embeddings { tensor_name: "points" ' + " ".join(lines) + " }\n"
    (folder / "projector_config.pbtxt").write_text(text)


def answers(web: httpx.Client, board: str) -> dict[str, int]:
    """The status of everything that the projector serves of "points"."""
    query = {"run": "logs", "name": "points"}
    routes = ("tensor", "metadata", "bookmarks", "sprite_image")
    return {route: web.get(f"{board}{PLUGIN}{route}", params=query).status_code for route in routes}


def test_an_embedding_below_the_run_is_shown_with_its_sprites(
    shared_deck: Deck, web: httpx.Client, every_kind: Path
) -> None:
    for name, prefix in {"one": "", "several": "attempt-1"}.items():
        board = shared_deck.show(f"embedding-{name}", {prefix: every_kind})
        run = f"{prefix}/logs".removeprefix("/")
        assert web.get(board + PLUGIN + "runs").json() == [run]
        (embedding,) = web.get(board + PLUGIN + "info", params={"run": run}).json()["embeddings"]
        query = {"run": run, "name": embedding["tensorName"]}
        assert len(web.get(board + PLUGIN + "tensor", params=query).content) == POINTS * 5 * 4
        assert web.get(board + PLUGIN + "metadata", params=query).text.splitlines()[1] == "point 1"
        assert web.get(board + PLUGIN + "sprite_image", params=query).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("way", ["../../secret.tsv", "/etc/hosts", "~/.bashrc", "link.tsv", ".hidden.tsv",
                                 ".folder/points.tsv", "to_hidden.tsv", ".link.tsv", "../logs/.hidden.tsv"])  # fmt: skip
def test_a_path_out_of_the_run_is_refused(
    shared_deck: Deck, web: httpx.Client, work: Path, tmp_path: Path, way: str
) -> None:
    (work / "logs" / "link.tsv").symlink_to(tmp_path / "secret.tsv")
    (work / "logs" / ".hidden.tsv").write_text("1\t2\n3\t4\n")
    (work / "logs" / ".folder").mkdir()
    (work / "logs" / ".folder" / "points.tsv").write_text("1\t2\n3\t4\n")
    (work / "logs" / "to_hidden.tsv").symlink_to(work / "logs" / ".hidden.tsv")
    (work / "logs" / ".link.tsv").symlink_to(work / "mine.tsv")
    configure(work / "logs", tensor_path=way, metadata_path=way, bookmarks_path=way, sprite=way)
    board = shared_deck.show(f"outside-{tmp_path.name}", work)
    assert answers(web, board) == dict.fromkeys(("tensor", "metadata", "bookmarks", "sprite_image"), 400)


def test_a_configuration_folder_that_is_a_link_out_of_the_run_is_not_read(
    shared_deck: Deck, web: httpx.Client, work: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "tensors.tsv").write_text("1\t2\n3\t4\n")
    configure(outside, tensor_path="tensors.tsv")
    (work / "logs" / FOLDER_OF_ASSETS).parent.mkdir()
    (work / "logs" / FOLDER_OF_ASSETS).symlink_to(outside)
    board = shared_deck.show("linked-config", work)
    assert web.get(board + PLUGIN + "runs").json() == []
    assert answers(web, board)["tensor"] == 400


def test_a_pipe_is_not_waited_for(shared_deck: Deck, web: httpx.Client, work: Path) -> None:
    os.mkfifo(work / "logs" / "pipe")
    configure(work / "logs", tensor_path="tensors.tsv", metadata_path="pipe", sprite="pipe")
    board = shared_deck.show("pipe", work)
    expected = {"tensor": 200, "metadata": 400, "bookmarks": 400, "sprite_image": 400}
    assert answers(web, board) == expected


def test_a_file_that_became_a_pipe_is_not_waited_for(shared_deck: Deck, web: httpx.Client, work: Path) -> None:
    labels = work / "logs" / "labels.tsv"
    labels.write_text("one\ntwo\n")
    configure(work / "logs", tensor_path="tensors.tsv", metadata_path="labels.tsv")
    board = shared_deck.show("became-a-pipe", work)
    assert answers(web, board)["metadata"] == 200
    labels.unlink()
    os.mkfifo(labels)
    assert answers(web, board) == {"tensor": 200, "metadata": 400, "bookmarks": 400, "sprite_image": 400}
