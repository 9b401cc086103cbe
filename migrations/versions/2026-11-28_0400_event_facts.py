"""Events of branches tell their labels, likelihoods and archiving; the audit knows what earlier ones meant.

An audit entry and an event of one transaction have the same instant, and so has a ranking.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TELL_FORKS = """
UPDATE events e SET payload = e.payload || (
    SELECT jsonb_build_object(
               'labels', jsonb_agg(coalesce(renamed.before, branch.label) ORDER BY made.place),
               'likelihoods', jsonb_agg(
                   CASE WHEN ranked.id IS NULL THEN branch.likelihood ELSE ranked.prior END
                   ORDER BY made.place))
      FROM jsonb_array_elements_text(e.payload->'branch_ids') WITH ORDINALITY made(id, place)
      JOIN session_branches branch
        ON branch.account_id = e.account_id AND branch.id = CAST(made.id AS uuid)
      LEFT JOIN LATERAL (
            SELECT change->>'before' AS before
              FROM audit_entries a, jsonb_array_elements(a.changes) change
             WHERE a.account_id = e.account_id AND a.target_id = branch.id
               AND a.action = 'branch_renamed' AND change->>'field' = 'label'
             ORDER BY a.occurred_at, a.id LIMIT 1) renamed ON true
      LEFT JOIN LATERAL (
            SELECT id, prior FROM hypothesis_rankings r
             WHERE r.account_id = e.account_id AND r.branch_id = branch.id
             ORDER BY r.id LIMIT 1) ranked ON true)
 WHERE e.type = 'BranchForked' AND NOT e.payload ? 'labels'
"""

TELL_NAMES_AND_ARCHIVING = """
UPDATE events e
   SET payload = e.payload || CASE a.action
       WHEN 'branch_renamed' THEN jsonb_build_object('label', (
            SELECT change->'after' FROM jsonb_array_elements(a.changes) change
             WHERE change->>'field' = 'label'))
       ELSE jsonb_build_object('archived', a.action = 'branch_archived') END
  FROM audit_entries a
 WHERE e.type = 'BranchUpdated' AND NOT e.payload ? 'label'
   AND a.account_id = e.account_id AND a.occurred_at = e.occurred_at
   AND a.target_id = CAST(e.payload->>'branch_id' AS uuid)
   AND a.action IN ('branch_renamed', 'branch_archived', 'branch_restored')
"""

TELL_RANKINGS = """
UPDATE events e SET payload = e.payload || jsonb_build_object('likelihood', r.likelihood)
  FROM hypothesis_rankings r
 WHERE e.type = 'BranchUpdated' AND NOT e.payload ? 'likelihood'
   AND r.account_id = e.account_id AND r.created_at = e.occurred_at
   AND r.branch_id = CAST(e.payload->>'branch_id' AS uuid)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for statement in (TELL_FORKS, TELL_NAMES_AND_ARCHIVING, TELL_RANKINGS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(
        "UPDATE events SET payload = payload - '{labels,likelihoods}'::text[] "
        "WHERE type = 'BranchForked'"
    )
    op.execute(
        "UPDATE events SET payload = payload - '{label,archived,likelihood}'::text[] "
        "WHERE type = 'BranchUpdated'"
    )
