"""Opening and finding sessions."""

import strawberry

from schema.context import Info
from schema.lookahead import TREE_FIELDS, selects
from schema.session import AiSession
from schema.session_list import AiSessionConnection, SessionFilter
from schema.session_start import StartSessionInput, StartSessionResult, StartSessionSuccess
from services import sessions
from services.errors import NotFound
from services.feed import encode_cursor
from services.ids import Kind, optional_uuid_of, uuid_of
from services.session_tree import with_tree


@strawberry.type
class SessionQueries:
    @strawberry.field
    async def session(self, info: Info, id: strawberry.ID) -> AiSession | None:
        context = info.context
        actor = context.actor
        try:
            key = uuid_of(Kind.SESSION, id)
        except NotFound:
            return None
        if selects(info, TREE_FIELDS):
            role, view = await with_tree(context.runtime, actor, key)
            context.recognise(role)
        else:
            view = await context.loaders.sessions.load(key)
        return AiSession.of(view) if view else None

    @strawberry.field(
        description="Newest first; the connection carries an eventCursor for `sessionsChanged`."
    )
    async def sessions(
        self,
        info: Info,
        filter: SessionFilter | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> AiSessionConnection:
        runtime, actor = info.context.runtime, info.context.actor
        wanted = (filter or SessionFilter()).decoded()
        page, seq = await sessions.list_sessions(runtime, actor, wanted, first=first, after=after)
        return AiSessionConnection.of(page, encode_cursor(actor.account_id, seq))


@strawberry.type
class SessionMutations:
    @strawberry.mutation
    async def start_session(
        self,
        info: Info,
        input: StartSessionInput,
    ) -> StartSessionResult:
        started = await sessions.start_session(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            session_type=input.session_type,
            intake=sessions.Intake(input.intake.type, input.intake.text, input.intake.reference),
            psa_ticket_id=input.psa_ticket_id,
            integration_id=optional_uuid_of(Kind.INTEGRATION, input.integration_id),
            team_id=optional_uuid_of(Kind.TEAM, input.team_id),
            upload_ids=[uuid_of(Kind.UPLOAD, id) for id in input.upload_ids],
        )
        return StartSessionSuccess.of(started)
