"""The audit: every change with who made it, appended to by the server and never altered by it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "audit_entries",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "occurred_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("target_kind", sa.String(length=2), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "actor_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_audit_entries_account_id_actor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_audit_entries_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "occurred_at", "id", name=op.f("pk_audit_entries")),
    )
    for name, column in (
        ("action", "action"),
        ("actor", "actor_id"),
        ("session", "session_id"),
        ("target", "target_id"),
    ):
        op.create_index(
            f"ix_audit_entries_{name}",
            "audit_entries",
            ["account_id", column, "occurred_at", "id"],
            unique=False,
        )
    op.execute("ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY account ON audit_entries USING (account_id = flowpilot_account_id())")
    op.execute(f"GRANT SELECT, INSERT ON audit_entries TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("audit_entries")
