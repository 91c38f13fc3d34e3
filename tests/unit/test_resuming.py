"""How a program is told of the checkpoint to go on from."""

import pytest

from traindeck.runs.resuming import resumed

NEW = "/runs/1/attempt-1/work/last.pt"


@pytest.mark.parametrize(
    ("args", "option", "expected"),
    [
        ([], "--resume", ["--resume", NEW]),
        (["--lr", "1"], "--resume", ["--lr", "1", "--resume", NEW]),
        (["--resume", "old.pt", "--lr", "1"], "--resume", ["--resume", NEW, "--lr", "1"]),
        (["--resume=old.pt", "--lr", "1"], "--resume", [f"--resume={NEW}", "--lr", "1"]),
        (["--resume", "--lr", "1"], "--resume", ["--resume", NEW, "--lr", "1"]),
        (["--lr", "1", "--resume"], "--resume", ["--lr", "1", "--resume", NEW]),
        (["--resumed", "x"], "--resume", ["--resumed", "x", "--resume", NEW]),
        ([], "--resume=", [f"--resume={NEW}"]),
        (["ckpt=old.pt", "lr=1"], "ckpt=", [f"ckpt={NEW}", "lr=1"]),
        (["torchrun", "train.py"], "--ckpt", ["torchrun", "train.py", "--ckpt", NEW]),
    ],
)
def test_the_option_gets_the_checkpoint(args, option, expected):
    assert resumed(args, option, NEW) == expected


@pytest.mark.parametrize(("option", "checkpoint"), [(None, NEW), ("--resume", None), (None, None)])
def test_without_an_option_or_a_checkpoint_nothing_changes(option, checkpoint):
    assert resumed(["--lr", "1"], option, checkpoint) == ["--lr", "1"]
