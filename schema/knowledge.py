"""What the account knows already: articles of its library, and sessions that are like another."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import strawberry

from models import knowledge as models
from schema import branch as branches
from schema import session as sessions
from schema.context import Info
from schema.node import Node, PageInfo
from services.errors import NotFound
from services.ids import Kind, node_id
from services.knowledge.library import Listed
from services.knowledge.lookup import MOST_SIMILAR, Similar
from services.knowledge.outcomes import Option, Outcome
from services.pages import Page, page_size

if TYPE_CHECKING:
    from schema.branch import Branch
    from schema.session import AiSession


@strawberry.type
class KbArticleDraft:
    symptoms: list[str]
    root_cause: str | None
    steps: list[str]
    rule_out_first: list[str]
    tags: list[str]

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(
            symptoms=stored.get("symptoms", []),
            root_cause=stored.get("root_cause"),
            steps=stored.get("steps", []),
            rule_out_first=stored.get("rule_out_first", []),
            tags=stored.get("tags", []),
        )


@strawberry.type(description="Of the account's own library.")
class KbArticle(Node):
    source_key: strawberry.Private[UUID | None]
    title: str
    body: str = strawberry.field(description="Markdown.")
    content: KbArticleDraft
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Where it was learnt, while that is kept.")
    async def source_session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")] | None:
        key = self.source_key
        return None if key is None else await sessions.load(info, key)

    @classmethod
    def of(cls, row: models.KbArticle) -> Self:
        return cls(
            id=strawberry.ID(node_id(Kind.KB_ARTICLE, row.id)),
            source_key=row.source_session_id,
            title=row.title,
            body=row.body,
            content=KbArticleDraft.of(row.content),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


async def load(info: Info, key: UUID) -> KbArticle:
    """Raises NotFound."""
    row = await info.context.loaders.kb_articles.load(key)
    if row is None:
        raise NotFound(node_id(Kind.KB_ARTICLE, key))
    return KbArticle.of(row)


@strawberry.type
class KbArticleEdge:
    cursor: str
    node: KbArticle


@strawberry.type
class KbArticleConnection:
    edges: list[KbArticleEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[Listed]) -> Self:
        edges = [
            KbArticleEdge(cursor=listed.cursor, node=KbArticle.of(listed.article))
            for listed in page.items
        ]
        return cls(edges=edges, page_info=PageInfo.of(page, edges))


@strawberry.type
class SimilarSession:
    similar: strawberry.Private[Similar]
    score: float = strawberry.field(
        description="0 to 1: how much of this session's problem the other one says too, where rare "
        "words count most."
    )

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.similar.session_id)

    @strawberry.field(description="The branch that was SOLVED last; null if none was.")
    async def solved_by(
        self, info: Info
    ) -> Annotated["Branch", strawberry.lazy("schema.branch")] | None:
        key = self.similar.solved_by
        return None if key is None else await branches.load(info, key)


async def similar_sessions(info: Info, session_key: UUID, first: int) -> list[SimilarSession]:
    size = page_size("first", first, MOST_SIMILAR)
    found = await info.context.loaders.similar_to_session.load(session_key)
    return [SimilarSession(similar=similar, score=similar.score) for similar in found[:size]]


@strawberry.type(description="A branch of a similar session that tested much the same.")
class SimilarOutcome:
    outcome: strawberry.Private[Outcome]
    likeness: float = strawberry.field(
        description="0.4 to 1: how many of their words the two hypotheses share; 1 for the same label."
    )

    @strawberry.field(description="SOLVED or DEAD_END, with the reason.")
    async def branch(self, info: Info) -> Annotated["Branch", strawberry.lazy("schema.branch")]:
        return await branches.load(info, self.outcome.branch_id)

    @strawberry.field
    async def session(
        self, info: Info
    ) -> Annotated["AiSession", strawberry.lazy("schema.session")]:
        return await sessions.load(info, self.outcome.session_id)


async def similar_outcomes(info: Info, option: Option) -> list[SimilarOutcome]:
    found = await info.context.loaders.outcomes_of_option.load(option)
    return [SimilarOutcome(outcome=outcome, likeness=outcome.likeness) for outcome in found]
