"""Revivals keep when and why their branch had been given up."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("branch_revivals", sa.Column("dead_end_reason", sa.Text(), nullable=True))
    op.add_column(
        "branch_revivals", sa.Column("dead_end_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_column("branch_revivals", "dead_end_at")
    op.drop_column("branch_revivals", "dead_end_reason")
