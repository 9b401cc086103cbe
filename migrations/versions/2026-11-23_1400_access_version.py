"""A number per account that grows with every change of who may do what.

Whoever reads events reads it with them, and asks again who calls only when it has grown. It is counted
by the tables themselves, so that no way of changing rights can forget it, and only at the commit, so that
the account's row is locked last, as everywhere.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COUNT_CHANGE = """
CREATE FUNCTION flowpilot_count_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET access_version = access_version + 1 WHERE id = OLD.account_id;
    RETURN NULL;
END
$$
"""

WATCHED = {"users": "role, deactivated_at", "api_keys": "scopes, expires_at, revoked_at"}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column(
        "accounts",
        sa.Column("access_version", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.execute("GRANT UPDATE (access_version) ON accounts TO flowpilot_app")
    op.execute(COUNT_CHANGE)
    for table, columns in WATCHED.items():
        op.execute(
            f"CREATE CONSTRAINT TRIGGER flowpilot_access_changed AFTER UPDATE OF {columns} ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
            "EXECUTE FUNCTION flowpilot_count_access_change()"
        )


def downgrade() -> None:
    for table in WATCHED:
        op.execute(f"DROP TRIGGER flowpilot_access_changed ON {table}")
    op.execute("DROP FUNCTION flowpilot_count_access_change()")
    op.drop_column("accounts", "access_version")
