"""found by index: parameters and scalars lie by name, runs are counted by status, their text is kept for the filter

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_run_attempt", "run", ["attempt", "id"], unique=False)
    op.create_index("ix_run_exit_code", "run", ["exit_code", "id"], unique=False)
    # Filled when the migration is done (db/derived.py), as their triggers are made then.
    op.create_table(
        "status_count",
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("status"),
    )
    op.create_table(
        "run_text",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    rebuild("parameter", parameter_columns(), ["name", "run_id"], sqlite_with_rowid=False)
    rebuild("scalar_summary", scalar_columns(), ["tag", "run_id"], sqlite_with_rowid=False)
    index_values()
    op.create_index(
        "ix_parameter_word",
        "parameter",
        ["name", "text", "run_id"],
        unique=False,
        sqlite_where=sa.text("number IS NULL"),
        postgresql_where=sa.text("number IS NULL"),
    )
    op.create_index("ix_parameter_run", "parameter", ["run_id"], unique=False)
    op.create_index("ix_scalar_summary_run", "scalar_summary", ["run_id"], unique=False)
    op.create_index(
        "ix_scalar_summary_diverged",
        "scalar_summary",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("last IS NULL"),
        postgresql_where=sa.text("last IS NULL"),
    )


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS run_search_terms")
    op.execute("DROP TABLE IF EXISTS run_search")
    rebuild("scalar_summary", scalar_columns(), ["run_id", "tag"])
    rebuild("parameter", parameter_columns(), ["run_id", "name"])
    index_values()
    op.drop_table("run_text")
    op.drop_table("status_count")
    op.drop_index("ix_run_exit_code", "run")
    op.drop_index("ix_run_attempt", "run")


def rebuild(table, columns, key, **options):
    """Make the table anew with the rows in the order of `key`; its indexes go with the old one."""
    op.create_table(
        f"{table}_new",
        *columns,
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*key),
        **options,
    )
    names = ", ".join(f'"{column.name}"' for column in columns)
    op.execute(f"INSERT INTO {table}_new ({names}) SELECT {names} FROM {table} ORDER BY {', '.join(key)}")
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)


def parameter_columns():
    return [
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
    ]


def scalar_columns():
    return [
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("last", sa.Float(), nullable=True),
        sa.Column("min", sa.Float(), nullable=True),
        sa.Column("max", sa.Float(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
    ]


def index_values():
    for column in ("number", "text"):
        op.create_index(f"ix_parameter_{column}", "parameter", ["name", column, "run_id"], unique=False)
    for column in ("last", "min", "max"):
        op.create_index(f"ix_scalar_summary_{column}", "scalar_summary", ["tag", column, "run_id"], unique=False)
