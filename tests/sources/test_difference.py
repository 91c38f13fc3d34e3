"""What differs between the code of two runs."""

import time

from traindeck.provenance.run_differences import KeptCode, code_difference
from traindeck.runner.program import Program
from traindeck.sources.runcode import materialise


def kept(store, folder, tmp_path, name) -> KeptCode:
    tree = store.snapshots.take(Program(kind="command", cwd=str(folder)))
    run = tmp_path / name
    run.mkdir()
    materialise(store.blobs, tree, run)
    return KeptCode(tree, run)


def compared(store, project, tmp_path, before, after):
    sides = [
        kept(store, project(files, name), tmp_path, f"run-{name}") for name, files in (("a", before), ("b", after))
    ]
    return code_difference(*sides)


def test_files_that_were_added_removed_or_changed_are_told_and_equal_ones_are_not(store, project, tmp_path):
    files, more = compared(
        store, project, tmp_path,
        {"same.py": "x\n", "train.py": "lr = 1\nepochs = 3\n", "old.py": "gone\n"},
        {"same.py": "x\n", "train.py": "lr = 2\nepochs = 3\n", "new.py": "here"},
    )  # fmt: skip

    assert [(file.path, file.status) for file in files] == [
        ("new.py", "added"), ("old.py", "removed"), ("train.py", "changed"),
    ]  # fmt: skip
    assert not more
    assert files[0].diff == "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+here\n\\ No newline at end of file\n"
    assert files[2].diff == "--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n-lr = 1\n+lr = 2\n epochs = 3\n"


def test_what_is_no_text_is_named_without_a_diff(store, project, tmp_path):
    files, _ = compared(store, project, tmp_path, {"a.txt": b"\xff\xfe"}, {"a.txt": b"\0\1"})

    assert [(file.path, file.diff) for file in files] == [("a.txt", None)]


def test_files_that_would_take_minutes_to_compare_are_named_at_once(store, project, tmp_path):
    lines = [f"{number % 100}\n" for number in range(20_000)]
    before = time.monotonic()

    files, _ = compared(store, project, tmp_path, {"a.py": "".join(lines)}, {"a.py": "".join(reversed(lines))})

    assert files[0].diff is None
    assert time.monotonic() - before < 60


def test_a_long_diff_is_cut_and_says_so_and_so_is_a_long_list(store, project, tmp_path):
    files, more = compared(
        store, project, tmp_path,
        {"a.py": "1\n"},
        {"a.py": "\n".join(str(number) for number in range(30_000)), **{f"n/{n}.py": "" for n in range(250)}},
    )  # fmt: skip

    assert (len(files), more) == (200, 51)
    assert len(files[0].diff or "") == 100_000
    assert files[0].cut
