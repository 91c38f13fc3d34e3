"""Files are there whole or not at all."""

from pathlib import Path

import pytest

from traindeck.system.wholefiles import write_json, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_whole(tmp_path / "spec.json", content)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"spec.json": b"second"}


def test_what_cannot_be_put_in_place_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "spec.json").mkdir()
    with pytest.raises(OSError, match=r"spec\.json"):
        write_whole(tmp_path / "spec.json", b"content", sync=False)
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


def test_a_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_json(tmp_path / "gone" / "spec.json", {})
    assert not list(tmp_path.iterdir())
