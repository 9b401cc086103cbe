"""Deliveries say which text of an output they are; what was taken from the clipboard is one of them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATES = ("queued", "sending", "delivered", "failed")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("deliveries", sa.Column("output_version", sa.Integer(), nullable=True))
    _limit_states(*STATES, "taken")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DELETE FROM deliveries WHERE state = 'taken'")
    _limit_states(*STATES)
    op.drop_column("deliveries", "output_version")


def _limit_states(*states: str) -> None:
    op.drop_constraint(op.f("ck_deliveries_state"), "deliveries")
    op.create_check_constraint(
        op.f("ck_deliveries_state"), "deliveries", sa.column("state").in_(states)
    )
