"""Who calls is asked in one round trip: the function is given the account, which the token names.

And whoever shows an API key learns when it was last used, so that it is written only now and then.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

GIVEN_THE_ACCOUNT = """
    CREATE FUNCTION flowpilot_user_by_id(its_account uuid, user_id uuid)
    RETURNS TABLE (role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT role FROM users
         WHERE account_id = its_account AND id = user_id
           AND deactivated_at IS NULL AND NOT is_service
    $$
"""

OF_THE_TRANSACTION = """
    CREATE FUNCTION flowpilot_user_by_id(user_id uuid)
    RETURNS TABLE (account_id uuid, id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT account_id, id, role FROM users
         WHERE account_id = (SELECT flowpilot_account_id()) AND id = user_id
           AND deactivated_at IS NULL AND NOT is_service
    $$
"""


def api_key(*more: tuple[str, str]) -> str:
    columns = [("expires_at", "timestamptz"), *more]
    return f"""
    CREATE FUNCTION flowpilot_api_key(hash bytea)
    RETURNS TABLE (account_id uuid, id uuid, user_id uuid, created_by uuid, scopes text[],
                   {", ".join(" ".join(column) for column in columns)})
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT k.account_id, k.id, k.user_id, k.created_by, k.scopes::text[],
               {", ".join(f"k.{name}" for name, _ in columns)}
          FROM api_keys k
         WHERE k.secret_hash = hash AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > now())
    $$
    """


def replace(old: str, new: str, definition: str) -> None:
    op.execute(f"DROP FUNCTION {old}")
    op.execute(definition)
    op.execute(f"REVOKE ALL ON FUNCTION {new} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {new} TO {ROLE}")


OLD, NEW = "flowpilot_user_by_id(uuid)", "flowpilot_user_by_id(uuid, uuid)"
KEY = "flowpilot_api_key(bytea)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    replace(OLD, NEW, GIVEN_THE_ACCOUNT)
    replace(KEY, KEY, api_key(("last_used_at", "timestamptz")))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    replace(KEY, KEY, api_key())
    replace(NEW, OLD, OF_THE_TRANSACTION)
