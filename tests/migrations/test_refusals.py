"""Databases that are not opened: newer, foreign, damaged, gone. Never is an empty one put in their place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from traindeck.db.migrate import back_up, migrate
from traindeck.errors import DeckUnusable


def refusal(path: Path) -> str:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DeckUnusable) as caught:
        migrate(path)
    assert (path.read_bytes() if path.exists() else None) == before
    return str(caught.value)


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_database_of_a_newer_program_is_refused_with_the_version_to_install(filled):
    execute(filled, "UPDATE alembic_version SET version_num = '0777'", "PRAGMA user_version = 11203")

    assert "schema 0777" in refusal(filled)
    assert "pip install 'traindeck>=1.12.3'" in refusal(filled)


def test_a_newer_database_that_does_not_say_its_version_is_refused_with_the_newest_to_install(filled):
    execute(filled, "UPDATE alembic_version SET version_num = '0777'", "PRAGMA user_version = 0")

    assert "pip install --upgrade traindeck" in refusal(filled)


def test_an_upgrade_writes_down_by_which_version_it_was_made(path):
    from traindeck import __version__

    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
    assert f"{number // 10_000}.{number // 100 % 100}.{number % 100}" == __version__


def damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    damages = {
        "text": b"this is a note to myself\n" * 500,
        "half": content[: len(content) // 2],
        "header only": content[:16],
        "one page": content[:4096],
        "zeroed in the middle": content[:8192] + b"\0" * (len(content) - 8192),
        "empty": b"",
    }
    path.write_bytes(damages[how])


DAMAGES = ["text", "half", "header only", "one page", "zeroed in the middle", "empty"]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_database_is_refused_and_the_last_copy_named(filled, how):
    back_up(filled, "older")
    last = back_up(filled, "newer")
    damaged(filled, how)

    assert f"The last backup is {last}" in refusal(filled)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_database_without_a_copy_is_refused_too(filled, how):
    (filled.parent / "runs" / "1").mkdir(parents=True)
    damaged(filled, how)

    assert "There is no backup" in refusal(filled)


def test_a_database_that_is_gone_while_its_runs_are_there_is_not_begun_anew(filled):
    (filled.parent / "runs" / "1").mkdir(parents=True)
    filled.unlink()

    assert "is gone, but there are runs" in refusal(filled)
    assert not filled.exists()


def test_a_home_with_nothing_in_it_gets_a_new_database(path):
    (path.parent / "runs").mkdir()
    path.touch()

    assert migrate(path) is None


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE notes (text)"],
        ["CREATE TABLE notes (text)", "CREATE TABLE alembic_version (version_num)"],
        ["CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('ae1027a6acf')"],
    ],
)
def test_a_database_of_another_program_is_refused(path, statements):
    execute(path, *statements)

    assert "not a deck's database" in refusal(path)


def test_a_database_that_somebody_else_has_locked_is_refused_and_not_waited_for_without_end(filled, add_migration):
    add_migration()
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DeckUnusable, match="could not be upgraded, and is unchanged: database is locked"):
            migrate(filled)


def test_a_folder_in_the_place_of_the_database_is_refused(path):
    path.mkdir()

    with pytest.raises(DeckUnusable, match="cannot be used"):
        migrate(path)
