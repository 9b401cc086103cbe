"""Documents: what their sentences rest on, how often they were asked for, and why one failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = "session_resolution_outputs"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column(
        TABLE,
        sa.Column(
            "sources",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.add_column(TABLE, sa.Column("generation", sa.Integer(), server_default="1", nullable=False))
    op.add_column(TABLE, sa.Column("failure", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f(f"ck_{TABLE}_failure"), TABLE, "(status = 'failed') = (failure IS NOT NULL)"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_constraint(op.f(f"ck_{TABLE}_failure"), TABLE)
    op.drop_column(TABLE, "failure")
    op.drop_column(TABLE, "generation")
    op.drop_column(TABLE, "sources")
