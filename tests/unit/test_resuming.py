"""How a program is told of the checkpoint to go on from."""

from pathlib import Path

import pytest

from traindeck.runner.program import Program
from traindeck.runs.checkpoints import VARIABLE, resumed, way_to_resume

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
    assert resumed(Program(args=tuple(args), resume_arg=option), NEW).args == tuple(expected)
    command = Program(kind="command", command=tuple(args), resume_arg=option)
    assert resumed(command, NEW).command == tuple(expected)


@pytest.mark.parametrize(("option", "checkpoint"), [(None, NEW), ("--resume", None), (None, None)])
def test_without_an_option_or_a_checkpoint_nothing_changes(option, checkpoint):
    program = Program(args=("--lr", "1"), resume_arg=option)
    assert resumed(program, checkpoint) == program


def kept(run_folder: Path, **files: str) -> Path:
    (run_folder / "code").mkdir(parents=True)
    for name, content in files.items():
        (run_folder / "code" / f"{name}.py").write_text(content)
    return run_folder


def test_a_trainer_and_a_script_with_an_option_are_given_their_checkpoint(tmp_path: Path) -> None:
    assert way_to_resume(None, tmp_path) == ""
    assert way_to_resume(Program(filename="a.py", resume_arg="--ckpt"), tmp_path) == "--ckpt"


@pytest.mark.parametrize("reads", ["train", "model"])
def test_a_script_is_given_it_by_the_environment_where_its_code_names_the_variable(tmp_path: Path, reads: str) -> None:
    files = {"train": "import model", "model": "", reads: f"path = os.environ.get({VARIABLE!r})"}
    assert way_to_resume(Program(filename="train.py"), kept(tmp_path, **files)) == VARIABLE


@pytest.mark.parametrize("files", [{}, {"train": "torch.save(model, 'last.pt')"}])
def test_any_other_script_would_begin_anew(tmp_path: Path, files: dict[str, str]) -> None:
    assert way_to_resume(Program(filename="train.py"), kept(tmp_path, **files)) is None
