"""What an account knows is found by index.

Row-level security lets no operator of tsvector use an index, because such operators may tell of rows in
their errors. So functions that belong to the tables' owner look words up, in the account of the
transaction and no other: every key of the index begins with the account.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROLE = "flowpilot_app"

KEYS = """
CREATE FUNCTION flowpilot_word_keys(account_id uuid, words tsvector) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
AS $$
    SELECT array_agg(account_id::text || lexeme) FROM unnest(tsvector_to_array(words)) lexeme
$$
"""

# Each word's holders, of each kind at most as many as asked for.
HOLDERS = """
CREATE FUNCTION flowpilot_holders(lexemes text[], most integer)
RETURNS TABLE (lexeme text, kind text, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT asked.lexeme, 'article', held.id
      FROM unnest(lexemes) asked(lexeme)
     CROSS JOIN LATERAL (
            SELECT a.id FROM kb_articles a
             WHERE a.account_id = flowpilot_account_id()
               AND flowpilot_word_keys(a.account_id, a.words)
                   @> ARRAY[flowpilot_account_id()::text || asked.lexeme]
             LIMIT most) held
     UNION ALL
    SELECT asked.lexeme, 'session', held.session_id
      FROM unnest(lexemes) asked(lexeme)
     CROSS JOIN LATERAL (
            SELECT s.session_id FROM resolved_sessions s
             WHERE s.account_id = flowpilot_account_id()
               AND flowpilot_word_keys(s.account_id, s.words)
                   @> ARRAY[flowpilot_account_id()::text || asked.lexeme]
             LIMIT most) held
$$
"""

# The part of a query that an index can serve names words that must all occur, or one of them where there is
# an "or"; a query without such a part, as "-word", reads all articles of the account. What is asked for
# besides, as that words follow each other, is looked at in the newest of those that have the words.
MATCHING = """
CREATE FUNCTION flowpilot_matching_articles(query tsquery, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    me CONSTANT uuid := flowpilot_account_id();
    quoted CONSTANT text := '''((?:[^'']|'''')*)''';
    needed CONSTANT text := querytree(query);
    keys text[];
BEGIN
    SELECT array_agg(me::text || replace(replace(word[1], '''''', ''''), '\\\\', '\\'))
      INTO keys FROM regexp_matches(needed, quoted, 'g') word;
    IF keys IS NULL THEN
        RETURN QUERY SELECT a.id FROM kb_articles a
          WHERE a.account_id = me AND a.words @@ query
          ORDER BY a.created_at DESC, a.id DESC LIMIT most;
    ELSIF regexp_replace(needed, quoted, '', 'g') LIKE '%|%' THEN
        RETURN QUERY SELECT held.id FROM (
            SELECT a.id, a.created_at, a.words FROM kb_articles a
             WHERE a.account_id = me AND flowpilot_word_keys(a.account_id, a.words) && keys
             ORDER BY a.created_at DESC, a.id DESC LIMIT 5 * most) held
          WHERE held.words @@ query ORDER BY held.created_at DESC, held.id DESC LIMIT most;
    ELSE
        RETURN QUERY SELECT held.id FROM (
            SELECT a.id, a.created_at, a.words FROM kb_articles a
             WHERE a.account_id = me AND flowpilot_word_keys(a.account_id, a.words) @> keys
             ORDER BY a.created_at DESC, a.id DESC LIMIT 5 * most) held
          WHERE held.words @@ query ORDER BY held.created_at DESC, held.id DESC LIMIT most;
    END IF;
END
$$
"""

CALLED = ("flowpilot_holders(text[], integer)", "flowpilot_matching_articles(tsquery, integer)")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(KEYS)
    for table in ("kb_articles", "resolved_sessions"):
        op.execute(
            f"CREATE INDEX ix_{table}_words ON {table} "
            "USING gin (flowpilot_word_keys(account_id, words))"
        )
    op.execute(HOLDERS)
    op.execute(MATCHING)
    for signature in CALLED:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {ROLE}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for signature in CALLED:
        op.execute(f"DROP FUNCTION {signature}")
    for table in ("kb_articles", "resolved_sessions"):
        op.execute(f"DROP INDEX ix_{table}_words")
    op.execute("DROP FUNCTION flowpilot_word_keys(uuid, tsvector)")
