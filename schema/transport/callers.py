"""Who calls. A wrong token names nobody, and says so only to fields that need somebody."""

from schema.context import Context
from services.authentication import authenticate
from services.errors import Unauthenticated
from services.runtime import Runtime


async def identify(runtime: Runtime, authorization: str | None) -> Context:
    """The context of whoever sent this header, with the rights they have now."""
    if not authorization:
        return Context(runtime, None)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return Context(runtime, None, problem="Write `Authorization: Bearer <token>`.")
    token = token.strip()
    try:
        return Context(runtime, await authenticate(runtime, token), token=token)
    except Unauthenticated as refused:
        return Context(runtime, None, problem=refused.message)
