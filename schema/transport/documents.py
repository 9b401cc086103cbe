"""Documents that a request sends, or only names.

By Apollo's automatic persisted queries (https://www.apollographql.com/docs/apollo-server/performance/apq)
and by the `documentId` of GraphQL over HTTP
(https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md).
"""

from collections.abc import Mapping
from typing import Any

from schema.context import Context


def name_of(params: Mapping[str, Any]) -> str | None:
    """What a request calls its document by; "", which nothing is called, where that is no name."""
    name = params.get("documentId")
    if name is None:
        persisted = (params.get("extensions") or {}).get("persistedQuery")
        if persisted is None:
            return None
        is_known = isinstance(persisted, dict) and persisted.get("version") == 1
        name = persisted.get("sha256Hash") if is_known else ""
    return name.removeprefix("sha256:") if isinstance(name, str) else ""


def document_of(context: Context, query: str | None, name: str | None) -> str:
    """The text to run; what is wrong with a name is told when it is."""
    if name is None or (query and len(query) > context.runtime.limits.max_document):
        return query or ""  # where it is too long it is refused unread
    if query:
        return context.documents.offered(query, name)
    return context.documents.called(name, context.caller.account_id if context.caller else None)
