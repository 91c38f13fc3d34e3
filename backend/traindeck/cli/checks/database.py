"""The database file: whole, and of a schema that this program knows. It is only read."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.counting import counted
from traindeck.db.migrate import newest_revision

WAIT_SECONDS = 5.0


def check_database(path: Path) -> Finding:
    """Whether a server can open it."""
    if not path.exists() or not path.stat().st_size:
        return good("database", "none yet: the first `traindeck serve` makes it")
    try:
        with closing(_open(path)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if verdict != "ok":
                return _damaged(path, verdict)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not {"alembic_version", "run"} <= tables:
                return wrong("database", f"{path} is a database, but not of a deck", "Choose another --home.")
            (runs,) = connection.execute("SELECT count(*) FROM run").fetchone()
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        advice = "See who has the file open, or choose the deck's own folder with --home."
        return wrong("database", f"{path} cannot be read: {error}", advice)
    except (sqlite3.DatabaseError, TypeError) as error:
        return _damaged(path, str(error))
    return _check_schema(path, str(revision), f"whole, with {counted(runs, 'run')}")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=WAIT_SECONDS)


def _check_schema(path: Path, revision: str, found: str) -> Finding:
    newest = newest_revision()
    if revision > newest:
        advice = "Install the version that made it, or the newest: pip install --upgrade traindeck"
        return wrong("database", f"{path} has schema {revision}, and this program knows {newest}", advice)
    if revision < newest:
        return good("database", f"{found}; schema {revision} becomes {newest} at the next start, after a backup")
    return good("database", f"{found}; schema {revision}")


def _damaged(path: Path, verdict: str) -> Finding:
    backups = sorted((path.parent / "backups").glob("deck-*.db"))
    back = f"Copy the last backup over it: {backups[-1]}." if backups else "There is no backup: move it away."
    return wrong("database", f"{path} is damaged: {verdict}", f"Stop the server. {back}")
