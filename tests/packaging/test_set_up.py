"""What set-up says while pip installs: what it is at and how much, and not a line for every package."""

import runpy
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

INSTALL = Path(__file__).resolve().parents[2] / ".ci" / "install.py"
SAID = """\
Collecting torch>=2.9
  Downloading http://index.example/torch-2.15.0-cp311-cp311-manylinux_2_28_x86_64.whl (900.0 MB)
Progress 0 of 900000000
Progress 450000000 of 900000000
Progress 900000000 of 900000000
Collecting networkx (from torch>=2.9)
  Downloading networkx-3.6-py3-none-any.whl (200 kB)
Progress 0 of 200000
Progress 200000 of 200000
Installing collected packages: networkx, torch
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package with nothing in it."""
    path = tmp_path / "nothing-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.writestr("nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
        archive.writestr(
            "nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("nothing-1.0.dist-info/RECORD", "")
    return path


def install(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, INSTALL, "1 of 2: a package", "--no-index", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_step_says_what_it_installs_and_when_that_is_done(wheel: Path, tmp_path: Path) -> None:
    done = install("--target", tmp_path / "there", wheel)
    assert done.returncode == 0, done.stderr
    first, *between, last = done.stdout.splitlines()
    assert (first, between) == ("1 of 2: a package", ["  unpacking"])
    assert last.startswith("  done in ")
    assert (tmp_path / "there/nothing-1.0.dist-info").is_dir()


def test_where_pip_fails_it_says_why_and_so_does_the_exit_code(tmp_path: Path) -> None:
    done = install("--target", tmp_path / "there", "no-such-package-anywhere")
    assert done.returncode == 1
    assert "No matching distribution found for no-such-package-anywhere" in done.stderr
    assert "done" not in done.stdout


def test_what_pip_is_at_is_told_with_its_size() -> None:
    states = list(runpy.run_path(str(INSTALL))["states"](SAID.splitlines(keepends=True)))
    assert [state for state, _ in states] == [
        "looking for torch",
        "fetching torch-2.15.0, 900.0 MB",
        "fetching torch-2.15.0, 0 MB of 900 MB; 0 MB in all",
        "fetching torch-2.15.0, 450 MB of 900 MB; 450 MB in all",
        "fetching torch-2.15.0, 900 MB of 900 MB; 900 MB in all",
        "looking for networkx",
        "fetching networkx-3.6, 200 kB",
        "fetching networkx-3.6, 0 MB of 0 MB; 900 MB in all",
        "fetching networkx-3.6, 0 MB of 0 MB; 900 MB in all",
        "unpacking",
    ]


def test_a_log_that_is_no_terminal_gets_a_line_for_what_is_large_alone() -> None:
    states = runpy.run_path(str(INSTALL))["states"](SAID.splitlines(keepends=True))
    assert [state for state, worth in states if worth] == ["fetching torch-2.15.0, 900.0 MB", "unpacking"]
