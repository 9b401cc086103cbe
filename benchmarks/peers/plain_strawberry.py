"""A Strawberry server as its guide teaches it: entities, types made of them, and a DataLoader."""

import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
import uvicorn
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from models import branch as models
from models.branch import BranchStatus
from models.session import AiSession

strawberry.enum(BranchStatus)


class Context:
    """Of one request."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], account_id: UUID) -> None:
        self.sessions = sessions
        self.account_id = account_id
        self.children = DataLoader(load_fn=self._children)

    async def _children(self, parents: list[UUID]) -> Sequence[Sequence[models.Branch]]:
        statement = (
            select(models.Branch)
            .where(
                models.Branch.account_id == self.account_id,
                models.Branch.parent_branch_id.in_(parents),
                models.Branch.archived_at.is_(None),
            )
            .order_by(models.Branch.branch_order)
        )
        below: defaultdict[UUID | None, list[models.Branch]] = defaultdict(list)
        async with self.sessions() as db:
            for branch in await db.scalars(statement):
                below[branch.parent_branch_id].append(branch)
        return [below[parent] for parent in parents]


Info = strawberry.Info[Context, None]


@strawberry.type
class Branch:
    entity: strawberry.Private[models.Branch]
    active: strawberry.Private[UUID]
    id: strawberry.ID
    label: str
    description: str | None
    order: int
    depth: int
    status: BranchStatus
    status_reason: str | None
    is_active: bool
    version: int
    created_at: datetime

    @classmethod
    def of(cls, entity: models.Branch, active: UUID) -> Self:
        return cls(
            entity=entity,
            active=active,
            id=strawberry.ID(str(entity.id)),
            label=entity.label,
            description=entity.description,
            order=entity.branch_order,
            depth=entity.depth,
            status=entity.status,
            status_reason=entity.status_reason,
            is_active=entity.id == active,
            version=entity.version,
            created_at=entity.created_at,
        )

    @strawberry.field
    async def children(self, info: Info) -> list["Branch"]:
        entities = await info.context.children.load(self.entity.id)
        return [Branch.of(entity, self.active) for entity in entities]


@strawberry.type
class Session:
    entity: strawberry.Private[AiSession]
    id: strawberry.ID

    @strawberry.field
    async def root_branch(self, info: Info) -> Branch:
        statement = select(models.Branch).where(
            models.Branch.account_id == self.entity.account_id,
            models.Branch.session_id == self.entity.id,
            models.Branch.parent_branch_id.is_(None),
        )
        async with info.context.sessions() as db:
            root = (await db.scalars(statement)).one()
        return Branch.of(root, self.entity.active_branch_id)


@strawberry.type
class Query:
    @strawberry.field
    async def session(self, info: Info, id: strawberry.ID) -> Session | None:  # noqa: A002
        async with info.context.sessions() as db:
            entity = await db.get(AiSession, (info.context.account_id, UUID(id)))
        return Session(entity=entity, id=id) if entity else None


class Endpoint(GraphQL[Context, None]):
    def __init__(self, sessions: async_sessionmaker[AsyncSession], account_id: UUID) -> None:
        super().__init__(strawberry.Schema(Query), graphql_ide=None)
        self._sessions = sessions
        self._account_id = account_id

    async def get_context(
        self,
        request: Request | WebSocket,  # noqa: ARG002
        response: Response | WebSocket,  # noqa: ARG002
    ) -> Context:
        return Context(self._sessions, self._account_id)


def main() -> None:
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=int(os.environ["POOL_SIZE"]), max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    endpoint = Endpoint(sessions, UUID(os.environ["ACCOUNT_ID"]))
    app = Starlette(routes=[Route("/graphql", endpoint)])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    socket = config.bind_socket()
    socket.listen()  # so that nobody is turned away who read the address
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()
