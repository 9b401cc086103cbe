"""Finding what an account knows: articles of its library and resolved sessions, by the words of a text.

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
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.message import BranchMessage
from services.access import Actor
from services.runtime import Runtime

MOST_WORDS = 24
"""Of a text that are looked up: the ones said most often, then the first."""

MOST_CHARACTERS = 20_000
"""Of a text that are read."""

SCORE_NEEDED = 0.2
"""Set by hand between what support articles score for their own symptoms and for those of others."""

MOST_HOLDERS = 1_000
"""Documents of a kind that are looked at for a word; one that more hold counts as if these were all."""

MOST_CANDIDATES = 1_000
"""Documents that are scored, about: those that hold the rarest words of a text, until they are so many."""

WORDS_NEEDED = 2
"""That a document shares with a text, unless it has fewer."""

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
    holder AS MATERIALIZED (
        SELECT * FROM flowpilot_holders(ARRAY(SELECT DISTINCT lexeme FROM word), :most_holders)),
    holders AS (SELECT lexeme, count(*) FROM holder GROUP BY lexeme),
    telling AS (
        SELECT lexeme FROM (
            SELECT lexeme, sum(count) OVER (
                       PARTITION BY question_id ORDER BY count, lexeme) - count AS rarer
              FROM word JOIN holders USING (lexeme)) ranked
         WHERE rarer < :most_candidates),
    candidate AS MATERIALIZED (
        SELECT DISTINCT kind, id FROM holder
         WHERE kind = ANY (:kinds) AND lexeme IN (SELECT lexeme FROM telling)),
    document AS MATERIALIZED (
        SELECT kind, article.id, article.words
          FROM candidate JOIN kb_articles article
            ON article.account_id = :account_id AND article.id = candidate.id
         WHERE kind = 'article'
         UNION ALL
        SELECT kind, session.session_id, session.words
          FROM candidate JOIN resolved_sessions session
            ON session.account_id = :account_id AND session.session_id = candidate.id
         WHERE kind = 'session'),
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
          LEFT JOIN holders USING (lexeme),
               (SELECT (SELECT count(*) FROM kb_articles WHERE account_id = :account_id)
                     + (SELECT count(*) FROM resolved_sessions WHERE account_id = :account_id)
                    AS count) all_documents),
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
    "most_holders": MOST_HOLDERS,
    "most_candidates": MOST_CANDIDATES,
    "most_words": MOST_WORDS,
    "most_characters": MOST_CHARACTERS,
    "words_needed": WORDS_NEEDED,
    "score_needed": SCORE_NEEDED,
}


def _looked_up(question: str, then: str) -> TextClause:
    """The `question` selects id and body of texts, and `then` ends the statement."""
    return text(_FIND.format(question=question) + then)


_BEST_OF_EACH = "SELECT kind, id, score FROM found WHERE rank <= :most ORDER BY kind, rank"

_RELATED_TO_TEXT = _looked_up(
    "SELECT CAST(:account_id AS uuid) AS id, CAST(:body AS text) AS body", _BEST_OF_EACH
)

_RELATED_TO_ASKED = _looked_up(
    """
    SELECT asked.session_id AS id,
           concat_ws(E'\\n', asked.body, coalesce(problem_summary, intake_content)) AS body
      FROM branch_messages asked
      JOIN ai_sessions session
        ON session.account_id = asked.account_id AND session.id = asked.session_id
     WHERE asked.account_id = :account_id AND asked.branch_id = :branch_id
       AND asked.position = :position - 1
    """,
    _BEST_OF_EACH,
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
    written = body[:MOST_CHARACTERS].replace("\0", " ").encode(errors="replace").decode()
    return await _best_of_each(db, _RELATED_TO_TEXT, account_id, most, body=written)


async def related_to_asked(db: AsyncConnection, reply: BranchMessage, *, most: int) -> Related:
    """About what the reply is to answer and the session's problem."""
    place = {"branch_id": reply.branch_id, "position": reply.position}
    return await _best_of_each(db, _RELATED_TO_ASKED, reply.account_id, most, **place)


async def _best_of_each(
    db: AsyncConnection, statement: TextClause, account_id: UUID, most: int, **given: object
) -> Related:
    given = {
        **_GIVEN,
        **given,
        "kinds": ["article", "session"],
        "account_id": account_id,
        "most": most,
    }
    by_kind: dict[str, list[Scored]] = {"article": [], "session": []}
    for row in await db.execute(statement, given):
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
