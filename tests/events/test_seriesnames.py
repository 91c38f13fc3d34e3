"""What series are called, and which log folder is the main one."""

import pytest

from traindeck.events.seriesnames import natural, opening_order, readable, series_name


@pytest.mark.parametrize(
    ("main", "folder", "tag", "name"),
    [
        ("logs", "logs", "Loss/train", "Loss/train"),
        ("", "", "loss", "loss"),
        ("logs", "logs/Loss_train_best", "Loss/train", "Loss/train/best"),
        ("", "Loss_train_best", "Loss/train", "Loss/train/best"),
        ("logs", "logs/Loss_a/b", "Loss", "Loss/a/b"),
        ("logs", "logs/Loss", "Loss", "Loss/Loss"),
        ("logs", "logs/eval", "Loss/train", "eval/Loss/train"),
        ("logs", "logs2/eval", "loss", "logs2/eval/loss"),
        ("logs/train", "logs/valid", "loss", "valid/loss"),
        ("logs/train", "logs", "loss", "logs/loss"),
        ("logs/train", "", "loss", "./loss"),
        ("", "a/b", "loss", "a/b/loss"),
    ],
)
def test_a_name_is_the_tag_and_the_way_from_the_main_folder(main: str, folder: str, tag: str, name: str) -> None:
    assert series_name(main, folder, tag) == name


def test_files_opened_earlier_come_first_whatever_their_folders() -> None:
    paths = [
        "z/events.out.tfevents.1700000000.host.7.9",
        "a/events.out.tfevents.1700000000.host.7.10",
        "a/events.out.tfevents.1700000001.host.7.0",
        "top.tfevents",
        "a/x.tfevents",
        "b/x.tfevents",
        "a/a/x.tfevents",
    ]
    assert sorted(sorted(paths), key=opening_order) == paths


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    assert sorted(["v10", "v9", "v", "10", "9"], key=natural) == ["9", "10", "v", "v9", "v10"]


def test_file_names_that_are_no_unicode_become_text_that_can_be_sent() -> None:
    assert readable("bad\udcff/é") == "bad\\xff/é"
