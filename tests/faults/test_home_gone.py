"""A home that is renamed, removed or replaced while its deck is served: 503, nothing made in its place, and recovery."""

import os
import shutil
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import select

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.db.engine import Database
from traindeck.db.migrate import migrate
from traindeck.db.tables import Run
from traindeck.errors import HomeGone
from traindeck.runner.claim import give_up_attempt
from traindeck.runs.files import DeckFiles


@pytest.fixture
def database(tmp_path: Path) -> Database:
    files = DeckFiles(tmp_path / "home")
    files.prepare()
    migrate(files.database)
    return Database(files.database)


def add(database: Database, name: str = "a") -> None:
    with database.write() as session:
        session.add(Run(name=name, trainer="mnist"))


def count(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(Run.id)).all())


def test_nothing_is_written_into_a_renamed_home_until_it_is_back(database: Database, tmp_path: Path) -> None:
    add(database)
    (tmp_path / "home").rename(tmp_path / "moved")
    with pytest.raises(HomeGone, match="is gone"):
        add(database)
    (tmp_path / "home").mkdir()
    with pytest.raises(HomeGone, match="was replaced by another folder"):
        add(database)
    assert os.listdir(tmp_path / "home") == []
    (tmp_path / "home").rmdir()
    (tmp_path / "moved").rename(tmp_path / "home")
    add(database)
    assert count(database) == 2
    database.close()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_nothing_is_written_into_a_database_file_that_lost_its_name(
    database: Database, tmp_path: Path, how: str
) -> None:
    add(database)
    path = tmp_path / "home" / "deck.db"
    copy = shutil.copy(path, tmp_path / "copy.db")
    path.unlink()
    if how == "replaced":
        os.rename(copy, path)
    with pytest.raises(HomeGone, match=r"is gone|was replaced"):
        add(database)
    database.close()


def test_no_reader_takes_another_decks_database_for_its_own(database: Database, tmp_path: Path) -> None:
    (tmp_path / "home").rename(tmp_path / "moved")
    other = DeckFiles(tmp_path / "home")
    other.prepare()
    migrate(other.database)
    with pytest.raises(HomeGone), database.read() as session:
        session.get(Run, 1)
    database.close()


def test_a_deck_that_closes_leaves_the_wal_of_another_deck_at_its_place(database: Database, tmp_path: Path) -> None:
    add(database)
    assert count(database) == 1
    (tmp_path / "home").rename(tmp_path / "moved")
    other = DeckFiles(tmp_path / "home")
    other.prepare()
    migrate(other.database)
    theirs = Database(other.database)
    add(theirs, "theirs")
    database.close()
    add(theirs, "later")
    # As a killed server leaves it: what was written is in the WAL alone.
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    theirs.close()
    with closing(sqlite3.connect(tmp_path / "copy" / "deck.db")) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM run ORDER BY id")] == ["theirs", "later"]


def test_no_attempt_folder_is_made_where_there_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        give_up_attempt(tmp_path / "home" / "runs" / "1" / "attempt-1")
    assert os.listdir(tmp_path) == []


WRITES_LATER = """
import sys, time
from pathlib import Path
print("up", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.02)
Path("made").write_text("x")
sys.exit(3)
"""


@pytest.mark.parametrize("in_its_place", ["nothing", "an empty folder"])
def test_a_deck_whose_home_is_renamed_answers_503_makes_nothing_and_goes_on_when_it_is_back(
    deck: ServedDeck, stubs: Path, tmp_path: Path, in_its_place: str
) -> None:
    hanging = deck.launch(script={"path": str(stubs / "hangs.py")})["id"]
    gate = tmp_path / "gate"
    body = {"source": WRITES_LATER, "filename": "w.py", "args": [str(gate)]}
    ending = deck.launch(script=body)["id"]
    deck.wait_for_line(hanging, "hanging")
    deck.wait_for_line(ending, "up")
    waiting = deck.launch("print(1)")["id"]
    away = tmp_path / "away"
    deck.home.rename(away)
    if in_its_place != "nothing":
        deck.home.mkdir()

    script = {"script": {"source": "print(1)", "filename": "s.py"}}
    answers = [
        deck.client.post("/runs", json=script),
        deck.client.post(f"/runs/{hanging}/cancel"),
        deck.client.patch(f"/runs/{hanging}", json={"notes": "x"}),
        deck.client.delete(f"/runs/{waiting}"),
        deck.client.post(f"/runs/{ending}/retry"),
        deck.client.post("/uploads", files={"file": ("a.py", b"print(1)")}),
        deck.client.get(f"/runs/{hanging}/log"),
        deck.client.get(f"/runs/{hanging}/files"),
        deck.client.get(f"/runs/{hanging}/tensorboard/"),
        deck.client.get("/runs", headers={"Accept": "text/html"}),
        deck.client.get("/healthz"),
    ]
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    assert "Retry-After" in answers[0].headers
    assert str(deck.home) in answers[0].json()["detail"]

    # The run ends while the home is away: its record is written where its folder is.
    gate.touch()
    wait_for((away / f"runs/{ending}/attempt-1/exit.json").exists, "the exit record is written")
    assert (away / f"runs/{ending}/attempt-1/work/made").exists()
    wait_for(lambda: "dispatch waits" in deck.log, "the server says so")
    if in_its_place != "nothing":
        assert os.listdir(deck.home) == []
        deck.home.rmdir()
    assert not deck.home.exists()
    away.rename(deck.home)

    run = deck.wait_for_status(ending, "failed")
    assert run["status_reason"].startswith("exit code 3")
    deck.wait_for_status(waiting, "completed")
    assert deck.run(hanging)["status"] == "running"
    assert deck.client.patch(f"/runs/{hanging}", json={"notes": "x"}).status_code == 200
    assert deck.log.count("dispatch waits") == 1


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_that_others_could_read_is_closed_to_them_and_that_is_said(tmp_path: Path) -> None:
    files = DeckFiles(tmp_path / "home")
    files.prepare()
    for name in ("deck.db", "deck.db-wal", "deck.db-shm", "server.lock", "logs/forkserver.log", "mine.txt"):
        (files.home / name).touch()
        (files.home / name).chmod(0o664)
    (tmp_path / "shared").mkdir(mode=0o755)
    (files.home / "cache").symlink_to(tmp_path / "shared")
    for folder in (files.home, files.runs, files.logs):
        folder.chmod(0o755)

    found = files.tighten()

    assert {path.name for path in found} == {
        "home", "runs", "logs", "deck.db", "deck.db-wal", "deck.db-shm", "server.lock", "forkserver.log",
    }  # fmt: skip
    assert mode(files.home) == mode(files.runs) == 0o700
    assert mode(files.database) == mode(files.home / "server.lock") == 0o600
    assert mode(files.home / "mine.txt") == 0o664
    assert mode(tmp_path / "shared") == 0o755
    assert files.tighten() == []


SHOWS_UMASK = """
import os, subprocess, sys
mask = os.umask(0); os.umask(mask)
print(oct(mask), subprocess.run(["sh", "-c", "umask"], capture_output=True, text=True).stdout.strip())
open("shared.txt", "w").close()
"""


@pytest.mark.parametrize("cold", [True, False])
def test_what_the_deck_makes_is_its_users_alone_and_a_run_has_the_umask_of_the_shell(
    tmp_path: Path, cold: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    deck = ServedDeck(home, cpus=2, grace_seconds=1, cold=cold)
    umask = os.umask(0o027)
    try:
        deck.start()
    finally:
        os.umask(umask)
    try:
        if not cold:
            deck.wait_until_warm()
        runs = [deck.launch(SHOWS_UMASK)["id"]]
        command = [sys.executable, "-c", SHOWS_UMASK]
        runs.append(deck.launch(script={"command": command})["id"])
        for run_id in runs:
            deck.wait_for_status(run_id, "completed")
            assert deck.log_of(run_id).split() == ["0o27", "0027"]
            assert mode(home / f"runs/{run_id}/attempt-1/work/shared.txt") == 0o640
        assert f"other users could read {home}" in deck.log
        work = {home / f"runs/{run_id}/attempt-1/work" for run_id in runs}
        made = [path for path in home.rglob("*") if not path.is_symlink() and not work & {path, *path.parents}]
        # Kept contents are read-only files, which are linked into several runs.
        assert [path for path in made if mode(path) & 0o077 and mode(path) != 0o444] == []
        assert mode(home) == 0o700
    finally:
        deck.end()
