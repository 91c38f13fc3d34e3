"""Upgrade the database to the schema of this version when the server starts."""

import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import traindeck
from traindeck.db import derived
from traindeck.errors import DeckUnusable

SQLITE_HEADER = b"SQLite format 3\x00"
BACKUPS_KEPT = 5
FULL_CHECK_BYTES = 32 << 20
"""Up to this size, every page of the database is checked at start, which takes at most a tenth of a second."""


def migrate(path: Path) -> str | None:
    """Upgrade the database at `path`, or create it. A backup is made before an upgrade.

    Returns:
        The revision before the upgrade, or None for a new database.

    Raises:
        DeckUnusable: the file is not a deck's database, is damaged, or is newer than this version.
    """
    try:
        if path.exists() and path.stat().st_size:
            _check_is_database(path)
        else:
            _check_is_new(path)
        return _bring_up_to_date(path)
    except (sqlite3.Error, OSError) as error:
        raise DeckUnusable(f"the database {path} cannot be used: {error}") from error


def _bring_up_to_date(path: Path) -> str | None:
    current, newest = _revision(path), newest_revision()
    if current == newest:
        _renew_derived(path)
        return current
    if current is not None and current > newest:
        raise DeckUnusable(
            f"{path} is from a newer Traindeck (schema {current}; this version knows up to {newest}). {_newer(path)}"
        )
    advice = f"The backup made before is {back_up(path, f'before-{newest}')}." if current is not None else ""
    try:
        _upgrade(path)
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        raise DeckUnusable(f"{path} could not be upgraded, and is unchanged: {cause}. {advice}".rstrip()) from error
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {_as_number(traindeck.__version__)}")
    return current


def _as_number(version: str) -> int:
    """Return a version such as "1.12.3" as the number 11203, which SQLite stores in the file's header."""
    major, minor, patch = (int(part) for part in (re.findall(r"\d+", version) + ["0"] * 3)[:3])
    return major * 10_000 + minor * 100 + patch


def _newer(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
    if not number:
        return "Install that version, or the newest: pip install --upgrade traindeck"
    version = f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
    return f"Install version {version} or a later one: pip install 'traindeck>={version}'"


def migrations_folder() -> Path:
    """Return the folder of the migrations: in the installed package, or in the checkout."""
    package = Path(traindeck.__file__).parent
    installed = package / "_share" / "alembic"
    return installed if installed.is_dir() else package.parent.parent / "alembic"


def newest_revision() -> str:
    """Return the revision that this version needs: the number in the name of its last migration."""
    return max(file.name.split("_")[0] for file in (migrations_folder() / "versions").glob("[0-9]*.py"))


def back_up(path: Path, label: str) -> Path:
    """Make a consistent copy of the database in `backups/` beside it, atomically, and delete all but the last few."""
    folder = path.parent / "backups"
    folder.mkdir(exist_ok=True)
    target = folder / f"deck-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{label}.db"
    partial = target.with_name(f".{target.name}.partial")
    for left in folder.glob(".*.partial"):
        left.unlink()
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
    os.replace(partial, target)
    for old in sorted(folder.glob("deck-*.db"))[:-BACKUPS_KEPT]:
        old.unlink()
    return target


def _check_is_database(path: Path) -> None:
    with path.open("rb") as file:
        header = file.read(len(SQLITE_HEADER))
    problem = None if header == SQLITE_HEADER else "is not an SQLite database"
    if problem is None:
        try:
            with closing(sqlite3.connect(path)) as connection:
                verdict = _verdict(connection, path.stat().st_size)
            problem = None if verdict == "ok" else f"is damaged ({verdict})"
        except sqlite3.OperationalError:
            raise  # Locked or unreachable, and so not damaged.
        except sqlite3.DatabaseError as error:
            problem = f"is damaged ({error})"
    if problem:
        raise DeckUnusable(f"{path} {problem}. {_advice(path)}")


def _verdict(connection: sqlite3.Connection, size_bytes: int) -> str:
    """Return "ok" or what is wrong. Check every page, or, for a large file, its length and schema."""
    if size_bytes <= FULL_CHECK_BYTES:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    whole = pages * page_bytes <= size_bytes or Path(f"{_file_of(connection)}-wal").exists()
    return "ok" if whole else f"it has {size_bytes} bytes of {pages * page_bytes}"


def _file_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def _check_is_new(path: Path) -> None:
    """Refuse to create a database beside existing runs or backups: it would give their numbers again."""
    backups, runs = path.parent / "backups", path.parent / "runs"
    if any(backups.glob("deck-*.db")) or any(runs.glob("[0-9]*")):
        state = "is empty" if path.exists() else "is gone"
        raise DeckUnusable(f"{path} {state}, but there are runs or backups beside it. {_advice(path)}")


def _advice(path: Path) -> str:
    backups = sorted((path.parent / "backups").glob("deck-*.db"))
    if not backups:
        return f"There is no backup. Move {path.parent} away to start with an empty deck."
    return f"The last backup is {backups[-1]}. Copy it over the file to restore it."


def _revision(path: Path) -> str | None:
    if not path.exists() or not path.stat().st_size:
        return None
    with closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        if "alembic_version" not in tables or "run_event" not in tables:
            raise DeckUnusable(f"{path} is not a deck's database. Choose another --home.")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _renew_derived(path: Path) -> None:
    """Replace the triggers if they are not those of this version, for example after a change of SQLite."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if derived.is_current(connection.execute):
            return
        connection.execute("BEGIN IMMEDIATE")
        derived.install(connection.execute)
        connection.execute("COMMIT")


def _upgrade(path: Path) -> None:
    # Imported here, so that a deck that is up to date, the usual case, starts without Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["database_path"] = path
    command.upgrade(config, "head")
