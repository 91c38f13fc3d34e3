"""A repository may come from anybody: none of the programs that it names is run, and git learns nothing of the deck."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from traindeck.sources.git import GitFailed, GitProgram, read_git


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to make copies of, which is sooner than to make each by git."""
    folder = tmp_path_factory.mktemp("template") / "repository"
    folder.mkdir()
    (folder / "train.py").write_text("lr = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "repository"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Notes that it was run, with its environment, and passes on what it is given."""
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\n(echo $0 $@; env) >> {tmp_path}/was_run\ncat\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def asked(repository: Path, tmp_path: Path) -> Callable[[], tuple[object, bytes]]:
    """Changes a file, asks git, and looks that no program was run for it."""

    def ask() -> tuple[object, bytes]:
        (repository / "train.py").write_text("lr = 2\n")
        found = read_git(repository, GitProgram(repository, deadline=time.monotonic() + 30))
        mark = tmp_path / "was_run"
        assert not mark.exists(), mark.read_text()
        assert found is not None
        return found

    return ask


def set_up(repository: Path, config: bytes, attributes: bytes = b"", *, file: str = "config") -> None:
    with (repository / ".git" / file).open("ab") as written:
        written.write(config)
    if attributes:
        (repository / ".gitattributes").write_bytes(attributes)


ODD_NAMES = [
    b"plain", b"a=b", b"=", b"l\xff", b"\xc3\xa4", b"", b"a.b", b"a.clean", b"clean", b".", b"..", b"a b", b"a\\\"b", b"A",
    b"a\\\\b", b"#", b";", b"]", b"[x]", b"$(x)", b"x" * 5000, b"\x01", b"\t",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: repr(name[:10]))
@pytest.mark.parametrize("kind", [b"clean", b"process"])
def test_a_filter_is_not_run_whatever_it_is_called(repository, program, asked, name, kind):
    path = os.fsencode(program)
    set_up(repository, b'[filter "%s"]\n\t%s = %s\n\trequired = true\n' % (name, kind, path))
    plain = name.replace(b"\\\\", b"\\").replace(b'\\"', b'"')
    (repository / ".git/info/attributes").write_bytes(b"* filter=" + plain + b"\n")
    (repository / ".gitattributes").write_bytes(b"*.py filter=" + plain + b"\n")

    state, diff = asked()

    assert state.dirty
    assert b"+lr = 2" in diff


def test_the_filters_of_this_test_would_be_run_by_git_itself(repository, program, tmp_path):
    set_up(repository, b'[filter "a=b"]\n\tclean = %s\n' % os.fsencode(program), b"*.py filter=a=b\n")
    (repository / "train.py").write_text("lr = 2\n")
    git(repository, "diff")

    assert (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    "config",
    [
        b"[filter]\n\tclean = %s\n",
        b"[filter.plain]\n\tclean = %s\n",
        b'[FILTER "plain"]\n\tCLEAN = %s\n\tSmudge = %s\n\tProcess = %s\n',
        b'[filter "plain"]\n\tclean\n\tclean = %s\n\tprocess\n',
        b'[filter "plain"]\n\tclean = %s\n[filter "plain"]\n\tclean = %s\n\trequired\n',
        b'[diff "plain"]\n\ttextconv = %s\n\tcommand = %s\n\tcachetextconv = true\n[diff "a=b"]\n\ttextconv = %s\n',
        b"[diff]\n\texternal = %s\n\torderFile = /dev/null\n",
        b'[merge "plain"]\n\tdriver = %s\n',
        b"[core]\n\tfsmonitor = %s\n\tfsmonitorHookVersion = 1\n",
        b"[core]\n\tfsmonitor = true\n",
        b"[core]\n\tpager = %s\n\teditor = %s\n\taskPass = %s\n\tsshCommand = %s\n\tgitProxy = %s\n",
        b"[core]\n\talternateRefsCommand = %s\n[gpg]\n\tprogram = %s\n[log]\n\tshowSignature = true\n",
        b"[pager]\n\tstatus = %s\n\tdiff = %s\n\tconfig = %s\n\trev-parse = %s\n[interactive]\n\tdiffFilter = %s\n",
        b'[alias]\n\tstatus = "!%s"\n\tdiff = "!%s"\n\trev-parse = "!%s"\n[credential]\n\thelper = %s\n',
        b'[remote "origin"]\n\turl = ext::%s\n\tvcs = ext\n\tuploadpack = %s\n\tpromisor = true\n'
        b"[extensions]\n\tpartialClone = origin\n[protocol]\n\tallow = always\n",
        b'[submodule "x"]\n\tpath = x\n\tupdate = "!%s"\n[submodule]\n\trecurse = true\n[status]\n\tsubmoduleSummary = true\n',
        b"[trace2]\n\tnormalTarget = %s\n[sequence]\n\teditor = %s\n[uploadpack]\n\tpackObjectsHook = %s\n",
    ],
    ids=lambda config: config.decode()[:20].strip(),
)
def test_a_repository_runs_none_of_the_programs_that_its_settings_name(repository, program, asked, config):
    set_up(repository, config.replace(b"%s", os.fsencode(program)), b"* filter=plain diff=plain merge=plain\n")

    asked()


def test_settings_that_are_included_or_of_a_worktree_are_the_repositorys_too(repository, program, asked, tmp_path):
    (repository / "added.txt").write_text("x")
    git(repository, "add", "-N", "added.txt")
    driver = b'[filter "%s"]\n\tclean = ' + os.fsencode(program) + b"\n\trequired = true\n"
    (tmp_path / "included").write_bytes(driver % b"x=y")
    included = os.fsencode(tmp_path / "included")
    set_up(repository, b'[includeIf "gitdir:/**"]\n\tpath = %s\n[extensions]\n\tworktreeConfig = true\n' % included)
    set_up(repository, driver % b"w=\xff", b"train.py filter=x=y\n*.txt filter=w=\xff\n", file="config.worktree")

    asked()


def test_hooks_are_not_run(repository, program, asked):
    hooks = repository / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "fsmonitor-watchman", "pre-commit", "reference-transaction", "query-watchman"):
        (hooks / name).unlink(missing_ok=True)
        (hooks / name).symlink_to(program)
    set_up(repository, b"[core]\n\thooksPath = " + os.fsencode(hooks) + b"\n\tuntrackedCache = true\n")

    asked()


def test_a_worktree_elsewhere_is_not_read(repository, asked, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "train.py").write_text("the user's own")
    set_up(repository, b"[core]\n\tworktree = " + os.fsencode(tmp_path / "private") + b"\n")

    _, diff = asked()

    assert b"the user's own" not in diff
    assert b"+lr = 2" in diff


@pytest.mark.parametrize("name", ["attributesFile", "excludesFile"])
def test_settings_that_name_a_file_without_an_end_cost_bounded_memory_and_time(repository, name):
    set_up(repository, b"[core]\n\t%s = /dev/zero\n" % name.encode())
    (repository / "train.py").write_text("lr = 2\n")

    # Without its deadline it would read until the test times out.
    read_git(repository, GitProgram(repository, deadline=time.monotonic() + 5))


def test_git_learns_nothing_of_the_deck(repository, tmp_path, monkeypatch):
    (tmp_path / "git").write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TRAINDECK_TOKEN", "of the deck")
    GitProgram(repository).run("status")

    variables = (tmp_path / "environment").read_text()
    assert "TRAINDECK_" not in variables
    assert "of the deck" not in variables


def test_a_git_that_does_not_know_how_to_turn_filters_off_is_not_asked(repository, program, tmp_path, monkeypatch):
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "git").write_text(f'#!/bin/sh\nunset GIT_CONFIG_COUNT\nexec {real} "$@"\n')
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    set_up(repository, b'[filter "a=b"]\n\tclean = %s\n' % os.fsencode(program), b"*.py filter=a=b\n")
    (repository / "train.py").write_text("lr = 2\n")

    assert read_git(repository, GitProgram(repository, deadline=time.monotonic() + 30)) is None
    assert not (tmp_path / "was_run").exists()


def test_more_filters_than_an_environment_can_hold_are_not_run(repository, program, tmp_path):
    driver = b'[filter "%05d"]\n\tclean = ' + os.fsencode(program) + b"\n"
    set_up(repository, b"".join(driver % number for number in range(30_000)), b"*.py filter=00007\n")
    (repository / "train.py").write_text("lr = 2\n")
    try:
        read_git(repository, GitProgram(repository, deadline=time.monotonic() + 30))
    except GitFailed as error:
        pytest.fail(str(error))

    assert not (tmp_path / "was_run").exists()
