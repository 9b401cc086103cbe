"""What each account used, month by month: filled from the answers there are, by when they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

FILL = """
INSERT INTO account_usage (account_id, month, answers,
                           input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
SELECT account_id, date_trunc('month', finished_at AT TIME ZONE 'UTC')::date, count(*),
       sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens)
  FROM branch_messages
 WHERE role = 'assistant' AND state = 'complete' AND finished_at IS NOT NULL
 GROUP BY 1, 2
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "account_usage",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("answers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_account_usage_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("pk_account_usage")),
    )
    op.execute("ALTER TABLE account_usage ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY account ON account_usage USING (account_id = flowpilot_account_id())")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON account_usage TO {ROLE}")
    op.execute(FILL)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("account_usage")
