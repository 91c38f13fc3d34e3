"""A home may be called anything, and be reached by several names: it is one deck, and shares nothing with another."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from support.served import ServedDeck
from support.waiting import wait_for
from traindeck.cli.checks import check_database
from traindeck.db.engine import Database
from traindeck.db.migrate import back_up, migrate
from traindeck.db.tables import Run
from traindeck.errors import DeckUnusable
from traindeck.executors.local.executor import attempt_mark
from traindeck.runner.identity import marked
from traindeck.runner.order import ScriptOrder
from traindeck.runner.program import Program
from traindeck.runner.variables import HOOK, PLACEHOLDER, variables_of_start
from traindeck.runs.files import DeckFiles
from traindeck.settings import Settings

NAMES = [
    "a?b", "a?mode=memory", "?", "a%20b", "a b", "%", "%(here)s", "a#b", "a&b=c", "it's \"quoted\"", "file:x", ":memory:",
    "a:b", "a;b", "sqlite:", "тест", "日本", "a\u0301", "[x]*", "{0}", "$HOME", "~", "a\\b", "a\nb", "-x", "+", "@", "a,b",
]  # fmt: skip


def made(home: Path) -> DeckFiles:
    files = DeckFiles(home)
    files.prepare()
    migrate(files.database)
    return files


def names_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM run")]


@pytest.mark.parametrize("name", NAMES)
def test_a_home_of_any_name_has_a_database_of_its_own(tmp_path: Path, name: str) -> None:
    files = made(tmp_path / name)
    database = Database(files.database)
    with database.write() as session:
        session.add(Run(name="mine", trainer="mnist"))
    with database.read() as session:
        assert session.get_one(Run, 1).name == "mine"
    database.close()

    assert os.listdir(tmp_path) == [name]
    assert names_in(files.database) == ["mine"]
    assert names_in(back_up(files.database, "test")) == ["mine"]
    assert check_database(files.database).ok


@pytest.mark.parametrize(("one", "other"), [("d?a", "d?b"), ("d%20a", "d a"), ("d#a", "d#b"), ("d?a", "d")])
def test_two_homes_never_share_a_database(tmp_path: Path, one: str, other: str) -> None:
    for name in (one, other):
        database = Database(made(tmp_path / name).database)
        with database.write() as session:
            session.add(Run(name=name, trainer="mnist"))
        database.close()

    assert names_in(tmp_path / one / "deck.db") == [one]
    assert names_in(tmp_path / other / "deck.db") == [other]


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a#b"])
def test_refusals_name_the_file_of_an_oddly_named_home(tmp_path: Path, name: str) -> None:
    files = made(tmp_path / name)
    copy = back_up(files.database, "before")
    with closing(sqlite3.connect(files.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0777'")
    with pytest.raises(DeckUnusable, match="schema 0777"):
        migrate(files.database)
    files.database.write_bytes(files.database.read_bytes()[:5000])
    with pytest.raises(DeckUnusable) as caught:
        migrate(files.database)
    assert f"The last backup is {copy}" in str(caught.value)


def test_a_reader_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    database = Database(made(tmp_path / "home").database)
    (tmp_path / "home" / "deck.db").unlink()
    with pytest.raises(Exception, match="unable to open"), database.read() as session:
        session.get(Run, 1)
    database.close()
    assert not (tmp_path / "home" / "deck.db").exists()


def test_a_home_whose_path_is_not_utf8_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be a path in UTF-8"):
        Settings(home=Path(os.fsdecode(b"/tmp/\xff")))


def test_a_home_has_the_same_marks_by_each_of_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    monkeypatch.chdir(tmp_path)
    ways = [tmp_path / "home", tmp_path / "link", tmp_path / "link" / ".." / "home", Settings(home=Path("link")).home]
    assert len({attempt_mark(DeckFiles(way), 3, 1) for way in ways}) == 1
    assert attempt_mark(DeckFiles(tmp_path / "home"), 3, 2) != attempt_mark(DeckFiles(tmp_path / "home"), 3, 1)
    assert attempt_mark(DeckFiles(tmp_path / "other"), 3, 1) != attempt_mark(DeckFiles(tmp_path / "home"), 3, 1)


def test_an_ordered_attempt_keeps_its_mark_when_the_home_is_renamed(tmp_path: Path) -> None:
    files = DeckFiles(tmp_path / "home")
    mark = attempt_mark(files, 3, 1)
    order = files.run(3).attempt(1).order
    order.parent.mkdir(parents=True)
    order.write_text(f'{{"mark": "{mark}"}}')
    files.home.rename(tmp_path / "elsewhere")
    assert attempt_mark(DeckFiles(tmp_path / "elsewhere"), 3, 1) == mark


@pytest.mark.parametrize("mark", ['""', f'"{PLACEHOLDER}"', "null", "7", '"../../x"', '"' + "a" * 31 + '"'])
def test_a_mark_that_is_none_is_not_believed(tmp_path: Path, mark: str) -> None:
    files = DeckFiles(tmp_path)
    mine = attempt_mark(files, 1, 1)
    order = files.run(1).attempt(1).order
    order.parent.mkdir(parents=True)
    order.write_text(f'{{"mark": {mark}}}')
    assert attempt_mark(files, 1, 1) == mine


@pytest.mark.parametrize("name", ["a:b", "a b"])
def test_a_module_in_a_folder_of_any_name_is_found_and_its_children_have_the_path_as_it_was(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "mine.py").write_text("import os, sys; print(sys.path[0], os.environ['PYTHONPATH'], sep='|')")
    variables = {**os.environ, "PYTHONPATH": HOOK}
    variables.update(
        variables_of_start(ScriptOrder(Program(kind="module", module="mine"), path0=str(folder)), variables)
    )
    command = [sys.executable, "-m", "mine"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{folder}|{HOOK}"


ODD = "my decks/what? 100%20 #1: \"ü\" 'x' [a]*"


def test_a_deck_with_an_odd_name_works_and_a_killed_shims_daemon_is_found_by_another_name(
    tmp_path: Path, stubs: Path
) -> None:
    home = tmp_path / ODD
    deck = ServedDeck(home, cpus=2, grace_seconds=1, cold=True)
    deck.start()
    try:
        source = (
            "from torch.utils.tensorboard import SummaryWriter\n"
            "with SummaryWriter() as writer:\n    writer.add_scalar('loss', 0.5, 1)\n"
        )
        run_id = deck.launch(source)["id"]
        deck.wait_for_status(run_id, "completed", seconds=60)
        wait_for(lambda: deck.run(run_id)["metrics"].get("loss"), "the metric is read")
        assert deck.client.get(f"/runs/{run_id}/tensorboard/data/runs").json()
        assert deck.client.get("/", headers={"Accept": "text/html"}, follow_redirects=True).is_success

        escaped = deck.launch(script={"path": str(stubs / "escapes.py"), "args": ["hang"]})["id"]
        deck.wait_for_line(escaped, "escaped")
        wait_for(lambda: len(marked(attempt_mark(DeckFiles(home), escaped, 1))) > 1, "a daemon has escaped")
        deck.kill()
        os.kill(deck.process_record(escaped)["shim"]["pid"], signal.SIGKILL)

        link = tmp_path / "link"
        link.symlink_to(home)
        deck.home = link
        deck.start()
        deck.wait_for_status(escaped, "lost")
        assert not marked(attempt_mark(DeckFiles(home), escaped, 1))
    finally:
        deck.end()
