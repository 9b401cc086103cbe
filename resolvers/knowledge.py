"""The account's library."""

import strawberry

from schema.context import Info
from schema.knowledge import KbArticleConnection
from services.knowledge import library


@strawberry.type
class KnowledgeQueries:
    @strawberry.field(
        description="Newest first. With `search`, English full text of at most 200 characters as for "
        "`sessions`, best first; of more than 1,000 that match, the newest are ranked."
    )
    async def kb_articles(
        self,
        info: Info,
        search: str | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> KbArticleConnection:
        runtime, actor = info.context.runtime, info.context.actor
        page = await library.list_articles(runtime, actor, search, first=first, after=after)
        return KbArticleConnection.of(page)
