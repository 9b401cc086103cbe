"""What an account knows already about a question: kept with the answer, and told to whoever gives it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.knowledge import KbArticle, MessageArticle
from models.message import BranchMessage
from services.access import Actor
from services.ai.port import Article, Known, SolvedSession
from services.database import fetch
from services.knowledge.lookup import Related, related_to_asked
from services.runtime import Runtime

MOST = 8
"""Articles that are suggested with an answer."""

TOLD = 3
"""Articles, and sessions, that the assistant is told of: the best."""

_SOLVED = text(
    """
    SELECT session.id, coalesce(session.problem_summary, session.intake_content) AS problem,
           session.resolution_summary, solved.label, solved.status_reason
      FROM ai_sessions session
      LEFT JOIN LATERAL (
            SELECT label, status_reason FROM session_branches branch
             WHERE branch.account_id = session.account_id AND branch.session_id = session.id
               AND branch.status = 'solved'
             ORDER BY branch.status_changed_at DESC, branch.id LIMIT 1) solved ON true
     WHERE session.account_id = :account_id AND session.id = ANY (:session_ids)
    """
)


async def suggest(db: AsyncConnection, reply: BranchMessage) -> Known:
    """Keeps articles with the reply, in place of earlier ones, and returns what the assistant is told."""
    related = await related_to_asked(db, reply, most=MOST)
    await db.execute(
        delete(MessageArticle).where(
            MessageArticle.account_id == reply.account_id, MessageArticle.message_id == reply.id
        )
    )
    if related.articles:
        rows = [
            {
                "account_id": reply.account_id,
                "message_id": reply.id,
                "rank": rank,
                "article_id": found.id,
                "score": found.score,
            }
            for rank, found in enumerate(related.articles, 1)
        ]
        await db.execute(insert(MessageArticle), rows)
    return Known(
        tuple(await _articles(db, reply.account_id, related)),
        tuple(await _sessions(db, reply.account_id, related)),
    )


async def _articles(db: AsyncConnection, account_id: UUID, related: Related) -> list[Article]:
    keys = [found.id for found in related.articles[:TOLD]]
    if not keys:
        return []
    statement = select(KbArticle).where(KbArticle.account_id == account_id, KbArticle.id.in_(keys))
    rows = {row.id: row for row in await fetch(db, statement)}
    return [Article(rows[key].title, rows[key].body) for key in keys]


async def _sessions(db: AsyncConnection, account_id: UUID, related: Related) -> list[SolvedSession]:
    keys = [found.id for found in related.sessions[:TOLD]]
    if not keys:
        return []
    found = await db.execute(_SOLVED, {"account_id": account_id, "session_ids": keys})
    rows = {row.id: row for row in found}
    return [
        SolvedSession(
            rows[key].problem,
            rows[key].label,
            rows[key].resolution_summary or rows[key].status_reason,
        )
        for key in keys
    ]


# ------------------------------------------------------------------ reads


async def articles_by_message(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, list[KbArticle]]:
    """Best first."""
    statement = (
        select(MessageArticle.message_id, KbArticle)
        .join(
            KbArticle,
            (KbArticle.account_id == MessageArticle.account_id)
            & (KbArticle.id == MessageArticle.article_id),
        )
        .where(
            MessageArticle.account_id == actor.account_id,
            MessageArticle.message_id.in_(message_ids),
        )
        .order_by(MessageArticle.rank)
    )
    found: defaultdict[UUID, list[KbArticle]] = defaultdict(list)
    async with runtime.read(actor) as db:
        rows: Sequence[Any] = (await db.execute(statement)).all()
    for row in rows:
        found[row.message_id].append(row)
    return found
