"""What a working folder holds of the folder that a program is meant to run in."""

import json
import os
from pathlib import Path

import pytest

from traindeck.runner.mirror import INPUTS, MAX_ENTRIES, mirror
from traindeck.runner.order import Order, ScriptOrder
from traindeck.runner.program import Program


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "above" / "project"
    folder.mkdir(parents=True)
    return folder


def mirrored(base: Path, *args: str, code: Path | None = None, root: Path | None = None) -> Path:
    """The working folder of an attempt whose program is meant to run in `base`."""
    attempt = base.parent.parent / "attempt-1"
    (attempt / "work").mkdir(parents=True)
    program = Program(cwd=str(base), args=args)
    script = ScriptOrder(program, code=str(code) if code else None, root=str(root or base) if code else None)
    mirror(Order(1, 1, "", str(attempt), "", 1.0, script=script))
    return attempt / "work"


def write(path: Path, content: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_small_files_are_copied_and_others_linked(base: Path) -> None:
    write(base / "config.yaml", "lr: 1")
    write(base / "table.csv", "1" * 100_000)
    write(base / "train.py")
    work = mirrored(base)
    assert not (work / "config.yaml").is_symlink()
    assert (work / "config.yaml").stat().st_mtime_ns == (base / "config.yaml").stat().st_mtime_ns
    assert os.readlink(work / "table.csv") == str(base / "table.csv")
    assert os.readlink(work / "train.py") == str(base / "train.py")


def test_what_was_copied_is_noted(base: Path) -> None:
    config = write(base / "configs/a.yaml", "lr: 1")
    work = mirrored(base)
    noted = json.loads((work.parent / INPUTS).read_text())
    assert noted == {"configs/a.yaml": [5, config.stat().st_mtime_ns]}


def test_a_checkpoint_that_a_run_writes_over_stays_the_users(base: Path) -> None:
    mine = write(base / "model.pt", b"m" * 1_000_000)
    work = mirrored(base)
    assert (work / "model.pt").read_bytes() == mine.read_bytes()
    (work / "model.pt").write_bytes(b"of the run")
    assert mine.stat().st_size == 1_000_000


def test_a_copy_is_what_was_kept_at_launch(base: Path, tmp_path: Path) -> None:
    write(base / "sub/config.yaml", "edited since")
    write(tmp_path / "code/project/sub/config.yaml", "as launched")
    work = mirrored(base, code=tmp_path / "code", root=base.parent)
    assert (work / "sub/config.yaml").read_text() == "as launched"


def test_a_file_that_may_be_executed_still_may(base: Path) -> None:
    write(base / "run.sh").chmod(0o555)
    assert os.access(mirrored(base) / "run.sh", os.X_OK | os.W_OK)


def test_folders_are_real_so_that_new_files_are_the_runs_own(base: Path) -> None:
    write(base / "a/b/c.txt")
    work = mirrored(base)
    write(work / "a/b/new.txt")
    assert sorted(os.listdir(base / "a/b")) == ["c.txt"]


@pytest.mark.parametrize(
    "left_out",
    [
        "runs/x/events.out.tfevents.1",
        "lightning_logs/version_0/metrics.csv",
        "wandb/x",
        "mlruns/x",
        ".git/config",
        ".hidden",
        "__pycache__/a.pyc",
        "pkg/__pycache__/a.pyc",
        "node_modules/x.js",
        "env/pyvenv.cfg",
        "my.egg-info/x",
        "logs/deep/events.out.tfevents.1",
        "outputs/2026/.hydra/config.yaml",
    ],
)
def test_what_earlier_runs_and_tools_left_is_left_out(base: Path, left_out: str) -> None:
    write(base / left_out)
    assert not os.path.lexists(mirrored(base) / left_out)


def test_what_an_argument_names_is_there_wherever_it_lies(base: Path) -> None:
    write(base / "runs/old/last.pt")
    write(base / ".hidden/a.yaml")
    write(base.parent / "shared/b.yaml", "b")
    work = mirrored(base, "runs/old/last.pt", "--config=.hidden/a.yaml", "--other", "../shared/b.yaml")
    assert (work / "runs/old/last.pt").read_text() == "x"
    assert (work / ".hidden/a.yaml").read_text() == "x"
    assert (work / "../shared/b.yaml").read_text() == "b"


def test_data_of_the_users_own_is_linked_whole(base: Path) -> None:
    write(base / "data/x.bin")
    write(base.parent / "data/y.bin")
    work = mirrored(base)
    assert os.readlink(work / "data") == str(base / "data")
    assert os.readlink(work.parent / "data") == str(base.parent / "data")


def test_a_folder_with_too_many_entries_is_one_link(base: Path) -> None:
    (base / "images").mkdir()
    for number in range(MAX_ENTRIES + 1):
        (base / f"images/{number}").touch()
    assert (mirrored(base) / "images").is_symlink()


def test_of_a_huge_folder_only_what_is_kept_or_named_is_there(base: Path, tmp_path: Path) -> None:
    for number in range(MAX_ENTRIES + 1):
        (base / str(number)).touch()
    write(base / "configs/a.yaml", "now")
    write(tmp_path / "code/configs/a.yaml", "kept")
    work = mirrored(base, "7", "/etc/passwd", "..", "", code=tmp_path / "code")
    assert sorted(str(path.relative_to(work)) for path in work.rglob("*")) == ["7", "configs", "configs/a.yaml"]
    assert (work / "configs/a.yaml").read_text() == "kept"


def test_a_base_that_is_gone_stops_nothing(base: Path) -> None:
    base.rmdir()
    assert os.listdir(mirrored(base)) == []


def test_a_deck_that_lies_in_the_project_is_not_mirrored_into_itself(base: Path) -> None:
    attempt = base / "deck/runs/1/attempt-1"
    (attempt / "work").mkdir(parents=True)
    write(base / "a.txt")
    mirror(Order(1, 1, "", str(attempt), "", 1.0, script=ScriptOrder(Program(cwd=str(base)))))
    assert os.listdir(attempt / "work") == ["a.txt"]


def test_a_pipe_among_the_files_is_not_read(base: Path) -> None:
    os.mkfifo(base / "pipe")
    assert (mirrored(base) / "pipe").is_symlink()
