"""All tables of the first release, the wall between accounts, and the job queue.

Three things are not in the models: the role the server works under with its row-level policies, the
few functions that look across accounts on purpose, and the schema of the job library.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

TENANT_TABLES = (
    "teams",
    "users",
    "refresh_tokens",
    "api_keys",
    "integrations",
    "ai_sessions",
    "ai_session_steps",
    "session_branches",
    "fork_points",
    "branch_revivals",
    "branch_revival_evidence",
    "branch_messages",
    "message_attachments",
    "message_chunks",
    "findings",
    "finding_evidence",
    "session_handoffs",
    "session_resolution_outputs",
    "resolution_revisions",
    "deliveries",
    "delivery_attempts",
    "file_uploads",
    "kb_articles",
    "events",
    "idempotency_keys",
)

# Roles belong to the whole cluster, and several databases of one may be migrated at once.
MAKE_ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        BEGIN
            CREATE ROLE {ROLE} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
        GRANT {ROLE} TO CURRENT_USER;
    END IF;
END
$$
"""

# Empty once a transaction that had set it is over; null means that no row is visible.
CURRENT_ACCOUNT = """
CREATE FUNCTION flowpilot_account_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('app.account_id', true), '')::uuid
"""

# The only ways across the wall: from a secret to whose it is.
LOOK_UPS = (
    """
    CREATE FUNCTION flowpilot_user_by_email(address text)
    RETURNS TABLE (account_id uuid, id uuid, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT account_id, id, password_hash FROM users
         WHERE lower(email) = lower(address) AND deactivated_at IS NULL AND NOT is_service
    $$
    """,
    """
    CREATE FUNCTION flowpilot_user_by_id(user_id uuid)
    RETURNS TABLE (account_id uuid, id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT account_id, id, role FROM users
         WHERE account_id = (SELECT flowpilot_account_id()) AND id = user_id
           AND deactivated_at IS NULL AND NOT is_service
    $$
    """,
    """
    CREATE FUNCTION flowpilot_refresh_token(hash bytea)
    RETURNS TABLE (account_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT account_id, id FROM refresh_tokens WHERE token_hash = hash $$
    """,
    """
    CREATE FUNCTION flowpilot_api_key(hash bytea)
    RETURNS TABLE (account_id uuid, id uuid, user_id uuid, created_by uuid, scopes text[],
                   expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT k.account_id, k.id, k.user_id, k.created_by, k.scopes::text[], k.expires_at
          FROM api_keys k
         WHERE k.secret_hash = hash AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > now())
    $$
    """,
)
LOOK_UP_SIGNATURES = (
    "flowpilot_user_by_email(text)",
    "flowpilot_user_by_id(uuid)",
    "flowpilot_refresh_token(bytea)",
    "flowpilot_api_key(bytea)",
)

# Workers are woken after the commit by us: a NOTIFY inside the transaction makes commits queue.
NO_NOTIFY_ON_INSERT = (
    "DROP TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 ON procrastinate_jobs"
)

# Without it a job that waited for another one's lock is found only by a worker's next poll.
NOTIFY_ON_RELEASE = (
    """
    CREATE FUNCTION flowpilot_notify_lock_released() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM procrastinate_jobs WHERE lock = OLD.lock AND status = 'todo') THEN
            PERFORM pg_notify(
                'procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}');
        END IF;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE TRIGGER flowpilot_lock_released AFTER DELETE OR UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND OLD.lock IS NOT NULL)
    EXECUTE FUNCTION flowpilot_notify_lock_released()
    """,
)


def apply_job_schema() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    op.execute(NO_NOTIFY_ON_INSERT)
    for definition in NOTIFY_ON_RELEASE:
        op.execute(definition)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, "
        f"procrastinate_periodic_defers, procrastinate_workers TO {ROLE}"
    )
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")


def build_wall() -> None:
    op.execute(CURRENT_ACCOUNT)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    op.execute("ALTER TABLE accounts ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY account ON accounts USING (id = flowpilot_account_id())")
    op.execute(f"GRANT SELECT, UPDATE (event_seq) ON accounts TO {ROLE}")
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY account ON {table} USING (account_id = flowpilot_account_id())")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
    op.execute(f"REVOKE UPDATE, DELETE ON events FROM {ROLE}")
    for definition, signature in zip(LOOK_UPS, LOOK_UP_SIGNATURES, strict=True):
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {ROLE}")


def drop_job_schema() -> None:
    op.execute(
        "DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, "
        "procrastinate_workers CASCADE"
    )
    op.execute(
        """
        DO $$
        DECLARE leftover record;
        BEGIN
            FOR leftover IN SELECT oid::regprocedure AS name FROM pg_proc
                             WHERE starts_with(proname, 'procrastinate_')
                               AND pronamespace = 'public'::regnamespace
            LOOP EXECUTE 'DROP ROUTINE ' || leftover.name || ' CASCADE'; END LOOP;
        END
        $$
        """
    )
    op.execute("DROP FUNCTION flowpilot_notify_lock_released()")
    op.execute(
        "DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_status, "
        "procrastinate_job_event_type"
    )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(MAKE_ROLE)
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "plan",
            sa.Enum(
                "free",
                "pro",
                "team",
                "enterprise",
                name="plan",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column("event_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "integrations",
        sa.Column(
            "provider",
            sa.Enum(
                "connectwise",
                "halopsa",
                "autotask",
                "hudu",
                "it_glue",
                "smtp",
                "webhook",
                name="provider",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("base_url", sa.String(length=2000), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("credentials", sa.LargeBinary(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_success_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_integrations_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_integrations")),
    )
    op.create_table(
        "teams",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_teams_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_teams")),
    )
    op.create_index(
        "uq_teams_name", "teams", ["account_id", sa.literal_column("lower(name)")], unique=True
    )
    op.create_table(
        "users",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "engineer",
                "lead",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_service", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deactivated_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "team_id"],
            ["teams.account_id", "teams.id"],
            name=op.f("fk_users_account_id_team_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_users_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_team", "users", ["account_id", "team_id"], unique=False)
    op.create_index("uq_users_email", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "ai_sessions",
        sa.Column(
            "session_type",
            sa.Enum(
                "guided",
                "chat",
                name="session_type",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "intake_type",
            sa.Enum(
                "free_text",
                "psa_ticket",
                "alert",
                "upload",
                name="intake_type",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column("intake_content", sa.Text(), nullable=False),
        sa.Column("intake_reference", sa.String(length=200), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "paused",
                "escalated",
                "resolved",
                "abandoned",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="active",
            nullable=False,
        ),
        sa.Column(
            "status_changed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "confidence_tier",
            sa.Enum(
                "discovery",
                "guided",
                "confident",
                name="confidence_tier",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="discovery",
            nullable=False,
        ),
        sa.Column("problem_summary", sa.Text(), nullable=True),
        sa.Column("problem_domain", sa.String(length=100), nullable=True),
        sa.Column("resolution_summary", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("psa_ticket_id", sa.String(length=100), nullable=True),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("is_branching", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active_branch_id", sa.Uuid(), nullable=False),
        sa.Column("branch_count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("hypothesis_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("step_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("handoff_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("parked_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "char_length(intake_content) BETWEEN 1 AND 20000",
            name=op.f("ck_ai_sessions_intake_length"),
        ),
        sa.CheckConstraint(
            "hypothesis_count BETWEEN 0 AND branch_count - 1",
            name=op.f("ck_ai_sessions_branch_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "assignee_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_ai_sessions_account_id_assignee_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "integration_id"],
            ["integrations.account_id", "integrations.id"],
            name=op.f("fk_ai_sessions_account_id_integration_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "opened_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_ai_sessions_account_id_opened_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "team_id"],
            ["teams.account_id", "teams.id"],
            name=op.f("fk_ai_sessions_account_id_team_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_ai_sessions_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ai_sessions")),
    )
    op.create_index(
        "ix_ai_sessions_assignee",
        "ai_sessions",
        ["account_id", "assignee_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_ai_sessions_newest", "ai_sessions", ["account_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_ai_sessions_search",
        "ai_sessions",
        [
            sa.literal_column(
                "to_tsvector('english'::regconfig, (COALESCE(problem_summary, ''::text) || ' '::text) || intake_content)"  # noqa: E501
            )
        ],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_ai_sessions_team", "ai_sessions", ["account_id", "team_id", "created_at"], unique=False
    )
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String(length=10)), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "created_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_api_keys_account_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_api_keys_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["account_id", "user_id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("mutation", sa.String(length=60), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "made", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "actor_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_idempotency_keys_account_id_actor_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_idempotency_keys_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "actor_id", "mutation", "key", name=op.f("pk_idempotency_keys")
        ),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_refresh_tokens_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(
        "ix_refresh_tokens_family", "refresh_tokens", ["account_id", "family_id"], unique=False
    )
    op.create_index(
        "ix_refresh_tokens_user", "refresh_tokens", ["account_id", "user_id"], unique=False
    )
    op.create_table(
        "events",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "occurred_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "payload", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "actor_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_events_account_id_actor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_events_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_session", "events", ["account_id", "session_id", "seq"], unique=False
    )
    op.create_table(
        "kb_articles",
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("source_session_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "source_session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_kb_articles_account_id_source_session_id"),
            ondelete="SET NULL (source_session_id)",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_kb_articles_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_kb_articles")),
    )
    op.create_index(
        "ix_kb_articles_newest", "kb_articles", ["account_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_kb_articles_source", "kb_articles", ["account_id", "source_session_id"], unique=False
    )
    op.create_table(
        "session_branches",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("parent_branch_id", sa.Uuid(), nullable=True),
        sa.Column("fork_point_id", sa.Uuid(), nullable=True),
        sa.Column("fork_position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        sa.Column("branch_order", sa.Integer(), server_default="1", nullable=False),
        sa.Column("last_child_order", sa.Integer(), server_default="0", nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "untried",
                "active",
                "dead_end",
                "solved",
                "revived",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="active",
            nullable=False,
        ),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("status_changed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status_changed_by", sa.Uuid(), nullable=True),
        sa.Column("likelihood", sa.Double(), nullable=True),
        sa.Column(
            "context_summary",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("step_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("archived_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "parent_branch_id IS NOT NULL OR (status <> 'dead_end' AND archived_at IS NULL)",
            name=op.f("ck_session_branches_trunk_lives"),
        ),
        sa.CheckConstraint(
            "status <> 'dead_end' OR status_reason IS NOT NULL",
            name=op.f("ck_session_branches_reason"),
        ),
        sa.CheckConstraint(
            "(parent_branch_id IS NULL) = (depth = 0)", name=op.f("ck_session_branches_trunk_depth")
        ),
        sa.CheckConstraint(
            "(parent_branch_id IS NULL) = (fork_point_id IS NULL)",
            name=op.f("ck_session_branches_fork_point"),
        ),
        sa.CheckConstraint("branch_order > 0", name=op.f("ck_session_branches_branch_order")),
        sa.CheckConstraint(
            "last_position >= fork_position", name=op.f("ck_session_branches_positions")
        ),
        sa.CheckConstraint(
            "likelihood BETWEEN 0 AND 1", name=op.f("ck_session_branches_likelihood")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "parent_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_session_branches_account_id_session_id_parent_branch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_session_branches_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "status_changed_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_session_branches_account_id_status_changed_by"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_session_branches")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_session_branches_account_id_session_id_id"),
        ),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "parent_branch_id",
            "branch_order",
            name=op.f("uq_session_branches_account_id_session_id_parent_branch_id_branch_order"),
        ),
    )
    op.create_index(
        "ix_session_branches_fork_point",
        "session_branches",
        ["account_id", "fork_point_id"],
        unique=False,
    )
    op.create_index(
        "uq_session_branches_label",
        "session_branches",
        [
            "account_id",
            "session_id",
            "parent_branch_id",
            sa.text('lower(label::text COLLATE "C")'),
        ],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index(
        "uq_session_branches_trunk",
        "session_branches",
        ["account_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("parent_branch_id IS NULL"),
    )
    op.create_table(
        "session_resolution_outputs",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "output_type",
            sa.Enum(
                "psa_ticket_notes",
                "knowledge_base",
                "client_summary",
                name="output_type",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "generating",
                "draft",
                "approved",
                "rejected",
                "pushed",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="generating",
            nullable=False,
        ),
        sa.Column("generated_content", sa.Text(), nullable=True),
        sa.Column("edited_content", sa.Text(), nullable=True),
        sa.Column(
            "structured_data",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("generated_by_model", sa.String(length=100), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_session_resolution_outputs_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_session_resolution_outputs")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_session_resolution_outputs_account_id_session_id_id"),
        ),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "output_type",
            name=op.f("uq_session_resolution_outputs_account_id_session_id_output_type"),
        ),
    )
    op.create_table(
        "branch_messages",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "user",
                "assistant",
                "note",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "streaming",
                "complete",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="complete",
            nullable=False,
        ),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column(
            "suggested_fork",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "role = 'assistant' OR state = 'complete'",
            name=op.f("ck_branch_messages_only_answers_wait"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_branch_messages_position")),
        sa.ForeignKeyConstraint(
            ["account_id", "author_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_branch_messages_account_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_branch_messages_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_branch_messages_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_branch_messages")),
        sa.UniqueConstraint(
            "account_id",
            "branch_id",
            "position",
            name=op.f("uq_branch_messages_account_id_branch_id_position"),
        ),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_branch_messages_account_id_session_id_id"),
        ),
    )
    op.create_index(
        "ix_branch_messages_unfinished",
        "branch_messages",
        ["account_id", "session_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'streaming')"),
    )
    op.create_table(
        "branch_revivals",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("evidence_from_branch_id", sa.Uuid(), nullable=False),
        sa.Column("evidence_description", sa.Text(), nullable=False),
        sa.Column("revived_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "branch_id <> evidence_from_branch_id", name=op.f("ck_branch_revivals_other_branch")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "revived_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_branch_revivals_account_id_revived_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_branch_revivals_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "evidence_from_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_branch_revivals_account_id_session_id_evidence_from_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_branch_revivals_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_branch_revivals")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_branch_revivals_account_id_session_id_id"),
        ),
    )
    op.create_index(
        "ix_branch_revivals_branch", "branch_revivals", ["account_id", "branch_id"], unique=False
    )
    op.create_table(
        "findings",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "observed",
                "ruled_out",
                "confirmed",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_findings_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_findings_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_findings")),
        sa.UniqueConstraint(
            "account_id", "session_id", "id", name=op.f("uq_findings_account_id_session_id_id")
        ),
    )
    op.create_index("ix_findings_branch", "findings", ["account_id", "branch_id"], unique=False)
    op.create_table(
        "resolution_revisions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("output_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "author_id"],
            ["users.account_id", "users.id"],
            name=op.f("fk_resolution_revisions_account_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "output_id"],
            ["session_resolution_outputs.account_id", "session_resolution_outputs.id"],
            name=op.f("fk_resolution_revisions_account_id_output_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "output_id", "version", name=op.f("pk_resolution_revisions")
        ),
    )
    op.create_table(
        "session_handoffs",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "claimed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="open",
            nullable=False,
        ),
        sa.Column(
            "intent",
            sa.Enum(
                "park",
                "escalate",
                name="intent",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "priority",
            sa.Enum(
                "normal",
                "elevated",
                name="priority",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="normal",
            nullable=False,
        ),
        sa.Column("handed_off_by", sa.Uuid(), nullable=False),
        sa.Column("source_branch_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_notes", sa.String(length=4000), nullable=True),
        sa.Column(
            "snapshot", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column(
            "assessment", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("briefing", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "notification_sent", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'claimed') = (claimed_by IS NOT NULL)",
            name=op.f("ck_session_handoffs_claimed"),
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)", name=op.f("ck_session_handoffs_closed")
        ),
        sa.CheckConstraint(
            "intent = 'escalate' OR priority = 'normal'",
            name=op.f("ck_session_handoffs_elevated_escalation"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "claimed_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_session_handoffs_account_id_claimed_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "handed_off_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_session_handoffs_account_id_handed_off_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "source_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_session_handoffs_account_id_session_id_source_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_session_handoffs_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_session_handoffs")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_session_handoffs_account_id_session_id_id"),
        ),
    )
    op.create_index(
        "ix_session_handoffs_queue",
        "session_handoffs",
        ["account_id", sa.literal_column("(priority = 'elevated') DESC"), "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_session_handoffs_session",
        "session_handoffs",
        ["account_id", "session_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_session_handoffs_open",
        "session_handoffs",
        ["account_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "branch_revival_evidence",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("revival_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_branch_revival_evidence_account_id_session_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "revival_id"],
            ["branch_revivals.account_id", "branch_revivals.session_id", "branch_revivals.id"],
            name=op.f("fk_branch_revival_evidence_account_id_session_id_revival_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "revival_id", "ordinal", name=op.f("pk_branch_revival_evidence")
        ),
    )
    op.create_table(
        "deliveries",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("output_id", sa.Uuid(), nullable=True),
        sa.Column("handoff_id", sa.Uuid(), nullable=True),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column(
            "destination",
            sa.Enum(
                "psa",
                "kb_library",
                "hudu",
                "it_glue",
                "clipboard",
                "email",
                "webhook",
                name="destination",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "delivered",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="queued",
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(output_id IS NULL) <> (handoff_id IS NULL)", name=op.f("ck_deliveries_one_content")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "created_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_deliveries_account_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "integration_id"],
            ["integrations.account_id", "integrations.id"],
            name=op.f("fk_deliveries_account_id_integration_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "handoff_id"],
            ["session_handoffs.account_id", "session_handoffs.session_id", "session_handoffs.id"],
            name=op.f("fk_deliveries_account_id_session_id_handoff_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "output_id"],
            [
                "session_resolution_outputs.account_id",
                "session_resolution_outputs.session_id",
                "session_resolution_outputs.id",
            ],
            name=op.f("fk_deliveries_account_id_session_id_output_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_deliveries_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_handoff", "deliveries", ["account_id", "handoff_id"], unique=False
    )
    op.create_index("ix_deliveries_output", "deliveries", ["account_id", "output_id"], unique=False)
    op.create_table(
        "finding_evidence",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "finding_id"],
            ["findings.account_id", "findings.session_id", "findings.id"],
            name=op.f("fk_finding_evidence_account_id_session_id_finding_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_finding_evidence_account_id_session_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "finding_id", "ordinal", name=op.f("pk_finding_evidence")
        ),
    )
    op.create_table(
        "fork_points",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("parent_branch_id", sa.Uuid(), nullable=False),
        sa.Column("after_message_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("fork_reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "created_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_fork_points_account_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "after_message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_fork_points_account_id_session_id_after_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "parent_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_fork_points_account_id_session_id_parent_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_fork_points_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_fork_points")),
        sa.UniqueConstraint(
            "account_id", "session_id", "id", name=op.f("uq_fork_points_account_id_session_id_id")
        ),
    )
    op.create_index(
        "ix_fork_points_parent", "fork_points", ["account_id", "parent_branch_id"], unique=False
    )
    op.create_table(
        "message_chunks",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.id"],
            name=op.f("fk_message_chunks_account_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "message_id", "attempt", "start", name=op.f("pk_message_chunks")
        ),
    )
    op.create_table(
        "ai_session_steps",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("step_order", sa.Integer(), nullable=False),
        sa.Column(
            "step_type",
            sa.Enum(
                "intake_analysis",
                "question",
                "action",
                "verification",
                "info_request",
                "script_generation",
                "note",
                "fork",
                name="step_type",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            nullable=False,
        ),
        sa.Column(
            "content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("confidence_at_step", sa.Double(), nullable=True),
        sa.Column("is_fork_point", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("fork_point_id", sa.Uuid(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "confidence_at_step BETWEEN 0 AND 1", name=op.f("ck_ai_session_steps_confidence")
        ),
        sa.CheckConstraint("step_order > 0", name=op.f("ck_ai_session_steps_step_order")),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_ai_session_steps_account_id_session_id_branch_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "fork_point_id"],
            ["fork_points.account_id", "fork_points.session_id", "fork_points.id"],
            name=op.f("fk_ai_session_steps_account_id_session_id_fork_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.session_id", "branch_messages.id"],
            name=op.f("fk_ai_session_steps_account_id_session_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_ai_session_steps_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ai_session_steps")),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "id",
            name=op.f("uq_ai_session_steps_account_id_session_id_id"),
        ),
        sa.UniqueConstraint(
            "account_id",
            "session_id",
            "step_order",
            name=op.f("uq_ai_session_steps_account_id_session_id_step_order"),
        ),
    )
    op.create_index(
        "ix_ai_session_steps_branch", "ai_session_steps", ["account_id", "branch_id"], unique=False
    )
    op.create_index(
        "ix_ai_session_steps_fork_point",
        "ai_session_steps",
        ["account_id", "fork_point_id"],
        unique=False,
    )
    op.create_index(
        "ix_ai_session_steps_message",
        "ai_session_steps",
        ["account_id", "message_id"],
        unique=False,
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "attempted_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "delivery_id"],
            ["deliveries.account_id", "deliveries.id"],
            name=op.f("fk_delivery_attempts_account_id_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "delivery_id", "attempt", name=op.f("pk_delivery_attempts")
        ),
    )
    op.create_table(
        "file_uploads",
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_on_branch_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at_step_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "stored",
                "describing",
                "described",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=30,
            ),
            server_default="stored",
            nullable=False,
        ),
        sa.Column("ai_description", sa.Text(), nullable=True),
        sa.Column("content_summary", sa.Text(), nullable=True),
        sa.Column("extracted_content", sa.Text(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("byte_size >= 0", name=op.f("ck_file_uploads_byte_size")),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "uploaded_at_step_id"],
            ["ai_session_steps.account_id", "ai_session_steps.session_id", "ai_session_steps.id"],
            name=op.f("fk_file_uploads_account_id_session_id_uploaded_at_step_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id", "uploaded_on_branch_id"],
            ["session_branches.account_id", "session_branches.session_id", "session_branches.id"],
            name=op.f("fk_file_uploads_account_id_session_id_uploaded_on_branch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["ai_sessions.account_id", "ai_sessions.id"],
            name=op.f("fk_file_uploads_account_id_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "uploaded_by"],
            ["users.account_id", "users.id"],
            name=op.f("fk_file_uploads_account_id_uploaded_by"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_file_uploads_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_file_uploads")),
    )
    op.create_index(
        "ix_file_uploads_branch",
        "file_uploads",
        ["account_id", "uploaded_on_branch_id"],
        unique=False,
    )
    op.create_index(
        "ix_file_uploads_session", "file_uploads", ["account_id", "session_id"], unique=False
    )
    op.create_table(
        "message_attachments",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"],
            ["branch_messages.account_id", "branch_messages.id"],
            name=op.f("fk_message_attachments_account_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "upload_id"],
            ["file_uploads.account_id", "file_uploads.id"],
            name=op.f("fk_message_attachments_account_id_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "message_id", "ordinal", name=op.f("pk_message_attachments")
        ),
    )
    op.create_index(
        "ix_message_attachments_upload",
        "message_attachments",
        ["account_id", "upload_id"],
        unique=False,
    )
    op.create_foreign_key(
        "fk_ai_sessions_account_id_id_active_branch_id",
        "ai_sessions",
        "session_branches",
        ["account_id", "id", "active_branch_id"],
        ["account_id", "session_id", "id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_foreign_key(
        "fk_session_branches_account_id_session_id_fork_point_id",
        "session_branches",
        "fork_points",
        ["account_id", "session_id", "fork_point_id"],
        ["account_id", "session_id", "id"],
        deferrable=True,
        initially="DEFERRED",
    )
    build_wall()
    apply_job_schema()


TABLES_LAST_FIRST = (
    "message_attachments",
    "file_uploads",
    "delivery_attempts",
    "ai_session_steps",
    "message_chunks",
    "fork_points",
    "finding_evidence",
    "deliveries",
    "branch_revival_evidence",
    "session_handoffs",
    "resolution_revisions",
    "findings",
    "branch_revivals",
    "branch_messages",
    "session_resolution_outputs",
    "session_branches",
    "kb_articles",
    "events",
    "refresh_tokens",
    "idempotency_keys",
    "api_keys",
    "ai_sessions",
    "users",
    "teams",
    "integrations",
    "accounts",
)


def downgrade() -> None:
    op.drop_constraint(
        "fk_session_branches_account_id_session_id_fork_point_id",
        "session_branches",
        type_="foreignkey",
    )
    op.drop_constraint(
        "fk_ai_sessions_account_id_id_active_branch_id", "ai_sessions", type_="foreignkey"
    )
    for table in TABLES_LAST_FIRST:
        op.drop_table(table)
    for signature in LOOK_UP_SIGNATURES:
        op.execute(f"DROP FUNCTION {signature}")
    op.execute("DROP FUNCTION flowpilot_account_id()")
    drop_job_schema()
    op.execute(f"REVOKE ALL ON SCHEMA public FROM {ROLE}")  # the role stays: others may use it
