"""which way a scalar is better, where the user says so

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "metric_direction",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("better", sa.String(length=8), nullable=False),
        sa.CheckConstraint("better IN ('higher', 'lower', 'neither')", name="ck_metric_direction_better"),
        sa.PrimaryKeyConstraint("tag"),
    )


def downgrade() -> None:
    op.drop_table("metric_direction")
