"""Accounts and people, made without the cost of a password."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from sqlalchemy import insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.account import Account, Plan, Role, Team, User
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime


@dataclass(frozen=True)
class Person:
    key: UUID
    token: str

    @property
    def id(self) -> str:
        return node_id(Kind.USER, self.key)


@dataclass(frozen=True)
class Colleagues:
    account_id: UUID
    team_id: UUID
    engineer: Person
    engineer2: Person
    lead: Person
    admin: Person


ROLES = {
    "engineer": Role.ENGINEER,
    "engineer2": Role.ENGINEER,
    "lead": Role.LEAD,
    "admin": Role.ADMIN,
}


async def make_account(runtime: Runtime, owner_url: str, plan: Plan = Plan.TEAM) -> Colleagues:
    """Four people of one team, already signed in."""
    account_id, team_id = new_id(), new_id()
    keys = {name: new_id() for name in ROLES}
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    async with engine.begin() as db:
        await db.execute(insert(Account).values(id=account_id, name="MSP", plan=plan))
        await db.execute(insert(Team).values(account_id=account_id, id=team_id, name="Desk"))
        await db.execute(
            insert(User),
            [
                {
                    "account_id": account_id,
                    "id": keys[name],
                    "email": f"{name}@{account_id.hex}.example",
                    "display_name": name.title(),
                    "role": role,
                    "team_id": team_id,
                }
                for name, role in ROLES.items()
            ],
        )
    await engine.dispose()
    people = {
        name: Person(key, access_token(runtime, account_id, key)) for name, key in keys.items()
    }
    return Colleagues(account_id, team_id, **people)


def access_token(runtime: Runtime, account_id: UUID, user_id: UUID) -> str:
    now = datetime.now(UTC)
    claims = {"sub": user_id.hex, "acc": account_id.hex, "iat": now}
    return jwt.encode({**claims, "exp": now + timedelta(hours=1)}, runtime.secret, "HS256")
