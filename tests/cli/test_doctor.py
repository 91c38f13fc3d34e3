"""`traindeck doctor`, and each of its checks."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cli.conftest import CommandLine
from traindeck.cli.checks import (
    Driver,
    Finding,
    TorchReport,
    check_compatibility,
    check_database,
    check_home,
    check_port,
    check_version,
    named_parts,
)
from traindeck.db.migrate import migrate, newest_revision
from traindeck.pages.frontend import frontend_folder
from traindeck.trainers.requirements import requirement_of

DRIVER = Driver("580.1", (13, 0), ("H100",))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A deck's database, without a run."""
    path = tmp_path / "deck.db"
    migrate(path)
    return path


def test_a_machine_where_all_is_well_gets_ok_and_exit_code_0(traindeck: CommandLine) -> None:
    done = traindeck("doctor", "--port", 0)
    assert (done.returncode, done.stderr) == (0, "")
    checks = ("traindeck", "python", "torch", "torchvision", "tensorboard", "gpus", "home", "disk", "database", "npm")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(checks) <= set(lines)
    assert f"running at {traindeck.deck.url}" in lines["server"]


def test_what_is_wrong_comes_with_what_to_do_and_exit_code_1(traindeck: CommandLine, tmp_path: Path) -> None:
    home = tmp_path / "broken"
    home.mkdir()
    (home / "deck.db").write_text("not a database at all")
    done = traindeck("doctor", "--home", home, "--port", 0, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr, report["ok"]) == (1, "", False)
    (bad,) = [check for check in report["checks"] if not check["ok"]]
    assert bad["check"] == "database"
    assert bad["advice"]


def test_a_database_that_is_whole_is_ok_and_stays_as_it_was(database: Path) -> None:
    before = database.read_bytes()
    assert check_database(database) == Finding("database", True, f"intact, with 0 runs; schema {newest_revision()}")
    assert database.read_bytes() == before


def test_a_deck_that_has_not_begun_is_ok(tmp_path: Path) -> None:
    assert check_database(tmp_path / "deck.db").ok
    assert all(finding.ok for finding in check_home(tmp_path / "not" / "yet"))
    assert not (tmp_path / "not").exists()


def test_a_damaged_database_is_found_and_its_last_backup_named(database: Path) -> None:
    backups = database.parent / "backups"
    backups.mkdir()
    shutil.copy(database, backups / "deck-20260101T000000000000Z-before-0001.db")
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(content)
    finding = check_database(database)
    assert not finding.ok
    assert "damaged" in finding.found
    assert "deck-20260101T000000000000Z-before-0001.db" in finding.advice


def test_a_database_of_a_newer_traindeck_names_both_schemas(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    finding = check_database(database)
    assert not finding.ok
    assert "has schema 9999" in finding.found


def test_a_database_of_something_else_is_not_taken_for_a_deck(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "deck.db")) as connection:
        connection.execute("CREATE TABLE run (id)")
        connection.commit()
    finding = check_database(tmp_path / "deck.db")
    assert (finding.ok, "not a deck's database" in finding.found) == (False, True)


def test_a_port_in_use_is_told_with_its_owner(listener: socket.socket, tmp_path: Path) -> None:
    program = (
        "import socket,sys; s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        finding = check_port("127.0.0.1", int(other.stdout.readline()), tmp_path)
        other.kill()
    assert not finding.ok
    assert f"by process {other.pid}" in finding.found
    port = listener.getsockname()[1]
    listener.close()
    assert check_port("127.0.0.1", port, tmp_path).ok


def test_the_port_of_the_deck_itself_is_ok(traindeck: CommandLine) -> None:
    port = int(traindeck.deck.url.rpartition(":")[2])
    assert check_port("127.0.0.1", port, traindeck.deck.home).found == f"{port} is used by this deck's server"


def test_a_home_that_cannot_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = check_home(tmp_path / "file" / "home")[0]
    assert (finding.ok, finding.check) == (False, "home")
    assert "--home" in finding.advice


def test_a_version_outside_of_the_bounds_is_told_with_what_to_install() -> None:
    bounds = Requirement("tensorboard>=2.21,<2.22")
    assert [check_version(bounds, found).ok for found in ("2.20.0", "2.21.0", "2.21.1", "2.22.0a1", "3.0")] == [
        *(False, True, True, False, False)
    ]
    finding = check_version(bounds, "2.22.0")
    assert finding.found == "2.22.0 is outside of <2.22,>=2.21"
    assert finding.advice == 'pip install "tensorboard<2.22,>=2.21"'


def test_the_bounds_are_those_of_the_installed_package() -> None:
    assert requirement_of("tensorboard").specifier.contains(version("tensorboard"))
    assert not requirement_of("tensorboard").specifier.contains("2.20.0")
    assert not requirement_of("unheard-of").specifier


@pytest.mark.parametrize(
    ("driver", "report", "found"),
    [
        (DRIVER, TorchReport("ImportError: no", None, 0), "torch cannot be imported"),
        (DRIVER, TorchReport(None, None, 0), "built for the CPU only"),
        (Driver("525.1", (12, 0), ("A",)), TorchReport(None, "13.2", 0), "driver 525.1 is older"),
        (DRIVER, TorchReport(None, "13.2", 0), "torch sees none of the 1"),
    ],
)
def test_gpus_that_torch_cannot_use_are_told_with_the_reason(driver: Driver, report: TorchReport, found: str) -> None:
    finding = check_compatibility(driver, report)
    assert not finding.ok
    assert found in finding.found
    assert finding.advice


def test_a_driver_of_the_same_major_cuda_serves_a_torch_of_a_later_minor_one() -> None:
    assert check_compatibility(DRIVER, TorchReport(None, "13.2", 1)).ok


def test_the_pages_name_parts_and_every_one_of_them_is_looked_for() -> None:
    parts = named_parts(frontend_folder())
    assert {"vendor/htmx.js", "vendor/inter/greek.woff2", "pages/runs.js", "pages/error.css"} <= parts
