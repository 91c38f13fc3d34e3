"""Runs the migrations in one transaction: killed at any statement, the database is as it was before."""

from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, event
from sqlmodel import SQLModel

from traindeck.db.derived import install, is_index, remove_triggers
from traindeck.db.engine import url_of
from traindeck.db.tables import UtcDateTime
from traindeck.settings import Settings


def render_item(kind, item, autogen_context):
    """Name our own column type in generated migrations by its import."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen_context.imports.add("from traindeck.db.tables import UtcDateTime")
        return "UtcDateTime()"
    return False


def include_name(name, kind, _parents):
    """Leave out of autogenerate what `derived.py` makes."""
    return kind != "table" or not is_index(name)


def connect(path: Path):
    """An engine whose transactions hold the write lock from the start, with foreign keys off.

    A batch rebuild drops the old table, and with foreign keys on that would delete every row that refers to it.
    """
    engine = create_engine(url_of(path), connect_args={"isolation_level": None})

    @event.listens_for(engine, "connect")
    def prepare(connection, _record):
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def counters(connection):
    """Where each table that counts up (AUTOINCREMENT) has got to, by its name."""
    master = "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'"
    if not connection.exec_driver_sql(master).scalar():
        return {}
    return dict(connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").fetchall())


def keep_counting(connection, counted):
    """Go on from the same numbers: a rebuilt table counts from its last row, and gave a deleted run's number again."""
    for name, number in counted.items():
        values = {"name": name, "number": number}
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = :number WHERE name = :name", values)


def run() -> None:
    """Upgrade the database that the caller named, or that of the settings for the `alembic` command."""
    path = context.config.attributes.get("database_path") or Settings().home / "deck.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = connect(path)
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine) -> None:
    """Run the migrations in one transaction, which fails where they would leave rows that refer to nothing."""
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            render_as_batch=True,
            render_item=render_item,
            include_name=include_name,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            counted = counters(connection)
            remove_triggers(connection.exec_driver_sql)
            context.run_migrations()
            keep_counting(connection, counted)
            install(connection.exec_driver_sql)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the migration would leave rows that refer to nothing: {broken[:5]}")


run()
