"""any script: when a retry may start, which run is repeated, which code was kept

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from traindeck.db.tables import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Columns that may be null are added in place: no rebuild of a table that others refer to.
    op.add_column("run", sa.Column("not_before", UtcDateTime(), nullable=True))
    op.add_column("run", sa.Column("rerun_of", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("code_digest", sa.String(length=64), nullable=True))
    op.create_index("ix_run_code_digest", "run", ["code_digest", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_run_code_digest", "run")
    op.drop_column("run", "code_digest")
    op.drop_column("run", "rerun_of")
    op.drop_column("run", "not_before")
