"""Answers that are written anew keep the texts that they had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "message_alternatives",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column(
            "suggested_fork",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_message_alternatives_account_id_session_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "step_id"],
            ["ai_session_steps.account_id", "ai_session_steps.session_id", "ai_session_steps.id"],
            name=op.f("fk_message_alternatives_account_id_session_id_step_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "message_id", "number", name=op.f("pk_message_alternatives")
        ),
    )
    op.execute("ALTER TABLE message_alternatives ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY account ON message_alternatives USING (account_id = flowpilot_account_id())"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON message_alternatives TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("message_alternatives")
