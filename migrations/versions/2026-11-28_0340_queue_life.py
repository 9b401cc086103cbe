"""Claims are held for a while, what was parked wakes up, and waiting has a target."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

# What was claimed before is held on where the session still is as the claim left it. It never runs
# out: nobody was told that it would.
END_OLD_CLAIMS = """
WITH claims AS (
    SELECT h.account_id, h.id, s.status, s.status_changed_at,
           lead(h.created_at) OVER (PARTITION BY h.account_id, h.session_id
                                    ORDER BY h.created_at, h.id) AS next_at
      FROM session_handoffs h
      JOIN ai_sessions s ON s.account_id = h.account_id AND s.id = h.session_id
)
UPDATE session_handoffs h
   SET claim_ended_at = coalesce(c.next_at, c.status_changed_at),
       claim_end = CASE WHEN c.next_at IS NULL THEN 'session_ended' ELSE 'handed_off' END
  FROM claims c
 WHERE c.account_id = h.account_id AND c.id = h.id AND h.state = 'claimed'
   AND (c.next_at IS NOT NULL OR c.status <> 'active')
"""


def instant(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "sla_targets",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("normal_minutes", sa.Integer(), nullable=False),
        sa.Column("elevated_minutes", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "normal_minutes BETWEEN 1 AND 43200 AND elevated_minutes BETWEEN 1 AND 43200",
            name=op.f("ck_sla_targets_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_sla_targets_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sla_targets")),
    )
    op.execute("ALTER TABLE sla_targets ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY account ON sla_targets USING (account_id = flowpilot_account_id())")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON sla_targets TO {ROLE}")

    op.add_column("ai_sessions", sa.Column("assignment_note", sa.String(2000), nullable=True))

    for column in (
        sa.Column("claimed_from", sa.Uuid(), nullable=True),
        sa.Column("lease", sa.Interval(), nullable=True),
        instant("lease_expires_at"),
        instant("claim_ended_at"),
        sa.Column("claim_end", sa.String(30), nullable=True),
        sa.Column("returned_from", sa.Uuid(), nullable=True),
        instant("waiting_since"),
        instant("wake_at"),
        instant("woken_at"),
        sa.Column("sla_state", sa.String(30), nullable=True),
        instant("sla_at_risk_at"),
        instant("sla_due_at"),
    ):
        op.add_column("session_handoffs", column)
    op.execute("UPDATE session_handoffs SET waiting_since = created_at")
    op.alter_column(
        "session_handoffs", "waiting_since", nullable=False, server_default=sa.text("now()")
    )
    op.execute(END_OLD_CLAIMS)
    op.create_foreign_key(
        op.f("fk_session_handoffs_account_id_claimed_from"),
        "session_handoffs",
        "users",
        ["account_id", "claimed_from"],
        ["account_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_session_handoffs_account_id_session_id_returned_from"),
        "session_handoffs",
        "session_handoffs",
        ["account_id", "session_id", "returned_from"],
        ["account_id", "session_id", "id"],
        ondelete="CASCADE",
    )
    for name, condition in CHECKS.items():
        op.create_check_constraint(
            op.f(f"ck_session_handoffs_{name}"), "session_handoffs", condition
        )
    op.create_index(
        "uq_session_handoffs_held",
        "session_handoffs",
        ["account_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("state = 'claimed' AND claim_ended_at IS NULL"),
    )
    op.create_index(
        "uq_session_handoffs_returned",
        "session_handoffs",
        ["account_id", "returned_from"],
        unique=True,
        postgresql_where=sa.text("returned_from IS NOT NULL"),
    )
    op.drop_index("ix_session_handoffs_queue", table_name="session_handoffs")
    op.create_index(
        "ix_session_handoffs_queue",
        "session_handoffs",
        ["account_id", sa.text("(priority <> 'elevated')"), "waiting_since", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )


CHECKS = {
    "claim_end": (
        "claim_end IN ('expired', 'released', 'reassigned', 'handed_off', 'session_ended')"
    ),
    "sla_state": "sla_state IN ('on_track', 'at_risk', 'breached')",
    "claim_ended": (
        "(claim_ended_at IS NULL) = (claim_end IS NULL) "
        "AND (claim_ended_at IS NULL OR state = 'claimed')"
    ),
    "lease": (
        "(lease IS NULL) = (lease_expires_at IS NULL) AND (lease IS NULL OR state = 'claimed')"
    ),
    "wake": "wake_at IS NULL OR intent = 'park'",
    "woken": "woken_at IS NULL OR wake_at IS NOT NULL",
    "sla": (
        "(sla_state IS NULL) = (sla_due_at IS NULL) "
        "AND (sla_at_risk_at IS NULL) = (sla_due_at IS NULL)"
    ),
}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_index("ix_session_handoffs_queue", table_name="session_handoffs")
    op.create_index(
        "ix_session_handoffs_queue",
        "session_handoffs",
        ["account_id", sa.text("(priority = 'elevated') DESC"), "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    for column in (  # their constraints and indexes go along
        *("claimed_from", "lease", "lease_expires_at", "claim_ended_at", "claim_end"),
        *("returned_from", "waiting_since", "wake_at", "woken_at"),
        *("sla_state", "sla_at_risk_at", "sla_due_at"),
    ):
        op.drop_column("session_handoffs", column)
    op.drop_column("ai_sessions", "assignment_note")
    op.drop_table("sla_targets")
