"""Uploads say why they could not be described, and each is sent with one message only."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("file_uploads", sa.Column("failure", sa.Text(), nullable=True))
    op.drop_index("ix_message_attachments_upload", table_name="message_attachments")
    op.create_unique_constraint(
        op.f("uq_message_attachments_account_id_upload_id"),
        "message_attachments",
        ["account_id", "upload_id"],
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_constraint(
        op.f("uq_message_attachments_account_id_upload_id"), "message_attachments", type_="unique"
    )
    op.create_index(
        "ix_message_attachments_upload", "message_attachments", ["account_id", "upload_id"]
    )
    op.drop_column("file_uploads", "failure")
