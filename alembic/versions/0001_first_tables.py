"""first tables

Revision ID: 0001
Revises: none
"""

import sqlalchemy as sa
from alembic import op

from traindeck.db.tables import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("trainer", sa.Text(), nullable=True),
        sa.Column("script", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("params", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("env", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("cpus", sa.Integer(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("resume", sa.Boolean(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("metrics", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("log_size", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'starting', 'running', 'stopping', 'completed', 'failed', 'cancelled', 'lost')",
            name="ck_run_status",
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_finished_at", ["finished_at", "id"], unique=False)
        batch_op.create_index("ix_run_name", ["name", "id"], unique=False)
        batch_op.create_index("ix_run_priority", ["priority", "id"], unique=False)
        batch_op.create_index(
            "ix_run_queue",
            ["status", "priority", "id", "gpus", "cpus"],
            unique=False,
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )
        batch_op.create_index("ix_run_started_at", ["started_at", "id"], unique=False)
        batch_op.create_index("ix_run_status", ["status", "id"], unique=False)
        batch_op.create_index("ix_run_trainer", ["trainer", "id"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("gpu_indices", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("exit_signal", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "parameter",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "name"),
    )
    with op.batch_alter_table("parameter", schema=None) as batch_op:
        batch_op.create_index("ix_parameter_number", ["name", "number", "run_id"], unique=False)
        batch_op.create_index("ix_parameter_text", ["name", "text", "run_id"], unique=False)

    op.create_table(
        "run_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("run_event", schema=None) as batch_op:
        batch_op.create_index("ix_run_event_run", ["run_id", "id"], unique=False)

    op.create_table(
        "run_tag",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "tag"),
    )
    with op.batch_alter_table("run_tag", schema=None) as batch_op:
        batch_op.create_index("ix_run_tag_tag", ["tag", "run_id"], unique=False)

    op.create_table(
        "scalar_summary",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("last", sa.Float(), nullable=True),
        sa.Column("min", sa.Float(), nullable=True),
        sa.Column("max", sa.Float(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "tag"),
    )
    with op.batch_alter_table("scalar_summary", schema=None) as batch_op:
        batch_op.create_index("ix_scalar_summary_last", ["tag", "last", "run_id"], unique=False)
        batch_op.create_index("ix_scalar_summary_max", ["tag", "max", "run_id"], unique=False)
        batch_op.create_index("ix_scalar_summary_min", ["tag", "min", "run_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("scalar_summary", schema=None) as batch_op:
        batch_op.drop_index("ix_scalar_summary_min")
        batch_op.drop_index("ix_scalar_summary_max")
        batch_op.drop_index("ix_scalar_summary_last")

    op.drop_table("scalar_summary")
    with op.batch_alter_table("run_tag", schema=None) as batch_op:
        batch_op.drop_index("ix_run_tag_tag")

    op.drop_table("run_tag")
    with op.batch_alter_table("run_event", schema=None) as batch_op:
        batch_op.drop_index("ix_run_event_run")

    op.drop_table("run_event")
    with op.batch_alter_table("parameter", schema=None) as batch_op:
        batch_op.drop_index("ix_parameter_text")
        batch_op.drop_index("ix_parameter_number")

    op.drop_table("parameter")
    op.drop_table("idempotency_key")
    op.drop_table("attempt")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_trainer")
        batch_op.drop_index("ix_run_status")
        batch_op.drop_index("ix_run_started_at")
        batch_op.drop_index("ix_run_queue", sqlite_where=sa.text("status = 'queued'"))
        batch_op.drop_index("ix_run_priority")
        batch_op.drop_index("ix_run_name")
        batch_op.drop_index("ix_run_finished_at")

    op.drop_table("run")
