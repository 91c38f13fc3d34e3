"""Data that triggers keep up to date: the number of runs by status, the text of each run, an index over that text.

Triggers cover every writer. They are not part of migrations: rebuilding a table drops its triggers, and a trigger that
names a temporarily missing table makes the rebuild fail. So every upgrade first removes all triggers, and creates those
of this version at its end.

The index is FTS5's with trigrams, which finds any three characters without reading the texts. Without FTS5, words are
searched in the texts themselves. Only this module and `runs/words.py` contain search code that is specific to SQLite.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import Any

from traindeck.db.tables import STATUSES

Execute = Callable[[str], Any]

SEPARATOR = "\x1f"
"""Separates the parts of a run's text. Two of them end it, so that each of its characters begins a trigram."""

INDEX, VOCABULARY = "run_search", "run_search_terms"
FULL_TEXT = f"CREATE VIRTUAL TABLE {INDEX} USING fts5(text, content='run_text', content_rowid='run_id', \
tokenize='trigram', columnsize=0)"
TERMS = f"CREATE VIRTUAL TABLE {VOCABULARY} USING fts5vocab({INDEX}, 'instance')"


def _text_of(run: str) -> str:
    tags = f"SELECT group_concat(tag, char(31)) FROM run_tag WHERE run_id = {run}.id"
    parts = (f"{run}.name", f"coalesce({run}.trainer, '')", f"{run}.notes", f"coalesce(({tags}), '')")
    return " || char(31) || ".join(parts) + " || char(31) || char(31)"


def _retext(tag: str) -> str:
    # Deleting a run deletes its tags; then there is no text to update.
    own = f"run_id = {tag}.run_id AND EXISTS (SELECT 1 FROM run WHERE id = {tag}.run_id)"
    return f"UPDATE run_text SET text = (SELECT {_text_of('run')} FROM run WHERE id = {tag}.run_id) WHERE {own};"


def _counted(status: str, change: int) -> str:
    return f"UPDATE status_count SET runs = runs + {change} WHERE status = {status};"


_INDEXED = f"INSERT INTO {INDEX} (rowid, text) VALUES (new.run_id, new.text);"
_UNINDEXED = f"INSERT INTO {INDEX} ({INDEX}, rowid, text) VALUES ('delete', old.run_id, old.text);"

TRIGGERS = {
    "run_inserted": f"AFTER INSERT ON run BEGIN {_counted('new.status', 1)}"
    f" INSERT INTO run_text (run_id, text) VALUES (new.id, {_text_of('new')}); END",
    "run_deleted": f"AFTER DELETE ON run BEGIN {_counted('old.status', -1)}"
    " DELETE FROM run_text WHERE run_id = old.id; END",
    "run_moved": f"AFTER UPDATE OF status ON run BEGIN {_counted('old.status', -1)} {_counted('new.status', 1)} END",
    "run_described": "AFTER UPDATE OF name, trainer, notes ON run BEGIN"
    f" UPDATE run_text SET text = {_text_of('new')} WHERE run_id = new.id; END",
    "run_tagged": f"AFTER INSERT ON run_tag BEGIN {_retext('new')} END",
    "run_untagged": f"AFTER DELETE ON run_tag BEGIN {_retext('old')} END",
    "run_retagged": f"AFTER UPDATE ON run_tag BEGIN {_retext('old')} {_retext('new')} END",
}
INDEX_TRIGGERS = {
    "run_text_inserted": f"AFTER INSERT ON run_text BEGIN {_INDEXED} END",
    "run_text_deleted": f"AFTER DELETE ON run_text BEGIN {_UNINDEXED} END",
    "run_text_updated": "AFTER UPDATE OF text ON run_text WHEN old.text IS NOT new.text"
    f" BEGIN {_UNINDEXED} {_INDEXED} END",
}


@cache
def has_full_text() -> bool:
    """Return whether this SQLite has FTS5 with trigrams (since 3.34, unless built without)."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram')")
        except sqlite3.OperationalError:
            return False
    return True


def is_current(execute: Execute) -> bool:
    """Return whether the database has exactly the triggers of this version that this SQLite supports."""
    there = dict(execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    return there == {name: f"CREATE TRIGGER {name} {does}" for name, does in _wanted().items()}


def remove_triggers(execute: Execute) -> None:
    """Remove all triggers, as before a migration."""
    for (name,) in execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        execute(f'DROP TRIGGER "{name}"')


def install(execute: Execute) -> None:
    """Create the triggers, and compute their data from the present rows. Do nothing if the tables are missing.

    Call this in a transaction.
    """
    if not set(_tables(execute)) >= {"run_text", "status_count"}:
        return
    remove_triggers(execute)
    execute("DELETE FROM status_count")
    for status in STATUSES:
        execute(
            f"INSERT INTO status_count (status, runs) SELECT '{status}', count(*) FROM run WHERE status = '{status}'"
        )
    execute("DELETE FROM run_text")
    execute(f"INSERT INTO run_text (run_id, text) SELECT id, {_text_of('run')} FROM run")
    if has_full_text():
        there = set(_tables(execute))
        for name, statement in ((INDEX, FULL_TEXT), (VOCABULARY, TERMS)):
            if name not in there:
                execute(statement)
        execute(f"INSERT INTO {INDEX} ({INDEX}) VALUES ('rebuild')")
    for name, does in _wanted().items():
        execute(f"CREATE TRIGGER {name} {does}")


def is_index(table: str) -> bool:
    """Return whether a table belongs to the full-text index: SQLite creates these, and no model names them."""
    return table.startswith(INDEX)


def _wanted() -> dict[str, str]:
    return {**TRIGGERS, **(INDEX_TRIGGERS if has_full_text() else {})}


def _tables(execute: Execute) -> Iterator[str]:
    return (str(name) for (name,) in execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall())
