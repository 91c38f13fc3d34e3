"""What git says of a project, without letting the project say what git runs."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from support.waiting import wait_for
from traindeck.runner.program import Program
from traindeck.sources.git import GitFailed, GitProgram, public_url, read_git


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(project) -> Path:
    folder = project({"train.py": "lr = 1\n", "pkg/model.py": "layers = 2\n"})
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def state_of(folder: Path):
    found = read_git(folder, GitProgram(folder, deadline=time.monotonic() + 20))
    assert found is not None
    return found


def test_a_clean_repository_is_its_commit_its_branch_and_where_the_project_lies_in_it(repository):
    git(repository, "remote", "add", "origin", "https://me:secret@example.org/me/project.git")

    state, diff = state_of(repository / "pkg")

    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert (state.branch, state.dirty, state.folder, state.untracked) == ("main", False, "pkg", [])
    assert state.remote == "https://example.org/me/project.git"
    assert (diff, state.diff_bytes, state.diff_truncated) == (b"", 0, False)
    assert state.read_at.endswith("Z")


def test_staged_and_unstaged_changes_and_unknown_files_of_the_whole_repository_are_told(repository):
    (repository / "train.py").write_text("lr = 2\n")
    (repository / "added ünd odd.py").write_text("new = 1\n")
    git(repository, "add", "added ünd odd.py")
    (repository / "notes.txt").write_text("x")
    (repository / "data").mkdir()
    (repository / "data" / "a.csv").write_text("x")

    state, diff = state_of(repository / "pkg")

    assert (state.dirty, state.untracked) == (True, ["data/", "notes.txt"])
    assert "-lr = 1\n+lr = 2\n" in diff.decode()
    assert "+new = 1\n" in diff.decode()
    assert state.diff_bytes == len(diff)


def test_the_diff_can_be_applied_to_the_commit(repository, tmp_path):
    (repository / "train.py").write_text("lr = 2\n")
    (repository / "pkg/model.py").unlink()
    _, diff = state_of(repository)
    (tmp_path / "changes").write_bytes(diff)

    git(tmp_path, "clone", "-q", str(repository), "copy")
    git(tmp_path / "copy", "apply", str(tmp_path / "changes"))

    assert (tmp_path / "copy/train.py").read_text() == "lr = 2\n"
    assert not (tmp_path / "copy/pkg/model.py").exists()


def test_binary_files_are_named_and_not_shown(repository):
    (repository / "weights.bin").write_bytes(bytes(range(256)))
    git(repository, "add", ".")

    _, diff = state_of(repository)

    assert b"Binary files /dev/null and b/weights.bin differ" in diff


def test_a_diff_is_kept_up_to_a_bound_and_says_so(repository):
    (repository / "train.py").write_text("x = 1\n" * 400_000)

    state, diff = state_of(repository)

    assert len(diff) == 1_000_000
    assert (state.dirty, state.diff_truncated, state.diff_bytes) == (True, True, 1_000_000)


def test_untracked_files_are_listed_up_to_a_bound(repository):
    for number in range(300):
        (repository / f"new_{number:03}.txt").write_text("")

    state, _ = state_of(repository)

    assert len(state.untracked) == 200
    assert state.untracked_truncated


def test_a_repository_without_a_commit_and_one_without_a_branch_are_told_as_such(project):
    folder = project({"train.py": "lr = 1\n"})
    git(folder, "init", "-q")
    git(folder, "add", ".")
    state, diff = state_of(folder)
    assert (state.commit, state.branch, state.dirty) == (None, "main", True)
    assert b"+lr = 1" in diff

    git(folder, "commit", "-qm", "first")
    git(folder, "checkout", "-q", "--detach")
    state, _ = state_of(folder)
    assert (len(state.commit or ""), state.branch, state.dirty) == (40, None, False)


def test_a_worktree_and_a_submodule_are_repositories_too(repository, tmp_path):
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))

    state, _ = state_of(tmp_path / "tree")

    assert (state.branch, state.dirty) == ("other", False)


def test_where_there_is_no_repository_or_no_git_nothing_is_told(repository, tmp_path, monkeypatch):
    (tmp_path / "plain").mkdir()
    assert read_git(tmp_path / "plain") is None

    (tmp_path / "plain" / ".git").write_text("nonsense")
    assert read_git(tmp_path / "plain") is None

    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_git(repository) is None


def test_variables_of_the_deck_lead_to_no_other_repository(repository, project, monkeypatch):
    other = project({"x.py": ""}, "other")
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))

    assert state_of(repository)[0].commit


def test_a_repository_runs_none_of_the_programs_that_it_names(repository, tmp_path):
    mark = tmp_path / "was_run"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {mark}\ncat\n")
    program.chmod(0o755)
    run = str(program)
    for hook in ("post-index-change", "pre-commit", "fsmonitor-watchman"):
        (repository / ".git/hooks").mkdir(exist_ok=True)
        (repository / ".git/hooks" / hook).symlink_to(program)
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    for name in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "diff.external", "diff.evil.command",
        "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "gpg.program",
        "pager.diff", "pager.status", "core.editor", "core.alternateRefsCommand", "interactive.diffFilter",
    ):  # fmt: skip
        git(repository, "config", name, run)
    git(repository, "config", "filter.evil.required", "true")
    git(repository, "config", "remote.origin.url", f"ext::{run} x")
    git(repository, "config", "protocol.ext.allow", "always")
    included = tmp_path / "included"
    included.write_text(f'[filter "more"]\n\tclean = {run}\n')
    git(repository, "config", "include.path", str(included))
    (repository / "train.py").write_text("lr = 3\n")
    (repository / ".gitattributes").write_text("train.py filter=more diff=evil\n*.py filter=evil diff=evil\n")

    state, diff = state_of(repository)

    assert not mark.exists(), mark.read_text()
    assert state.dirty
    assert b"+lr = 3" in diff


def test_an_object_that_is_missing_is_fetched_from_nowhere(repository, tmp_path):
    mark = tmp_path / "was_run"
    git(repository, "config", "remote.origin.url", f"ext::sh -c touch% {mark}")
    git(repository, "config", "remote.origin.promisor", "true")
    git(repository, "config", "extensions.partialClone", "origin")
    git(repository, "config", "core.repositoryFormatVersion", "1")
    git(repository, "config", "protocol.ext.allow", "always")
    blob = git(repository, "rev-parse", "HEAD:train.py")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    (repository / "train.py").write_text("lr = 4\n")

    state, diff = state_of(repository)

    assert not mark.exists()
    assert (state.dirty, state.diff_bytes, diff) == (True, None, b"")


def test_a_git_that_does_not_end_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    pids = tmp_path / "pids"
    (tmp_path / "git").write_text(f"#!/bin/sh\nsleep 1000 &\necho $! $$ > {pids}\nwait\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = GitProgram(tmp_path, deadline=time.monotonic() + 0.5)

    with pytest.raises(GitFailed, match="too long"):
        program.run("status")

    for pid in pids.read_text().split():
        wait_for(lambda pid=pid: _is_gone(int(pid)), f"process {pid} is gone")


def _is_gone(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_a_status_that_takes_too_long_leaves_what_was_learned_before(repository, tmp_path, monkeypatch):
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "git").write_text(
        f'#!/bin/sh\nfor one in "$@"; do [ "$one" = status ] && exec sleep 1000; done\nexec {real} "$@"\n'
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    found = read_git(repository, GitProgram(repository, deadline=time.monotonic() + 3))

    assert found is not None
    state, diff = found
    assert (state.branch, state.dirty, state.diff_bytes, diff) == ("main", None, None, b"")


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://user:token@example.org/a.git", "https://example.org/a.git"),
        ("https://token@example.org:8443/a.git?key=1#x", "https://example.org:8443/a.git"),
        ("ssh://git:secret@example.org/a.git", "ssh://git@example.org/a.git"),
        ("git@example.org:me/a.git", "git@example.org:me/a.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("me:secret@example.org:me/a.git", "me@example.org:me/a.git"),
        ("ghp_0123456789abcdefghij@example.org:me/a.git", "example.org:me/a.git"),
        ("x-access-token:secret@example.org:me/a.git", "example.org:me/a.git"),
        ("0123456789abcdef0123@example.org:a.git", "example.org:a.git"),
        (":secret@example.org:a.git", "example.org:a.git"),
        ("ada@example.org:a.git", "ada@example.org:a.git"),
        ("/srv/a@b.git", "/srv/a@b.git"),
        ("https://[bad/a", ""),
    ],
)
def test_the_address_of_a_remote_is_told_without_what_is_secret_in_it(url, public):
    assert public_url(url) == public


def test_runs_that_are_launched_together_are_recorded_by_a_thread_that_ends(store, repository, tmp_path):
    tree = store.snapshots.take(Program(path=str(repository / "train.py")))
    (repository / "train.py").write_text("lr = 5\n")
    runs = [tmp_path / f"run-{number}" for number in range(5)]
    for run in runs:
        run.mkdir()
        store.record_git(tree, run)

    for run in runs:
        wait_for((run / "git.json").exists, f"{run.name} is recorded")
        assert "+lr = 5" in (run / "uncommitted.diff").read_text()
    wait_for(lambda: store.git._thread is None, "the thread has ended")


def test_that_git_is_being_asked_is_known_until_it_has_answered_or_failed(store, repository, project, tmp_path):
    runs = [tmp_path / f"run-{number}" for number in range(3)]
    broken = project({"train.py": "", ".git": "nonsense"}, "broken")
    for run, folder in zip(runs, (repository, broken, project({"train.py": ""}, "plain")), strict=True):
        run.mkdir()
        store.record_git(store.snapshots.take(Program(path=str(folder / "train.py"))), run)
    assert not store.git.is_asking(runs[2])

    for run in runs:
        wait_for(lambda run=run: not store.git.is_asking(run), "git has answered")

    assert [(run / "git.json").exists() for run in runs] == [True, False, False]


def test_a_run_that_was_deleted_meanwhile_does_not_end_the_thread(store, repository, tmp_path):
    tree = store.snapshots.take(Program(path=str(repository / "train.py")))
    run = tmp_path / "run"
    run.mkdir()

    store.record_git(tree, tmp_path / "deleted")
    store.record_git(tree, run)

    wait_for((run / "git.json").exists, "the other run is recorded")


def test_what_was_noted_first_stays_when_the_same_launch_is_repeated(store, repository, tmp_path):
    tree = store.snapshots.take(Program(path=str(repository / "train.py")))
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    other.mkdir()
    store.record_git(tree, run)
    wait_for((run / "git.json").exists, "the run is recorded")
    first = (run / "git.json").read_text()

    (repository / "train.py").write_text("lr = 6\n")
    store.record_git(tree, run)
    store.record_git(tree, other)

    wait_for((other / "git.json").exists, "a later run is recorded")
    assert "lr = 6" in (other / "uncommitted.diff").read_text()
    assert (run / "git.json").read_text() == first
    assert not (run / "uncommitted.diff").exists()
