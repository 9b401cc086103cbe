"""Second opinions: what is thought of a session by who was told its observations alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "second_opinions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "ready",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="pending",
            nullable=False,
        ),
        sa.Column("leading_branch_id", sa.Uuid(), nullable=True),
        sa.Column("observation_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "opinion", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'failed') = (failure IS NOT NULL)", name=op.f("ck_second_opinions_failure")
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (finished_at IS NULL)", name=op.f("ck_second_opinions_finished")
        ),
        sa.CheckConstraint(
            "(state = 'ready') = (opinion IS NOT NULL)", name=op.f("ck_second_opinions_opinion")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "requested_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_second_opinions_account_id_requested_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "leading_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_second_opinions_account_id_session_id_leading_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_second_opinions_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_second_opinions")),
    )
    op.create_index(
        "ix_second_opinions_session",
        "second_opinions",
        ["account_id", "session_id", "id"],
        unique=False,
    )
    op.create_index(
        "uq_second_opinions_pending",
        "second_opinions",
        ["account_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.execute("ALTER TABLE second_opinions ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY account ON second_opinions USING (account_id = flowpilot_account_id())"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON second_opinions TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_index(
        "uq_second_opinions_pending",
        table_name="second_opinions",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_second_opinions_session", table_name="second_opinions")
    op.drop_table("second_opinions")
