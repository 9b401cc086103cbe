"""Whoever reads as somebody enters the account by the statement that reads, and learns their role by it."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"
SIGNATURE = "flowpilot_enter(uuid, uuid)"

# With the rights of whoever calls it: the account is entered first, or there would be no user to see.
ENTER = """
CREATE FUNCTION flowpilot_enter(its_account uuid, its_user uuid) RETURNS TABLE (role text)
LANGUAGE sql VOLATILE ROWS 1 SET search_path = public, pg_temp
AS $$
    SELECT set_config('app.account_id', its_account::text, true);
    SELECT (SELECT role FROM users
             WHERE account_id = its_account AND id = its_user
               AND deactivated_at IS NULL AND NOT is_service);
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(ENTER)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(f"DROP FUNCTION {SIGNATURE}")
