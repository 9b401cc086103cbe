"""The demo is what the verbs would have made: every counter counts, every lineage is whole."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import create_engine, select, text

from app import open_runtime
from cli import migrate
from models.account import Account, Role, User
from models.message import BranchMessage
from models.output import ResolutionOutput
from models.session import AiSession
from services import demo
from services.access import SCOPES_OF, Actor
from services.database import sync_url
from services.outputs.reading import grounded_sentences
from services.replay import by_place
from settings import Settings
from tests.tables import as_owner

ARTICLE = """# The copier could not scan to mail after the tenant switched off basic authentication.

## Symptoms

- Dr. Amato's practice, the copier says "authentication failed" when they scan to mail. Printing works.

## Root cause

Relay connector by address: Three test scans arrived, also to an outside address.

## Resolution steps

1. The copier signed in with basic authentication, which the tenant refuses since the 20th. It now sends \
through the relay connector by the office's address, and was tested with three scans.

## Things to rule out first

- Firmware with modern authentication: The maker ended updates for this model in spring; no firmware can \
do it."""

# Each finds rows that contradict one another; there must be none.
CONTRADICTIONS = {
    "positions": """
        SELECT branch_id FROM branch_messages m JOIN session_branches b ON b.id = m.branch_id
        GROUP BY branch_id, b.fork_position, b.last_position
        HAVING count(*) <> b.last_position - b.fork_position
            OR min(position) <> b.fork_position + 1 OR max(position) <> b.last_position""",
    "silent branches": """
        SELECT id FROM session_branches b WHERE last_position <> fork_position
        AND NOT EXISTS (SELECT FROM branch_messages WHERE branch_id = b.id)""",
    "forks beyond the parent": """
        SELECT p.id FROM fork_points p JOIN session_branches b ON b.id = p.parent_branch_id
        WHERE p.position > b.last_position""",
    "forks of one option": """
        SELECT fork_point_id FROM session_branches WHERE fork_point_id IS NOT NULL
        GROUP BY fork_point_id HAVING count(*) < 2""",
    "counts of sessions": """
        SELECT s.id FROM ai_sessions s
        WHERE branch_count <> (SELECT count(*) FROM session_branches WHERE session_id = s.id)
           OR step_count <> (SELECT count(*) FROM ai_session_steps WHERE session_id = s.id)
           OR handoff_count <> (SELECT count(*) FROM session_handoffs WHERE session_id = s.id)""",
    "counts of branches": """
        SELECT b.id FROM session_branches b
        WHERE step_count <> (SELECT count(*) FROM ai_session_steps WHERE branch_id = b.id)
           OR last_child_order <>
              (SELECT count(*) FROM session_branches c WHERE c.parent_branch_id = b.id)""",
    "revived without evidence": """
        SELECT b.id FROM session_branches b WHERE status = 'revived'
        AND NOT EXISTS (SELECT FROM branch_revivals JOIN branch_revival_evidence
                        ON revival_id = branch_revivals.id WHERE branch_id = b.id)""",
    "revived of no dead end": """
        SELECT id FROM branch_revivals WHERE dead_end_reason IS NULL OR dead_end_at IS NULL
        OR dead_end_at >= created_at""",
    "findings apart from their evidence": """
        SELECT f.id FROM findings f WHERE position <>
        (SELECT max(m.position) FROM finding_evidence e
         JOIN branch_messages m ON m.id = e.message_id WHERE e.finding_id = f.id)""",
    "put down without a handoff": """
        SELECT s.id FROM ai_sessions s WHERE (status IN ('paused', 'escalated')) <> EXISTS
        (SELECT FROM session_handoffs WHERE session_id = s.id AND state = 'open')""",
    "events": """
        SELECT a.id FROM accounts a LEFT JOIN events e ON e.account_id = a.id GROUP BY a.id
        HAVING count(e.seq) <> a.event_seq OR max(e.seq) <> a.event_seq""",
    "plans": """
        SELECT s.id FROM ai_sessions s JOIN accounts a ON a.id = s.account_id
        WHERE hypothesis_count > CASE plan WHEN 'free' THEN 2 WHEN 'team' THEN 10 ELSE 1000 END""",
}


@pytest.fixture(scope="module")
async def demo_url(make_database: Callable[[str], str]) -> str:
    url = make_database("demo")
    migrate(url)
    assert await demo.load_once(url, "a-password-for-tests")
    return url


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_nothing_contradicts(demo_url: str, contradiction: str) -> None:
    engine = create_engine(sync_url(demo_url))
    with engine.connect() as db:
        assert db.execute(text(CONTRADICTIONS[contradiction])).all() == []
    engine.dispose()


def test_what_there_is(demo_url: str) -> None:
    engine = create_engine(sync_url(demo_url))
    with engine.connect() as db:
        statuses = db.execute(
            text("SELECT name, s.status FROM ai_sessions s JOIN accounts a ON a.id = account_id")
        ).all()
        largest = db.execute(
            text(
                "SELECT max(branch_count), (SELECT max(depth) FROM session_branches) FROM ai_sessions"
            )
        ).one()
        articles = db.execute(
            text(
                "SELECT count(*) FROM kb_articles WHERE body LIKE '## Symptoms%' GROUP BY account_id"
            )
        ).scalars()
        assert articles.all() == [8, 8, 8]
        resolved = db.execute(
            text("SELECT s.status FROM resolved_sessions JOIN ai_sessions s ON s.id = session_id")
        ).scalars()
        assert resolved.all() == ["resolved"]
    engine.dispose()
    assert Counter(tuple(row) for row in statuses) == {
        ("First Managed Services", "active"): 1,
        ("First Managed Services", "escalated"): 1,
        ("First Managed Services", "paused"): 1,
        ("First Managed Services", "resolved"): 1,
        ("Second IT Partners", "active"): 1,
        ("Second IT Partners", "paused"): 1,
        ("Third Enterprise Support", "active"): 2,
    }
    assert largest[0] == 1000
    assert largest[1] >= 4


async def test_the_log_tells_every_session_as_it_is(demo_url: str, tmp_path: Path) -> None:
    """What replay makes of the events is what the rows say."""
    engine = create_engine(sync_url(demo_url))
    with engine.connect() as db:
        sessions = db.execute(
            select(AiSession, User.id.label("anybody")).join(
                User, (User.account_id == AiSession.account_id) & (User.role == Role.ADMIN)
            )
        ).all()
        seqs = {row.id: row.event_seq for row in db.execute(select(Account.id, Account.event_seq))}
    engine.dispose()
    assert len(sessions) == 8
    settings = Settings(data_dir=tmp_path, worker_concurrency=0)
    async with open_runtime(settings, demo_url) as runtime:
        for row in sessions:
            actor = Actor(
                row.account_id, row.anybody, Role.ADMIN, SCOPES_OF[Role.ADMIN], row.anybody, None
            )
            place = (row.id, seqs[row.account_id])
            moment = (await by_place(runtime, actor, [place]))[place]
            assert (moment.status, moment.assignee_id) == (row.status, row.assignee_id)
            assert moment.active_branch_id == row.active_branch_id
            assert (moment.open_handoff is not None) == (row.status in {"paused", "escalated"})
            assert len(moment.branches) == row.branch_count
            for then in moment.branches.values():
                now = then.row
                assert (then.label, then.status, then.reason, then.likelihood, then.changed_at) == (
                    now.label,
                    now.status,
                    now.status_reason,
                    now.likelihood,
                    now.status_changed_at,
                )
                assert then.said == now.last_position - now.fork_position


async def test_the_resolved_session_has_left_documents_that_rest_on_its_record(
    demo_url: str,
) -> None:
    async with as_owner(demo_url) as db:
        outputs = (await db.execute(select(ResolutionOutput))).all()
        messages = set((await db.execute(select(BranchMessage.id))).scalars())
    assert {(o.output_type.name, o.status.name, o.generated_by_model) for o in outputs} == {
        ("PSA_TICKET_NOTES", "DRAFT", "playbook"),
        ("KNOWLEDGE_BASE", "DRAFT", "playbook"),
        ("CLIENT_SUMMARY", "DRAFT", "playbook"),
    }
    for output in outputs:
        found = grounded_sentences(cast("ResolutionOutput", output))
        assert "none" not in {grounds.basis for _, grounds in found}
        assert {key for _, grounds in found for key in grounds.messages} <= messages
    (article,) = [o for o in outputs if o.output_type.name == "KNOWLEDGE_BASE"]
    assert article.generated_content == ARTICLE


async def test_a_second_time_changes_nothing(demo_url: str) -> None:
    assert not await demo.load_once(demo_url, "another-password-for-tests")
