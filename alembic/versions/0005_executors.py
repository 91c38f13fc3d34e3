"""which executor has an attempt, and what it finds the attempt by

Revision ID: 0005
Revises: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

IMPORTED = "imported"
"""Stood in the place of a boot for runs that were imported."""
attempt = sa.table("attempt", sa.column("boot_id"), sa.column("executor"), sa.column("handle"))


def upgrade() -> None:
    op.add_column("attempt", sa.Column("executor", sa.Text(), server_default="", nullable=False))
    op.add_column("attempt", sa.Column("handle", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("attempt", sa.Column("node", sa.Text(), server_default="", nullable=False))
    # There are few boots, and many attempts.
    boots = op.get_bind().execute(sa.select(attempt.c.boot_id).distinct()).scalars().all()
    for boot in boots:
        if boot != IMPORTED:
            handle = {"executor": "local", "handle": json.dumps({"boot_id": boot})}
            op.execute(attempt.update().where(attempt.c.boot_id == boot).values(**handle))
    with op.batch_alter_table("attempt") as batch:
        batch.alter_column("executor", server_default=None)
        batch.alter_column("node", server_default=None)
        batch.alter_column("gpu_indices", new_column_name="gpus")
        batch.drop_column("boot_id")


def downgrade() -> None:
    op.add_column("attempt", sa.Column("boot_id", sa.String(length=64), server_default=IMPORTED, nullable=False))
    handles = op.get_bind().execute(sa.select(attempt.c.handle).distinct()).scalars().all()
    for handle in handles:
        boot = json.loads(handle).get("boot_id", IMPORTED)
        op.execute(attempt.update().where(attempt.c.handle == handle).values(boot_id=boot))
    with op.batch_alter_table("attempt") as batch:
        batch.alter_column("boot_id", server_default=None)
        batch.alter_column("gpus", new_column_name="gpu_indices")
        batch.drop_column("node")
        batch.drop_column("handle")
        batch.drop_column("executor")
