"""A fork writes less: fewer and narrower indexes, which still serve every look-up and foreign key.

What hangs on a fork point names its parent along with it, so both are found through the parent. Sibling
labels are told apart by a hash, and entries of one instant in the audit are sorted as they are read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

POINT_OF_STEP = "fk_ai_session_steps_account_id_session_id"
POINT_OF_BRANCH = "fk_session_branches_account_id_session_id"
LABEL = 'lower(label::text COLLATE "C")'
AUDITED_BY = {
    "action": "action",
    "actor": "actor_id",
    "session": "session_id",
    "target": "target_id",
}


def index_audit(*last: str) -> None:
    for name, column in AUDITED_BY.items():
        op.drop_index(f"ix_audit_entries_{name}", "audit_entries")
        op.create_index(f"ix_audit_entries_{name}", "audit_entries", ["account_id", column, *last])


def index_labels(*columns: object) -> None:
    op.drop_index("uq_session_branches_label", "session_branches")
    op.create_index(
        "uq_session_branches_label",
        "session_branches",
        ["account_id", *columns],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_constraint(op.f(f"{POINT_OF_BRANCH}_fork_point_id"), "session_branches")
    op.drop_constraint(op.f(f"{POINT_OF_STEP}_fork_point_id"), "ai_session_steps")
    op.drop_constraint(op.f("uq_fork_points_account_id_session_id_id"), "fork_points")
    op.drop_index("ix_fork_points_parent", "fork_points")
    op.create_unique_constraint(
        op.f("uq_fork_points_account_id_session_id_parent_branch_id_id"),
        "fork_points",
        ["account_id", "session_id", "parent_branch_id", "id"],
    )
    op.create_foreign_key(
        op.f(f"{POINT_OF_STEP}_branch_id_fork_point_id"),
        "ai_session_steps",
        "fork_points",
        ["account_id", "session_id", "branch_id", "fork_point_id"],
        ["account_id", "session_id", "parent_branch_id", "id"],
    )
    op.create_foreign_key(
        op.f(f"{POINT_OF_BRANCH}_parent_branch_id_fork_point_id"),
        "session_branches",
        "fork_points",
        ["account_id", "session_id", "parent_branch_id", "fork_point_id"],
        ["account_id", "session_id", "parent_branch_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
    op.drop_index("ix_session_branches_fork_point", "session_branches")
    op.drop_constraint(
        op.f("uq_session_branches_account_id_session_id_parent_branch_id_branch_order"),
        "session_branches",
    )
    op.create_unique_constraint(
        op.f("uq_session_branches_account_id_parent_branch_id_branch_order"),
        "session_branches",
        ["account_id", "parent_branch_id", "branch_order"],
    )
    index_labels("parent_branch_id", sa.text(f"hashtextextended({LABEL}, 0::bigint)"))
    op.drop_index("ix_ai_session_steps_fork_point", "ai_session_steps")
    op.drop_index("ix_ai_session_steps_branch", "ai_session_steps")
    op.create_index(
        "ix_ai_session_steps_branch",
        "ai_session_steps",
        ["account_id", "branch_id", "fork_point_id"],
    )
    op.drop_index("ix_ai_session_steps_message", "ai_session_steps")
    op.create_index(
        "ix_ai_session_steps_message",
        "ai_session_steps",
        ["account_id", "message_id"],
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    index_audit("occurred_at")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    index_audit("occurred_at", "id")
    op.drop_index("ix_ai_session_steps_message", "ai_session_steps")
    op.create_index("ix_ai_session_steps_message", "ai_session_steps", ["account_id", "message_id"])
    op.drop_index("ix_ai_session_steps_branch", "ai_session_steps")
    op.create_index("ix_ai_session_steps_branch", "ai_session_steps", ["account_id", "branch_id"])
    op.create_index(
        "ix_ai_session_steps_fork_point", "ai_session_steps", ["account_id", "fork_point_id"]
    )
    index_labels("session_id", "parent_branch_id", sa.text(LABEL))
    op.drop_constraint(
        op.f("uq_session_branches_account_id_parent_branch_id_branch_order"), "session_branches"
    )
    op.create_unique_constraint(
        op.f("uq_session_branches_account_id_session_id_parent_branch_id_branch_order"),
        "session_branches",
        ["account_id", "session_id", "parent_branch_id", "branch_order"],
    )
    op.create_index(
        "ix_session_branches_fork_point", "session_branches", ["account_id", "fork_point_id"]
    )
    op.drop_constraint(
        op.f(f"{POINT_OF_BRANCH}_parent_branch_id_fork_point_id"), "session_branches"
    )
    op.drop_constraint(op.f(f"{POINT_OF_STEP}_branch_id_fork_point_id"), "ai_session_steps")
    op.drop_constraint(
        op.f("uq_fork_points_account_id_session_id_parent_branch_id_id"), "fork_points"
    )
    op.create_unique_constraint(
        op.f("uq_fork_points_account_id_session_id_id"),
        "fork_points",
        ["account_id", "session_id", "id"],
    )
    op.create_index("ix_fork_points_parent", "fork_points", ["account_id", "parent_branch_id"])
    op.create_foreign_key(
        op.f(f"{POINT_OF_STEP}_fork_point_id"),
        "ai_session_steps",
        "fork_points",
        ["account_id", "session_id", "fork_point_id"],
        ["account_id", "session_id", "id"],
    )
    op.create_foreign_key(
        op.f(f"{POINT_OF_BRANCH}_fork_point_id"),
        "session_branches",
        "fork_points",
        ["account_id", "session_id", "fork_point_id"],
        ["account_id", "session_id", "id"],
        initially="DEFERRED",
        deferrable=True,
    )
