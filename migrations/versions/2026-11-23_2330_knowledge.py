"""What an account knows can be searched, and what was suggested with an answer is remembered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

ARTICLE_WORDS = (
    "((setweight(to_tsvector('english'::regconfig, (title)::text), 'A'::\"char\") || "
    "setweight(jsonb_to_tsvector('english'::regconfig, "
    "COALESCE((content -> 'symptoms'::text), '[]'::jsonb), '[\"string\"]'::jsonb), 'B'::\"char\")) || "
    "setweight(jsonb_to_tsvector('english'::regconfig, "
    "(COALESCE((content -> 'root_cause'::text), '[]'::jsonb) || "
    "COALESCE((content -> 'tags'::text), '[]'::jsonb)), "
    "'[\"string\"]'::jsonb), 'C'::\"char\")) || "
    "setweight(to_tsvector('english'::regconfig, \"left\"(body, 100000)), 'D'::\"char\")"
)

# The cuts keep it below the largest vector there can be.
KEEP_RESOLVED = """
CREATE FUNCTION flowpilot_keep_resolved() RETURNS trigger
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
                     WHERE account_id = NEW.account_id AND session_id = NEW.id), ''), 100000)), 'B')
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
    op.add_column(
        "kb_articles",
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(ARTICLE_WORDS, persisted=True),
            nullable=False,
        ),
    )
    op.create_table(
        "resolved_sessions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_resolved_sessions_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "session_id", name=op.f("pk_resolved_sessions")),
    )
    op.create_table(
        "message_articles",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.CheckConstraint("rank > 0", name=op.f("ck_message_articles_rank")),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_message_articles_score")),
        sa.ForeignKeyConstraint(
            ["account_id", "article_id"],
            ["kb_articles.account_id", "kb_articles.id"],
            name=op.f("fk_message_articles_account_id_article_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.id"],
            name=op.f("fk_message_articles_account_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "message_id", "rank", name=op.f("pk_message_articles")
        ),
    )
    op.create_index(
        "ix_message_articles_article",
        "message_articles",
        ["account_id", "article_id"],
        unique=False,
    )
    for table in ("resolved_sessions", "message_articles"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY account ON {table} USING (account_id = flowpilot_account_id())")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
    op.execute(KEEP_RESOLVED)
    op.execute(
        """
        CREATE TRIGGER keep_resolved
        AFTER INSERT OR UPDATE OF status, problem_summary, resolution_summary ON ai_sessions
        FOR EACH ROW EXECUTE FUNCTION flowpilot_keep_resolved()
        """
    )
    op.execute("UPDATE ai_sessions SET status = status WHERE status = 'resolved'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute("DROP TRIGGER keep_resolved ON ai_sessions")
    op.execute("DROP FUNCTION flowpilot_keep_resolved()")
    op.drop_index("ix_message_articles_article", table_name="message_articles")
    op.drop_table("message_articles")
    op.drop_table("resolved_sessions")
    op.drop_column("kb_articles", "words")
