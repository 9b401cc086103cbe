"""A piece of an answer is written in one round trip, as a transaction of its own."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"
SIGNATURE = "flowpilot_write_chunk(uuid, uuid, integer, integer, text)"

# With the rights of whoever calls it, so the wall between accounts holds inside, too.
WRITE_CHUNK = """
CREATE FUNCTION flowpilot_write_chunk(
    its_account uuid, its_message uuid, its_attempt integer, its_start integer, its_body text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM set_config('app.account_id', its_account::text, true);
    INSERT INTO message_chunks (account_id, message_id, attempt, start, body)
    SELECT account_id, id, attempt, its_start, its_body FROM branch_messages
     WHERE account_id = its_account AND id = its_message
       AND attempt = its_attempt AND state = 'streaming';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT access_version FROM accounts WHERE id = its_account);
END
$$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(WRITE_CHUNK)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(f"DROP FUNCTION {SIGNATURE}")
