"""What an account knows already: its library of articles, and its resolved sessions that are like another.

The words of a text are looked up in both. The score of a document for the words t of a text:

    sum over the shared t of  rarity(t) * place(t)  /  sum over all t of  rarity(t)
    rarity(t) = ln(1 + (N + 20 - n(t) + 0.5) / (n(t) + 0.5))

n(t) of the account's N documents hold t; the 20 that nobody wrote keep a small library from taking
every word for common. place is 1 for a word of a title or summary, 0.8 of symptoms, intake and
findings, 0.4 of cause, tags and resolution, 0.2 of the body: the best place counts. So the score is from
0 to 1: how much of what was said, rare words above all, the document says too, and in how good a place.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TextClause,
    delete,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from models.knowledge import KbArticle, MessageArticle
from models.message import BranchMessage
from services.access import Actor
from services.database import fetch
from services.pages import Page, page_size, read_cursor, write_cursor
from services.runtime import Runtime
from services.validation import Validation

MOST_WORDS = 24
"""Of a text that are looked up: the ones said most often, then the first."""

MOST_CHARACTERS = 20_000
"""Of a text that are read."""

SCORE_NEEDED = 0.2
"""Set by hand between what support articles score for their own symptoms and for those of others."""

WORDS_NEEDED = 2
"""That a document shares with a text, unless it has fewer."""

MOST_SUGGESTED = 8
MOST_SIMILAR = 20

_FIND = """
    WITH question AS ({question}),
    word AS (
        SELECT question.id AS question_id, said.lexeme
          FROM question
         CROSS JOIN LATERAL (
            SELECT lexeme
              FROM unnest(to_tsvector('english', left(question.body, :most_characters)))
             WHERE length(lexeme) > 1
             ORDER BY cardinality(positions) DESC, positions[1], lexeme
             LIMIT :most_words) said),
    document AS MATERIALIZED (
        SELECT 'article' AS kind, id, words FROM kb_articles WHERE account_id = :account_id
        UNION ALL
        SELECT 'session', session_id, words FROM resolved_sessions WHERE account_id = :account_id),
    held AS MATERIALIZED (
        SELECT kind, id, said.lexeme,
               CASE WHEN 'A' = ANY (said.weights) THEN 1.0
                    WHEN 'B' = ANY (said.weights) THEN 0.8
                    WHEN 'C' = ANY (said.weights) THEN 0.4
                    ELSE 0.2 END AS place
          FROM document, unnest(words) said
         WHERE said.lexeme IN (SELECT lexeme FROM word)),
    rarity AS (
        SELECT lexeme,
               ln(1 + (all_documents.count + 20 - coalesce(holders.count, 0) + 0.5)
                      / (coalesce(holders.count, 0) + 0.5)) AS rarity
          FROM (SELECT DISTINCT lexeme FROM word) asked
          LEFT JOIN (SELECT lexeme, count(*) FROM held GROUP BY lexeme) holders USING (lexeme),
               (SELECT count(*) FROM document) all_documents),
    asked AS (
        SELECT question_id, sum(rarity) AS rarity, count(*) AS words
          FROM word JOIN rarity USING (lexeme) GROUP BY question_id),
    scored AS (
        SELECT question_id, kind, id,
               CAST(sum(rarity.rarity * held.place) / min(asked.rarity) AS float8) AS score
          FROM word
          JOIN rarity USING (lexeme)
          JOIN held USING (lexeme)
          JOIN asked USING (question_id)
         WHERE kind = ANY (:kinds) AND id <> question_id
         GROUP BY question_id, kind, id
        HAVING count(*) >= least(:words_needed, min(asked.words))),
    found AS (
        SELECT *, row_number() OVER (PARTITION BY question_id, kind ORDER BY score DESC, id) AS rank
          FROM scored WHERE score >= :score_needed)
"""

_GIVEN = {
    "most_words": MOST_WORDS,
    "most_characters": MOST_CHARACTERS,
    "words_needed": WORDS_NEEDED,
    "score_needed": SCORE_NEEDED,
}


def _looked_up(question: str, then: str) -> TextClause:
    """The `question` selects id and body of texts, and `then` ends the statement."""
    return text(_FIND.format(question=question) + then)


_RELATED = _looked_up(
    "SELECT CAST(:account_id AS uuid) AS id, CAST(:body AS text) AS body",
    "SELECT kind, id, score FROM found WHERE rank <= :most ORDER BY kind, rank",
)

_SIMILAR = _looked_up(
    """
    SELECT id, concat_ws(E'\\n', problem_summary, intake_content) AS body
      FROM ai_sessions WHERE account_id = :account_id AND id = ANY (:session_ids)
    """,
    """
    SELECT question_id, id AS session_id, score, (
               SELECT id FROM session_branches branch
                WHERE branch.account_id = :account_id AND branch.session_id = found.id
                  AND branch.status = 'solved'
                ORDER BY branch.status_changed_at DESC, branch.id LIMIT 1) AS solved_by
      FROM found WHERE rank <= :most ORDER BY question_id, rank
    """,
)

_SUGGEST = _looked_up(
    """
    SELECT asked.id,
           concat_ws(E'\\n', asked.body, coalesce(problem_summary, intake_content)) AS body
      FROM branch_messages asked
      JOIN ai_sessions session
        ON session.account_id = asked.account_id AND session.id = asked.session_id
     WHERE asked.account_id = :account_id AND asked.branch_id = :branch_id
       AND asked.position = :position - 1
    """,
    """
    INSERT INTO message_articles (account_id, message_id, rank, article_id, score)
    SELECT :account_id, :message_id, rank, id, score FROM found WHERE rank <= :most
    """,
)


# ------------------------------------------------------------------ what a text is about


@dataclass(frozen=True, slots=True)
class Scored:
    id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class Related:
    """Best first."""

    articles: list[Scored]
    sessions: list[Scored]


async def related(db: AsyncConnection, account_id: UUID, body: str, *, most: int) -> Related:
    """Articles and resolved sessions about a problem, `most` of each. Any text may be given."""
    found = await db.execute(
        _RELATED,
        {
            **_GIVEN,
            "account_id": account_id,
            "body": body[:MOST_CHARACTERS].replace("\0", " ").encode(errors="replace").decode(),
            "kinds": ["article", "session"],
            "most": most,
        },
    )
    by_kind: dict[str, list[Scored]] = {"article": [], "session": []}
    for row in found:
        by_kind[row.kind].append(Scored(row.id, row.score))
    return Related(by_kind["article"], by_kind["session"])


@dataclass(frozen=True, slots=True)
class Similar:
    session_id: UUID
    score: float
    solved_by: UUID | None


async def similar_by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, list[Similar]]:
    """Resolved sessions that are like each of these, best first, at most 20."""
    given = {
        **_GIVEN,
        "account_id": actor.account_id,
        "session_ids": list(session_ids),
        "kinds": ["session"],
        "most": MOST_SIMILAR,
    }
    found: defaultdict[UUID, list[Similar]] = defaultdict(list)
    async with runtime.read(actor) as db:
        for row in await db.execute(_SIMILAR, given):
            found[row.question_id].append(Similar(row.session_id, row.score, row.solved_by))
    return found


# ------------------------------------------------------------------ with an answer


async def suggest(db: AsyncConnection, reply: BranchMessage) -> None:
    """Articles about what was asked and about the session's problem, in place of earlier ones."""
    await db.execute(
        delete(MessageArticle).where(
            MessageArticle.account_id == reply.account_id, MessageArticle.message_id == reply.id
        )
    )
    given = {
        "account_id": reply.account_id,
        "message_id": reply.id,
        "branch_id": reply.branch_id,
        "position": reply.position,
        "kinds": ["article"],
        "most": MOST_SUGGESTED,
    }
    await db.execute(_SUGGEST, {**_GIVEN, **given})


async def suggested(
    db: AsyncConnection, account_id: UUID, message_ids: Sequence[UUID]
) -> dict[UUID, list[KbArticle]]:
    """By answer, best first."""
    statement = (
        select(MessageArticle.message_id, KbArticle)
        .join(
            KbArticle,
            (KbArticle.account_id == MessageArticle.account_id)
            & (KbArticle.id == MessageArticle.article_id),
        )
        .where(MessageArticle.account_id == account_id, MessageArticle.message_id.in_(message_ids))
        .order_by(MessageArticle.rank)
    )
    found: defaultdict[UUID, list[KbArticle]] = defaultdict(list)
    rows: Sequence[Any] = (await db.execute(statement)).all()
    for row in rows:
        found[row.message_id].append(row)
    return found


async def articles_by_message(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, list[KbArticle]]:
    async with runtime.read(actor) as db:
        return await suggested(db, actor.account_id, message_ids)


# ------------------------------------------------------------------ the library


@dataclass(frozen=True, slots=True)
class Listed:
    article: KbArticle
    cursor: str


async def list_articles(
    runtime: Runtime, actor: Actor, search: str | None, *, first: int, after: str | None
) -> Page[Listed]:
    """Newest first; of a search, which is written as for a search engine, best first.

    Raises InvalidInput (search, first, after).
    """
    check = Validation()
    wanted = check.optional_text(("search",), search, 200)
    check.done()
    size = page_size("first", first)
    statement = select(KbArticle).where(KbArticle.account_id == actor.account_id)
    key: Any = KbArticle.created_at
    kind: type = datetime
    if wanted is not None:
        query = func.websearch_to_tsquery(literal_column("'english'::regconfig"), wanted)
        statement = statement.where(KbArticle.words.op("@@")(query))
        key, kind = func.ts_rank_cd(KbArticle.words, query), float
    statement = (
        statement.add_columns(key.label("place"))
        .order_by(key.desc(), KbArticle.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        last = read_cursor("after", after, kind, UUID)
        statement = statement.where(tuple_(key, KbArticle.id) < tuple_(*map(literal, last)))
    async with runtime.read(actor) as db:
        rows: Sequence[Any] = (await db.execute(statement)).all()
    found = [Listed(row, write_cursor(row.place, str(row.id))) for row in rows[:size]]
    return Page(found, len(rows) > size, after is not None)


async def by_id(
    runtime: Runtime, actor: Actor, article_ids: Sequence[UUID]
) -> dict[UUID, KbArticle]:
    statement = select(KbArticle).where(
        KbArticle.account_id == actor.account_id, KbArticle.id.in_(article_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}
