"""Who changed what, and when: kept for admins, appended to and never altered."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, in_account, refers_to


class AuditAction(StrEnum):
    ACCOUNT_CREATED = "account_created"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    BRANCH_ARCHIVED = "branch_archived"
    BRANCH_FORKED = "branch_forked"
    BRANCH_RENAMED = "branch_renamed"
    BRANCH_RESTORED = "branch_restored"
    BRANCH_STATUS_CHANGED = "branch_status_changed"
    BRANCH_SWITCHED = "branch_switched"
    BRANCH_UPDATED = "branch_updated"
    DELIVERY_CHANGED = "delivery_changed"
    FILE_CHANGED = "file_changed"
    FILE_UPLOADED = "file_uploaded"
    FINDINGS_CHANGED = "findings_changed"
    FINDINGS_MERGED = "findings_merged"
    FINDING_MERGE_UNDONE = "finding_merge_undone"
    HANDOFF_CANCELLED = "handoff_cancelled"
    HANDOFF_CLAIMED = "handoff_claimed"
    HANDOFF_CREATED = "handoff_created"
    HANDOFF_DUE = "handoff_due"
    HANDOFF_RELEASED = "handoff_released"
    HANDOFF_RETURNED = "handoff_returned"
    HANDOFF_SLA_CHANGED = "handoff_sla_changed"
    HANDOFF_UPDATED = "handoff_updated"
    INTEGRATION_ADDED = "integration_added"
    INTEGRATION_CHANGED = "integration_changed"
    INTEGRATION_REMOVED = "integration_removed"
    INTEGRATION_TESTED = "integration_tested"
    MEMBER_ADDED = "member_added"
    MEMBER_CHANGED = "member_changed"
    MEMBER_DEACTIVATED = "member_deactivated"
    MEMBER_REACTIVATED = "member_reactivated"
    MESSAGE_ADDED = "message_added"
    MESSAGE_FINISHED = "message_finished"
    MESSAGE_RESTARTED = "message_restarted"
    OUTPUT_APPROVED = "output_approved"
    OUTPUT_EDITED = "output_edited"
    OUTPUT_PUSHED = "output_pushed"
    OUTPUT_REJECTED = "output_rejected"
    OUTPUT_REQUESTED = "output_requested"
    OUTPUT_WRITTEN = "output_written"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105
    REVIVAL_DECIDED = "revival_decided"
    REVIVAL_PROPOSED = "revival_proposed"
    SECOND_OPINION_CHANGED = "second_opinion_changed"
    SESSION_REASSIGNED = "session_reassigned"
    SESSION_STARTED = "session_started"
    SESSION_STATUS_CHANGED = "session_status_changed"
    SESSION_UPDATED = "session_updated"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_REFUSED = "sign_in_refused"
    SLA_TARGETS_CHANGED = "sla_targets_changed"
    TOKENS_REFRESHED = "tokens_refreshed"


class AuditEntry(Base):
    """One change. The session and the target are no foreign keys: an entry outlives them."""

    __tablename__ = "audit_entries"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=text("now()"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    action: Mapped[AuditAction] = mapped_column(
        # Without a CHECK, so that a release adds actions without a migration.
        Enum(
            AuditAction,
            native_enum=False,
            create_constraint=False,
            length=40,
            values_callable=lambda members: [member.value for member in members],
        )
    )
    actor_id: Mapped[UUID | None]
    target_kind: Mapped[str] = mapped_column(String(2))
    """The prefix of its node id."""
    target_id: Mapped[UUID]
    session_id: Mapped[UUID | None]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB(), server_default=text("'[]'"))
    """`field`, `before` and `after` of each; short values only."""
    request_id: Mapped[str | None] = mapped_column(String(128))
    address: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        in_account(),
        refers_to("actor_id", "users id"),
        Index("ix_audit_entries_action", "account_id", "action", "occurred_at"),
        Index("ix_audit_entries_actor", "account_id", "actor_id", "occurred_at"),
        Index("ix_audit_entries_session", "account_id", "session_id", "occurred_at"),
        Index("ix_audit_entries_target", "account_id", "target_id", "occurred_at"),
    )
