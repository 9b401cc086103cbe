"""Findings that no longer hold are marked, and sessions like theirs are not found by them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The function of 0008 with one condition more.
KEEP_RESOLVED = """
CREATE OR REPLACE FUNCTION flowpilot_keep_resolved() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.status = 'resolved' THEN
        INSERT INTO resolved_sessions (account_id, session_id, words)
        SELECT NEW.account_id, NEW.id,
               setweight(to_tsvector('english', left(coalesce(NEW.problem_summary, ''), 20000)), 'A')
            || setweight(to_tsvector('english', NEW.intake_content), 'B')
            || setweight(to_tsvector('english', left(coalesce(
                   (SELECT string_agg(claim, E'\\n' ORDER BY id) FROM findings
                     WHERE account_id = NEW.account_id AND session_id = NEW.id{holds}), ''), 100000)), 'B')
            || setweight(
                   to_tsvector('english', left(coalesce(NEW.resolution_summary, ''), 20000)), 'C')
        ON CONFLICT (account_id, session_id) DO UPDATE SET words = excluded.words;
    ELSIF TG_OP = 'UPDATE' AND OLD.status = 'resolved' THEN
        DELETE FROM resolved_sessions
         WHERE account_id = NEW.account_id AND session_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("findings", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(KEEP_RESOLVED.format(holds=" AND withdrawn_at IS NULL"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(KEEP_RESOLVED.format(holds=""))
    op.drop_column("findings", "withdrawn_at")
