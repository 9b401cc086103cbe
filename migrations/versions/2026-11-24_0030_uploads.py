"""Uploads say why they could not be described, have a preview, and are sent with one message only."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("file_uploads", sa.Column("failure", sa.Text(), nullable=True))
    op.drop_index("ix_message_attachments_upload", table_name="message_attachments")
    op.create_unique_constraint(
        op.f("uq_message_attachments_account_id_upload_id"),
        "message_attachments",
        ["account_id", "upload_id"],
    )
    op.create_table(
        "upload_previews",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "upload_id"],
            ["file_uploads.account_id", "file_uploads.id"],
            name=op.f("fk_upload_previews_account_id_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "upload_id", name=op.f("pk_upload_previews")),
    )
    op.execute("ALTER TABLE upload_previews ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY account ON upload_previews USING (account_id = flowpilot_account_id())"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON upload_previews TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.drop_table("upload_previews")
    op.drop_constraint(
        op.f("uq_message_attachments_account_id_upload_id"), "message_attachments", type_="unique"
    )
    op.create_index(
        "ix_message_attachments_upload", "message_attachments", ["account_id", "upload_id"]
    )
    op.drop_column("file_uploads", "failure")
