"""Remembered prompts hold the last message as it was sent, instead of what went into it."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DELETE FROM message_prompts")  # kept with the secrets in them
    op.alter_column("message_prompts", "volatile", new_column_name="parts")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DELETE FROM message_prompts")
    op.alter_column("message_prompts", "parts", new_column_name="volatile")
