"""Check a deck's home: its folder and disk, its server and port, its database. The database is only read."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from traindeck.cli.checks.finding import Finding, good, wrong
from traindeck.db.migrate import newest_revision
from traindeck.pages.numbers import show_bytes
from traindeck.runs.files import read_json
from traindeck.system.ports import describe_owner, listen, owner_of
from traindeck.wording import counted

LOW_BYTES = 2_000_000_000
"""Checkpoints and event files soon fill a disk that has less than this free."""
BUSY_SECONDS = 5.0


def check_home(home: Path) -> list[Finding]:
    """Check that the folder can be written, its free disk space, and whether a server runs."""
    writable = _check_writable(home)
    return [writable, _check_room(home), *([_check_server(home)] if home.is_dir() else [])]


def first_existing(folder: Path) -> Path:
    """Return the folder, or its nearest ancestor that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def running_server(home: Path) -> dict[str, object] | None:
    """Return `url` and `pid` of the deck's server, or None if none runs. A server holds the lock while it runs."""
    lock = home / "server.lock"
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        return read_json(home / "server.json") or {}
    except OSError:
        return None


def _check_writable(home: Path) -> Finding:
    folder = first_existing(home)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        advice = "Allow your user to write there, or choose another folder with --home or TRAINDECK_HOME."
        return wrong("home", f"{folder} cannot be written: {error.strerror}", advice)
    return good("home", str(home) if folder == home else f"{home} will be created by the first `traindeck serve`")


def _check_room(home: Path) -> Finding:
    free = shutil.disk_usage(first_existing(home)).free
    found = f"{show_bytes(free)} free"
    if free < LOW_BYTES:
        return wrong("disk", found, f"Free some space, or choose a --home with more than {show_bytes(LOW_BYTES)}.")
    return good("disk", found)


def _check_server(home: Path) -> Finding:
    server = running_server(home)
    if server is None:
        return good("server", "none is running for this home")
    return good(
        "server", f"running at {server.get('url', 'an unknown address')} as process {server.get('pid', 'unknown')}"
    )


def check_port(host: str, port: int, home: Path) -> Finding:
    """Check that the port is free or this deck's own; otherwise find who uses it."""
    if port == 0:
        return good("port", "any free port")
    problem = _listen_error(host, port)
    if problem is None:
        return good("port", f"{port} is free")
    owner = owner_of(port)
    server = running_server(home)
    if server and owner is not None and server.get("pid") == owner.pid:
        return good("port", f"{port} is used by this deck's server")
    by = describe_owner(owner)
    return wrong(
        "port", f"{port} cannot be used: {problem}{by}", "Choose another one, such as `traindeck serve --port 8001`."
    )


def _listen_error(host: str, port: int) -> str | None:
    try:
        listen(host, port).close()
    except OSError as error:
        return str(error.strerror).lower()
    return None


def check_database(path: Path) -> Finding:
    """Check that a server can open the database: it is intact, and this version knows its schema."""
    if not path.exists() or not path.stat().st_size:
        return good("database", "none yet; the first `traindeck serve` creates it")
    try:
        with closing(_open(path)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
            if verdict != "ok":
                return _damaged(path, verdict)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not {"alembic_version", "run"} <= tables:
                return wrong("database", f"{path} is not a deck's database", "Choose another --home.")
            (runs,) = connection.execute("SELECT count(*) FROM run").fetchone()
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        advice = "Check which program has the file open, or name the deck's folder with --home."
        return wrong("database", f"{path} cannot be read: {error}", advice)
    except (sqlite3.DatabaseError, TypeError) as error:
        return _damaged(path, str(error))
    return _check_schema(path, str(revision), f"intact, with {counted(runs, 'run')}")


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _check_schema(path: Path, revision: str, found: str) -> Finding:
    newest = newest_revision()
    if revision > newest:
        advice = "Install the newest version: pip install --upgrade traindeck"
        return wrong("database", f"{path} has schema {revision}, and this version knows up to {newest}", advice)
    if revision < newest:
        return good(
            "database", f"{found}; schema {revision}; the next start makes a backup and upgrades it to {newest}"
        )
    return good("database", f"{found}; schema {revision}")


def _damaged(path: Path, verdict: str) -> Finding:
    backups = sorted((path.parent / "backups").glob("deck-*.db"))
    remedy = f"Copy the last backup over it: {backups[-1]}." if backups else "There is no backup. Move the file away."
    return wrong("database", f"{path} is damaged: {verdict}", f"Stop the server. {remedy}")
