"""`python -m benchmarks`, with a real server."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from benchmarks import rows
from benchmarks.crowd import METRICS, PARAMETERS, fill

from traindeck.db.migrate import migrate

CHECKOUT = Path(__file__).resolve().parents[2]


def benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_one_row_is_measured_printed_and_written(tmp_path: Path) -> None:
    done = benchmark("--quick", "--only", "server-start", "--json", tmp_path / "figures.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| what ")
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["quick"] is True
    assert written["failed"] == []
    assert written["machine"]["cores"] >= 1
    assert all(row["unit"] == "s" and row["value"] > 0 for row in written["rows"])


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    done = benchmark("--only", "nonsense")
    assert done.returncode == 2
    assert "first-step" in done.stderr


def test_every_row_of_the_table_has_its_measurement() -> None:
    assert all(callable(rows.find(name)) for name in rows.NAMES)


def test_a_crowd_of_runs_is_whole(tmp_path: Path) -> None:
    database = tmp_path / "deck.db"
    migrate(database)
    fill(database, 200)
    with closing(sqlite3.connect(database)) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("run", "attempt", "parameter", "scalar_summary", "run_tag")
        }
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert counts == {
        "run": 200, "attempt": 200, "parameter": 200 * len(PARAMETERS), "scalar_summary": 200 * len(METRICS),
        "run_tag": 400,
    }  # fmt: skip
