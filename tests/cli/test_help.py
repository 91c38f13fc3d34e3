"""What the command line says of itself, and what the documentation says of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from traindeck import __version__
from traindeck.cli.exits import Exit, exit_of
from traindeck.cli.main import app
from traindeck.runs.status import FINAL

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
COMMANDS = typer.main.get_command(app).commands
HEAVY = ("httpx", "pydantic", "fastapi", "uvicorn", "sqlmodel", "sqlalchemy", "torch", "numpy", "tensorboard")


def section(command: str) -> str:
    """What the page says under the heading of a command."""
    found = re.search(rf"^## `traindeck {command}\b.*?(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"docs/command-line.md has no section on {command}"
    return found[0]


def options() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            yield from ((name, option) for option in parameter.opts if option.startswith("-"))


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_a_section(command: str) -> None:
    assert section(command)


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_every_option_is_documented_with_its_command(command: str, option: str) -> None:
    assert f"`{option}" in section(command)


def test_no_option_is_documented_that_is_not_there() -> None:
    for command in COMMANDS:
        known = {option for name, option in options() if name == command}
        for row in re.findall(r"^\| (`-.*?) \|", section(command), re.MULTILINE):
            assert set(re.findall(r"`(--?[\w-]+)", row)) <= known, f"{command}: {row}"


def test_the_page_and_the_program_have_the_same_exit_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert {int(code): name for code, name in rows} == {exit_code.value: exit_code.name for exit_code in Exit}


@pytest.mark.parametrize("status", sorted(FINAL))
def test_every_end_of_a_run_has_an_exit_code_of_its_kind(status: str) -> None:
    assert exit_of(status) in {Exit.OK, Exit.RUN_FAILED, Exit.RUN_CANCELLED}
    assert (exit_of(status) is Exit.OK) == (status == "completed")


def test_help_needs_nothing_heavy() -> None:
    program = f"import sys, traindeck.cli; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([command, "--help"] for command in ("serve", "launch"))])
def test_help_is_printed_and_is_no_error(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "traindeck.cli", *arguments], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage: traindeck" in done.stdout


def test_the_version_is_printed() -> None:
    command = [sys.executable, "-m", "traindeck.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"traindeck {__version__}\n"
