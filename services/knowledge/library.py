"""An account's own articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, literal_column, select, tuple_

from models.knowledge import KbArticle
from services.access import Actor
from services.database import fetch
from services.pages import Page, page_size, read_cursor, write_cursor
from services.runtime import Runtime
from services.validation import Validation

MOST_RANKED = 1_000
"""Articles that match a search and are ranked: the newest. For a phrase, or a word that must not occur, the
newest five times as many are looked at that have the search's other words.
"""


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
        found_by_index = select(func.flowpilot_matching_articles(query, MOST_RANKED))
        statement = statement.where(KbArticle.id.in_(found_by_index))
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
