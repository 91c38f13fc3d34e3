"""Fills the database of a deck with many ended runs, as years of training would."""

import sqlite3
from contextlib import closing
from pathlib import Path

METRICS = (
    "Loss/train",
    "Loss/validation",
    "Accuracy/train",
    "Accuracy/validation",
    "Learning rate",
    "Images per second",
)
PARAMETERS = ("learning_rate", "batch_size", "epochs", "dropout", "weight_decay", "seed", "warmup_steps", "decay")
BATCH_SIZES = 12
TIMES = "datetime('2024-01-01', printf('+%d minutes', n))"

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :runs)"
"""The prime multiplier scatters values, so that none of the orders is that of insertion."""
SCATTERED = "((n * 7919 + {salt} * 104729) % 1000003) / 1000003.0"


def fill(database: Path, runs: int) -> None:
    """Add `runs` completed runs with parameters, scalars, tags and history; no server may have the deck."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in _statements():
            connection.execute(f"{NUMBERS} {statement}", {"runs": runs})
        connection.execute("ANALYZE")


def _statements() -> list[str]:
    tags = [_tags(prefix, kinds) for prefix, kinds in (("team", 7), ("model", 40))]
    history = [_history(*change) for change in (("NULL", "'queued'"), ("'queued'", "'starting'"),
                                                ("'starting'", "'running'"), ("'running'", "'completed'"))]  # fmt: skip
    parameters = [_parameter(name, salt) for salt, name in enumerate(PARAMETERS)]
    scalars = [_scalar(tag, salt) for salt, tag in enumerate(METRICS)]
    return [_runs(), _attempts(), *tags, *history, *parameters, *scalars]


def _runs() -> str:
    params = ", ".join(f"'{name}', {_value(name, salt)}" for salt, name in enumerate(PARAMETERS))
    metrics = ", ".join(f"'{tag}', json_object({_summary(salt)})" for salt, tag in enumerate(METRICS))
    return f"""
        INSERT INTO run (id, name, status, trainer, params, env, notes, priority, cpus, gpus, max_retries, retries,
                         attempt,
                         resume, exit_code, created_at, started_at, finished_at, metrics, log_size)
        SELECT n, 'run-' || n, 'completed', 'mnist', json_object({params}), '{{}}', '', 0, 1, 0, 0, 0, 1, 0, 0,
               {TIMES}, {TIMES}, {TIMES}, json_object({metrics}), 1000 FROM numbers"""


def _summary(salt: int) -> str:
    value = SCATTERED.format(salt=salt)
    return f"'last', {value}, 'min', {value} / 2, 'max', {value} * 2, 'step', 2814"


def _value(name: str, salt: int) -> str:
    return f"(n * 7919 % {BATCH_SIZES} + 1) * 8" if name == "batch_size" else SCATTERED.format(salt=salt + 50)


def _attempts() -> str:
    return f"""
        INSERT INTO attempt
            (run_id, number, claimed_at, started_at, finished_at, seconds, executor, node, exit_code)
        SELECT n, 1, {TIMES}, {TIMES}, {TIMES}, 60.0, 'local', 'here', 0 FROM numbers"""


def _tags(prefix: str, kinds: int) -> str:
    return f"INSERT INTO run_tag (run_id, tag) SELECT n, '{prefix}-' || (n % {kinds}) FROM numbers"


def _history(before: str, after: str) -> str:
    return f"""
        INSERT INTO run_event (run_id, attempt, at, from_status, to_status)
        SELECT n, 1, {TIMES}, {before}, {after} FROM numbers"""


def _parameter(name: str, salt: int) -> str:
    value = _value(name, salt)
    return f"""
        INSERT INTO parameter (run_id, name, number, text)
        SELECT n, '{name}', {value}, CAST({value} AS TEXT) FROM numbers"""


def _scalar(tag: str, salt: int) -> str:
    value = SCATTERED.format(salt=salt)
    return f"""
        INSERT INTO scalar_summary (run_id, tag, last, min, max, step, count)
        SELECT n, '{tag}', {value}, {value} / 2, {value} * 2, 2814, 57 FROM numbers"""
