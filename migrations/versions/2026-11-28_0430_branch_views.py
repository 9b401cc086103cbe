"""Where each person looks in a session, and how far they have read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "branch_views",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("read_position", sa.Integer(), nullable=False),
        sa.Column("is_asking", sa.Boolean(), nullable=False),
        sa.Column("has_left", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "seen_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("read_position >= 0", name=op.f("ck_branch_views_read_position")),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_branch_views_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_branch_views_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_branch_views_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", "branch_id", name=op.f("pk_branch_views")),
    )
    op.create_index(
        "ix_branch_views_session",
        "branch_views",
        ["account_id", "session_id", "user_id"],
        unique=False,
    )
    op.execute("ALTER TABLE branch_views ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY account ON branch_views USING (account_id = flowpilot_account_id())")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON branch_views TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("branch_views")
