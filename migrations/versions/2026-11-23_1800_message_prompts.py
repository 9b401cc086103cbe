"""What a model was told for an answer besides its conversation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "message_prompts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("volatile", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.id"],
            name=op.f("fk_message_prompts_account_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id", name=op.f("pk_message_prompts")),
    )
    op.execute("ALTER TABLE message_prompts ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY account ON message_prompts USING (account_id = flowpilot_account_id())"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON message_prompts TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("message_prompts")
