"""Loads the demo, an account a transaction, so that a start that was killed is made up for by the next."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import func, insert, make_url, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from models.account import Account, Plan, Role, Team, User
from services.authentication import hash_password
from services.demo.library import write_library
from services.demo.thousand import thousand_branches
from services.demo.write import Author, write_session
from services.ids import new_id

SESSIONS = Path(__file__).parent / "sessions"
TEAM = "Service desk"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    name: str
    plan: Plan
    domain: str
    sessions: tuple[str, ...]
    """Files of the folder `sessions`, oldest first."""


ACCOUNTS = (
    DemoAccount(
        "First Managed Services",
        Plan.TEAM,
        "first.example",
        ("scanner-resolved", "vpn-file-shares", "wifi-parked", "mail-bounces"),
    ),
    DemoAccount("Second IT Partners", Plan.FREE, "second.example", ("printing", "backup-parked")),
    DemoAccount("Third Enterprise Support", Plan.ENTERPRISE, "third.example", ("sign-in-loop",)),
)

PEOPLE = (
    ("engineer", "Erin Walsh", Role.ENGINEER),
    ("engineer2", "Sam Okafor", Role.ENGINEER),
    ("lead", "Lena Brandt", Role.LEAD),
    ("admin", "Ada Moreau", Role.ADMIN),
)


async def load_once(owner_url: str, password: str) -> bool:
    """Loads what is missing, over a connection of the tables' owner; False when nothing was."""
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    loaded = False
    try:
        for account in ACCOUNTS:
            async with engine.begin() as db:
                if await _is_there(db, account):
                    continue
                await _load(db, account, await hash_password(password))
                loaded = True
    finally:
        await engine.dispose()
    return loaded


async def _is_there(db: AsyncConnection, account: DemoAccount) -> bool:
    """Whoever of several first starts comes second waits here and finds it done."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtext(account.domain))))
    known = select(User.id).where(func.lower(User.email) == f"engineer@{account.domain}")
    return (await db.execute(known)).first() is not None


async def _load(db: AsyncConnection, account: DemoAccount, password_hash: str) -> None:
    account_id, team_id = new_id(), new_id()
    people = {local: new_id() for local, _, _ in PEOPLE}
    await db.execute(insert(Account).values(id=account_id, name=account.name, plan=account.plan))
    await db.execute(insert(Team).values(account_id=account_id, id=team_id, name=TEAM))
    await db.execute(
        insert(User),
        [
            {
                "account_id": account_id,
                "id": people[local],
                "email": f"{local}@{account.domain}",
                "display_name": full_name,
                "role": role,
                "team_id": team_id,
                "password_hash": password_hash,
            }
            for local, full_name, role in PEOPLE
        ],
    )
    await write_library(db, account_id)
    stories: list[dict[str, Any]] = [
        yaml.safe_load((SESSIONS / f"{name}.yaml").read_text()) for name in account.sessions
    ]
    if account.plan is Plan.ENTERPRISE:
        stories.append(thousand_branches())
    author = Author(db, account_id, team_id, people)
    for story in stories:
        await write_session(author, story)
    await author.write_events()
