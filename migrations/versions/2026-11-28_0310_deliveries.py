"""Deliveries say what goes where, and when next; integrations pause, and are removed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
FAILURES = (
    "auth",
    "permission",
    "not_found",
    "validation",
    "rate_limited",
    "conflict",
    "unavailable",
    "ambiguous",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column(
        "integrations", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("integrations", sa.Column("paused_until", INSTANT, nullable=True))
    op.add_column("integrations", sa.Column("removed_at", INSTANT, nullable=True))
    for column in (
        sa.Column(
            "document",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "is_client_visible", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("ticket_id", sa.String(length=100), nullable=True),
        sa.Column("recipients", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("requests", JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", INSTANT, nullable=True),
        sa.Column("next_try_at", INSTANT, nullable=True),
        sa.Column("is_ambiguous", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ):
        op.add_column("deliveries", column)
    op.add_column(
        "delivery_attempts",
        sa.Column(
            "failure",
            sa.Enum(
                *FAILURES, name="failure", native_enum=False, create_constraint=False, length=30
            ),
            nullable=True,
        ),
    )
    op.create_check_constraint(
        op.f("ck_delivery_attempts_failure"),
        "delivery_attempts",
        sa.column("failure").in_(FAILURES),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_column("delivery_attempts", "failure")
    for name in (
        "is_ambiguous",
        "next_try_at",
        "tried_at",
        "tries",
        "requests",
        "recipients",
        "ticket_id",
        "is_client_visible",
        "document",
    ):
        op.drop_column("deliveries", name)
    for name in ("removed_at", "paused_until", "failures"):
        op.drop_column("integrations", name)
