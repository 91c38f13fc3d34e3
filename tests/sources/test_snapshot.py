"""What a launch keeps of a project: its code, whole or bounded, as it was at one moment."""

import os
import stat
import threading

import pytest

from traindeck import sources
from traindeck.runner.program import Program
from traindeck.sources import project as bounds
from traindeck.sources.runcode import code_of, keep_again, materialise, read_manifest


def paths(tree) -> list[str]:
    return [file.path for file in tree.files]


def test_code_and_small_settings_are_kept_and_data_results_and_environments_are_not(store, project):
    kept = {
        "train.py": "", "pkg/__init__.py": "", "pkg/model.py": "", "configs/base.yaml": "lr: 1", "setup.cfg": "",
        "run.sh": "", "kernels/op.cu": "", "requirements.txt": "", "Makefile": "",
    }  # fmt: skip
    left_out = {
        "notebook.ipynb": "{}", "weights.pt": "x", "data.csv": "1", ".env": "KEY=1", ".git/config": "", ".venv/x.py": "",
        "env/pyvenv.cfg": "", "env/lib/x.py": "", "deck/deck.db": "", "deck/server.json": "{}", "__pycache__/x.py": "", "node_modules/a/b.py": "", "runs/1/x.py": "",
        "lightning_logs/v0/hparams.yaml": "", "wandb/x.yaml": "", "build/x.py": "", "pkg.egg-info/top.txt": "",
        "results/events.out.tfevents.1.host": "", "results/args.json": "{}", "big.json": " " * 300_000,
    }  # fmt: skip
    folder = project({**kept, **left_out})

    tree = store.snapshots.take(Program(path=str(folder / "train.py")))

    assert paths(tree) == sorted(kept)
    assert (tree.entry, tree.root, tree.complete) == ("train.py", str(folder), True)


def test_a_folder_full_of_data_is_left_out(store, project):
    folder = project({"train.py": "", **{f"labels/{n}.txt": "" for n in range(bounds.MAX_IN_FOLDER + 1)}})

    tree = store.snapshots.take(Program(path=str(folder / "train.py")))

    assert paths(tree) == ["train.py"]
    assert tree.complete


def test_of_a_folder_that_is_no_project_the_script_and_what_it_imports_is_kept(store, project):
    many = {f"other_{n}.py": "" for n in range(bounds.MAX_IN_FOLDER)}
    folder = project({
        **many,
        "train.py": "import torch, helpers\nfrom pkg.sub import net\ndef f():\n    import late\n",
        "helpers.py": "from pkg import names",
        "late.py": "this is no Python",
        "pkg/__init__.py": "from . import base",
        "pkg/base.py": "from .sub import deeper",
        "pkg/names.py": "",
        "pkg/unused.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/net.py": "from ..names import x",
        "pkg/sub/deeper.py": "from ... import above",
    })  # fmt: skip

    tree = store.snapshots.take(Program(path=str(folder / "train.py")))

    assert paths(tree) == [
        "helpers.py", "late.py", "pkg/__init__.py", "pkg/base.py", "pkg/names.py", "pkg/sub/__init__.py",
        "pkg/sub/deeper.py", "pkg/sub/net.py", "train.py",
    ]  # fmt: skip
    assert not tree.complete


@pytest.mark.parametrize(("bound", "value"), [("MAX_FILES", 5), ("MAX_BYTES", 50), ("MAX_ENTRIES", 5)])
def test_a_project_beyond_any_bound_is_not_walked_to_its_end(store, project, monkeypatch, bound, value):
    folder = project({"train.py": "import near", "near.py": "", **{f"d/{n}.py": "#" * 9 for n in range(10)}})
    fields = {"MAX_FILES": "files", "MAX_BYTES": "size", "MAX_ENTRIES": "entries"}
    monkeypatch.setattr(bounds._WalkLimits.__init__, "__defaults__", _defaults(fields[bound], value))

    tree = store.snapshots.take(Program(path=str(folder / "train.py")))

    assert paths(tree) == ["near.py", "train.py"]
    assert not tree.complete


def _defaults(name: str, value: int) -> tuple:
    given = bounds._WalkLimits.__init__.__defaults__
    names = ("files", "size", "entries", "cpu", "wall")
    return tuple(value if one == name else old for one, old in zip(names, given, strict=True))


def test_a_home_and_a_folder_of_everybody_are_no_projects(store, project, monkeypatch, tmp_path):
    folder = project({"train.py": "import near", "near.py": "", "diary.txt": "secret"})
    folder.chmod(0o1777)
    assert paths(store.snapshots.take(Program(path=str(folder / "train.py")))) == ["near.py", "train.py"]

    folder.chmod(0o755)
    assert "diary.txt" in paths(store.snapshots.take(Program(path=str(folder / "train.py"))))
    monkeypatch.setattr(bounds, "_home", lambda: str(folder))
    assert paths(store.snapshots.take(Program(path=str(folder / "train.py")))) == ["near.py", "train.py"]


def test_links_out_of_the_folder_pipes_and_devices_are_left_alone(store, project, tmp_path):
    folder = project({"train.py": "", "configs/base.yaml": "lr: 1"})
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "outside").symlink_to("/etc")
    (folder / "loop").symlink_to(folder)
    (folder / "inside.yaml").symlink_to("configs/base.yaml")
    (folder / "null.py").symlink_to("/dev/null")
    os.mkfifo(folder / "pipe.py")

    tree = store.snapshots.take(Program(path=str(folder / "train.py")))

    assert paths(tree) == ["configs/base.yaml", "inside.yaml", "train.py"]


def test_a_script_that_is_a_pipe_is_refused_and_not_waited_for(store, tmp_path):
    os.mkfifo(tmp_path / "train.py")

    with pytest.raises(OSError, match="not a file"):
        store.snapshots.take(Program(path=str(tmp_path / "train.py")))


def test_a_script_of_any_name_and_size_is_kept(store, project):
    folder = project({"train": "#!/usr/bin/env python\n" + "# " * 1_500_000})

    tree = store.snapshots.take(Program(path=str(folder / "train")))

    assert paths(tree) == ["train"]


def test_a_link_to_a_script_stands_for_what_it_leads_to_and_what_lies_there(store, project, tmp_path):
    folder = project({"train.py": "import near", "near.py": ""})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "start").symlink_to(folder / "train.py")

    tree = store.snapshots.take(Program(path=str(tmp_path / "bin" / "start")))

    assert (tree.root, tree.entry, paths(tree)) == (str(folder), "train.py", ["near.py", "train.py"])


def test_a_module_is_looked_for_below_its_folder(store, project):
    folder = project({"pkg/__init__.py": "", "pkg/train.py": "", "app/__main__.py": ""})

    assert store.snapshots.take(Program(kind="module", module="pkg.train", cwd=str(folder))).entry == "pkg/train.py"
    assert store.snapshots.take(Program(kind="module", module="app", cwd=str(folder))).entry == "app/__main__.py"
    assert store.snapshots.take(Program(kind="module", module="json.tool", cwd=str(folder))).entry is None


def test_of_a_command_the_file_is_known_that_it_names(store, project):
    folder = project({"train.py": "", "run.sh": ""})
    command = ("torchrun", "--nproc-per-node=2", "train.py", "run.sh")

    assert store.snapshots.take(Program(kind="command", cwd=str(folder), command=command)).entry == "train.py"
    assert store.snapshots.take(Program(kind="command", cwd=str(folder), command=("make",))).entry is None
    assert store.snapshots.take(Program(kind="command", command=("make",))) is None


def test_equal_code_has_one_digest_wherever_it_lies_and_whenever_it_was_written(store, project):
    first = project({"train.py": "1", "a/b.py": "2"}, "first")
    second = project({"train.py": "1", "a/b.py": "2"}, "second")
    os.utime(second / "train.py")

    trees = [store.snapshots.take(Program(path=str(folder / "train.py"))) for folder in (first, second)]
    assert trees[0].digest == trees[1].digest

    (second / "a/b.py").write_text("3")
    assert store.snapshots.take(Program(path=str(second / "train.py"))).digest != trees[0].digest


def test_a_project_that_has_not_changed_is_not_read_again(store, project, monkeypatch):
    folder = project({f"m{n}.py": f"x = {n}" for n in range(20)})
    os.chmod(folder / "m0.py", 0o644)
    reads = []
    real = sources.reads.read_regular
    monkeypatch.setattr(sources.reads, "read_regular", lambda path, limit: reads.append(path) or real(path, limit))
    # Files whose change time is of this moment are read each time: they could change again in the same tick.
    monkeypatch.setattr(sources.snapshot, "SETTLED_NS", -1)

    first = store.snapshots.take(Program(path=str(folder / "m0.py")))
    assert len(reads) == 20
    assert store.snapshots.take(Program(path=str(folder / "m0.py"))) == first
    assert len(reads) == 20

    (folder / "m7.py").write_text("x = 8")
    again = store.snapshots.take(Program(path=str(folder / "m0.py")))
    assert len(reads) == 21
    assert again.digest != first.digest


def test_an_edit_is_seen_however_fast_it_comes_and_whatever_it_does_to_the_clock(store, project):
    folder = project({"train.py": "a = 1"})
    digests = set()
    for number in range(50):
        (folder / "train.py").write_text(f"a = {number % 10}{number // 10}")
        os.utime(folder / "train.py", (1, 1))
        digests.add(store.snapshots.take(Program(path=str(folder / "train.py"))).digest)

    assert len(digests) == 50


def test_a_project_is_the_same_until_a_file_of_it_changes_or_goes(store, project):
    folder = project({"train.py": "a = 1", "near.py": "b = 1"})
    tree = store.snapshots.take(Program(path=str(folder / "train.py")))
    assert store.snapshots.still_same(tree)

    os.utime(folder / "near.py")
    (folder / "new.py").write_text("")
    assert store.snapshots.still_same(tree)

    (folder / "near.py").write_text("b = 2")
    assert not store.snapshots.still_same(tree)
    (folder / "near.py").write_text("b = 1")
    assert store.snapshots.still_same(tree)
    (folder / "near.py").unlink()
    assert not store.snapshots.still_same(tree)
    assert not store.snapshots.still_same(store.sent("one.py", b""))


def test_a_file_that_is_being_written_is_kept_as_it_was_at_one_moment(store, project):
    folder = project({"train.py": "0" * 100_000})
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number = (number + 1) % 10
            partial = folder / ".partial"
            partial.write_text(str(number) * 100_000)
            partial.replace(folder / "train.py")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            tree = store.snapshots.take(Program(path=str(folder / "train.py")))
            content = store.blobs.path(tree.files[0].sha256).read_bytes()
            assert len(set(content)) == 1
    finally:
        stop.set()
        writer.join()


def test_a_run_gets_links_and_a_manifest_from_which_the_tree_can_be_read(store, project, tmp_path):
    folder = project({"train.py": "1", "pkg/deep/a.py": "2", "run.sh": "#!/bin/sh"})
    (folder / "run.sh").chmod(0o755)
    tree = store.snapshots.take(Program(path=str(folder / "train.py")))
    run = tmp_path / "run"
    run.mkdir()

    materialise(store.blobs, tree, run)

    assert read_manifest(run) == tree
    assert (run / "code/pkg/deep/a.py").read_text() == "2"
    assert stat.S_IMODE((run / "code/train.py").stat().st_mode) == 0o444
    assert (run / "code/train.py").samefile(store.blobs.path(tree.find("train.py").sha256))
    assert [file.path for file in tree.files if file.executable] == ["run.sh"]


def test_a_run_of_an_older_deck_has_code_without_a_manifest(tmp_path, store):
    run = tmp_path / "run"
    (run / "code").mkdir(parents=True)
    assert code_of(run) is None

    (run / "code" / "script.py").write_text("print(1)")
    tree = keep_again(store.blobs, run)
    assert (tree.entry, tree.root, paths(tree)) == ("script.py", None, ["script.py"])
    assert store.blobs.holds(tree.files[0].sha256)


def test_the_code_of_a_run_can_be_run_again_after_the_store_was_lost(store, project, tmp_path):
    tree = store.snapshots.take(Program(path=str(project({"train.py": "1", "a.py": "2"}) / "train.py")))
    run, second = tmp_path / "run", tmp_path / "second"
    run.mkdir()
    second.mkdir()
    materialise(store.blobs, tree, run)
    for file in tree.files:
        store.blobs.path(file.sha256).unlink()

    again = keep_again(store.blobs, run)
    materialise(store.blobs, again, second)

    assert again == tree
    assert (second / "code/a.py").read_text() == "2"


def test_a_torn_manifest_is_none(tmp_path):
    for content in ("", "{", "[]", "{}", '{"files": 3}', '{"files": [{"path": 1}]}'):
        (tmp_path / "code.json").write_text(content)
        assert read_manifest(tmp_path) is None
