"""What findings say about hypotheses: bearings, rankings, merges, and proposals to revive a dead end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

TABLES = (
    "finding_bearings",
    "finding_merges",
    "merged_findings",
    "hypothesis_rankings",
    "revival_proposals",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "finding_merges",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("undone_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL)", name=op.f("ck_finding_merges_undone")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "merged_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_finding_merges_account_id_merged_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_finding_merges_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_finding_merges_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "undone_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_finding_merges_account_id_undone_by"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_finding_merges")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_finding_merges_account_id_session_id_id"),
        ),
    )
    op.create_index(
        "ix_finding_merges_branch", "finding_merges", ["account_id", "branch_id"], unique=False
    )
    op.create_table(
        "hypothesis_rankings",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("prior", sa.Double(), nullable=True),
        sa.Column("likelihood", sa.Double(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("next_check", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "likelihood BETWEEN 0 AND 1", name=op.f("ck_hypothesis_rankings_likelihood")
        ),
        sa.CheckConstraint("minutes >= 0", name=op.f("ck_hypothesis_rankings_minutes")),
        sa.CheckConstraint("prior BETWEEN 0 AND 1", name=op.f("ck_hypothesis_rankings_prior")),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_hypothesis_rankings_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_hypothesis_rankings_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_hypothesis_rankings")),
    )
    op.create_index(
        "ix_hypothesis_rankings_branch",
        "hypothesis_rankings",
        ["account_id", "branch_id", "id"],
        unique=False,
    )
    op.create_table(
        "finding_bearings",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "bearing",
            sa.Enum(
                "explains",
                "contradicts",
                "neutral",
                name="bearing",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_finding_bearings_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "finding_id"],
            ["findings.account_id", "findings.session_id", "findings.id"],
            name=op.f("fk_finding_bearings_account_id_session_id_finding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "finding_id", "branch_id", name=op.f("pk_finding_bearings")
        ),
    )
    op.create_index(
        "ix_finding_bearings_session",
        "finding_bearings",
        ["account_id", "session_id"],
        unique=False,
    )
    op.create_table(
        "merged_findings",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "finding_id"],
            ["findings.account_id", "findings.session_id", "findings.id"],
            name=op.f("fk_merged_findings_account_id_session_id_finding_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "merge_id"],
            ["finding_merges.account_id", "finding_merges.session_id", "finding_merges.id"],
            name=op.f("fk_merged_findings_account_id_session_id_merge_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "merge_id", "ordinal", name=op.f("pk_merged_findings")
        ),
    )
    op.create_table(
        "revival_proposals",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_message_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "accepted",
                "dismissed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="open",
            nullable=False,
        ),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_revival_proposals_decided")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "decided_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_revival_proposals_account_id_decided_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_revival_proposals_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "finding_id"],
            ["findings.account_id", "findings.session_id", "findings.id"],
            name=op.f("fk_revival_proposals_account_id_session_id_finding_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "reason_message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_revival_proposals_account_id_session_id_reason_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_revival_proposals_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_revival_proposals")),
        sa.UniqueConstraint(
            "account_id",
            "branch_id",
            "finding_id",
            name=op.f("uq_revival_proposals_account_id_branch_id_finding_id"),
        ),
    )
    op.create_index(
        "ix_revival_proposals_session",
        "revival_proposals",
        ["account_id", "session_id"],
        unique=False,
    )
    op.add_column(
        "findings", sa.Column("subject", sa.String(length=100), server_default="", nullable=False)
    )
    op.add_column(
        "findings", sa.Column("position", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "session_branches",
        sa.Column("analysed_position", sa.Integer(), server_default="0", nullable=False),
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY account ON {table} USING (account_id = flowpilot_account_id())")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_column("session_branches", "analysed_position")
    op.drop_column("findings", "position")
    op.drop_column("findings", "subject")
    op.drop_index("ix_revival_proposals_session", table_name="revival_proposals")
    op.drop_table("revival_proposals")
    op.drop_table("merged_findings")
    op.drop_index("ix_finding_bearings_session", table_name="finding_bearings")
    op.drop_table("finding_bearings")
    op.drop_index("ix_hypothesis_rankings_branch", table_name="hypothesis_rankings")
    op.drop_table("hypothesis_rankings")
    op.drop_index("ix_finding_merges_branch", table_name="finding_merges")
    op.drop_table("finding_merges")
