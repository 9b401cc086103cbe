"""Accounts, their teams and their people: how a tenant comes to be, and what everybody may read."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, insert, make_url, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.account import Account, Plan, Role, Team, User
from models.audit import AuditAction
from services import audit
from services.access import Actor
from services.audit import Entry
from services.authentication import LONGEST_SECRET, hash_password
from services.database import fetch
from services.errors import FieldProblem, InvalidInput
from services.ids import Kind, new_id
from services.runtime import Runtime
from services.validation import Path, Validation, is_storable

PLAN_BRANCH_LIMITS: Mapping[Plan, int | None] = {
    Plan.FREE: 2,
    Plan.PRO: 5,
    Plan.TEAM: 10,
    Plan.ENTERPRISE: None,
}
"""Hypotheses a session may hold that are not archived; None: as many as the installation allows."""


def hypotheses_left(plan: Plan, held: int) -> int | None:
    """How many more a session may hold that holds so many; None: any number."""
    limit = PLAN_BRANCH_LIMITS[plan]
    return None if limit is None else max(0, limit - held)


MAX_LISTED = 500
LONGEST_ADDRESS = 320
SHORTEST_PASSWORD = 12

EMAIL_INDEX = "uq_users_email"
ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class NewPerson:
    email: str
    display_name: str
    role: Role
    password: str
    team: str | None = None
    """By name, one of the account's teams."""


@dataclass(frozen=True, slots=True)
class CreatedAccount:
    account_id: UUID
    user_ids: Mapping[str, UUID]
    """By e-mail address, as it was given."""
    team_ids: Mapping[str, UUID]
    """By name, as it was given."""


async def create_account(
    owner_url: str,
    *,
    name: str,
    plan: Plan,
    people: Sequence[NewPerson],
    teams: Sequence[str] = (),
) -> CreatedAccount:
    """A tenant with its first people, over a connection of the tables' owner.

    The server's own role cannot do this: no request makes an account. Raises InvalidInput, also for
    an address that somebody has already.
    """
    check = Validation()
    title = check.text(("name",), name, 1, 200)
    titles = {team: check.text(("teams", str(i)), team, 1, 200) for i, team in enumerate(teams)}
    for i, person in enumerate(people):
        place = ("people", str(i))
        email_address(check, (*place, "email"), person.email)
        check.text((*place, "displayName"), person.display_name, 1, 200)
        new_password(check, (*place, "password"), person.password)
        if person.team is not None and person.team not in titles:
            check.add((*place, "team"), "Is not among the account's teams.")
    if not any(person.role is Role.ADMIN for person in people):
        check.add(("people",), "At least one must be an admin.")
    check.done()
    hashes = await asyncio.gather(*(hash_password(person.password) for person in people))
    created = CreatedAccount(
        new_id(), {person.email: new_id() for person in people}, {team: new_id() for team in titles}
    )
    team_rows = [
        {"account_id": created.account_id, "id": created.team_ids[team], "name": titles[team]}
        for team in titles
    ]
    user_rows = [
        {
            "account_id": created.account_id,
            "id": created.user_ids[person.email],
            "email": person.email.strip(),
            "display_name": person.display_name.strip(),
            "role": person.role,
            "team_id": None if person.team is None else created.team_ids[person.team],
            "password_hash": password_hash,
        }
        for person, password_hash in zip(people, hashes, strict=True)
    ]
    engine = create_async_engine(
        make_url(owner_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    try:
        async with engine.begin() as db:
            await db.execute(insert(Account).values(id=created.account_id, name=title, plan=plan))
            if team_rows:
                await db.execute(insert(Team), team_rows)
            await db.execute(insert(User), user_rows)
            entry = Entry(AuditAction.ACCOUNT_CREATED, Kind.ACCOUNT, created.account_id)
            await audit.append(db, created.account_id, None, [entry])
    except IntegrityError as error:
        raise taken_address(error, ("people",)) from None
    finally:
        await engine.dispose()
    return created


def email_address(check: Validation, path: Path, value: str) -> str:
    """Something@something.something; whether mail arrives there only mail can tell."""
    address = value.strip()
    if len(address) > LONGEST_ADDRESS or not is_storable(address) or not ADDRESS.fullmatch(address):
        check.add(path, f"Must be an e-mail address, of at most {LONGEST_ADDRESS} characters.")
    return address


def new_password(check: Validation, path: Path, value: str) -> str:
    """Exactly as typed: outer space counts."""
    if not is_storable(value):
        check.add(path, "Must not hold NUL or unpaired surrogate characters.")
    elif not SHORTEST_PASSWORD <= len(value) <= LONGEST_SECRET:
        check.add(path, f"Must have {SHORTEST_PASSWORD} to {LONGEST_SECRET} characters.")
    return value


def taken_address(error: IntegrityError, path: Path) -> InvalidInput:
    """Addresses are unique over all accounts; whose this one is stays untold.

    Any other violation is a fault of ours and is raised as it is.
    """
    if EMAIL_INDEX not in str(error.orig):
        raise error
    return InvalidInput([FieldProblem(path, "This e-mail address cannot be used.")])


async def by_id(runtime: Runtime, actor: Actor, account_ids: Sequence[UUID]) -> dict[UUID, Account]:
    statement = select(Account).where(Account.id.in_(account_ids), Account.id == actor.account_id)
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def teams_by_id(runtime: Runtime, actor: Actor, team_ids: Sequence[UUID]) -> dict[UUID, Team]:
    statement = select(Team).where(Team.account_id == actor.account_id, Team.id.in_(team_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}


async def teams_by_account(
    runtime: Runtime, actor: Actor, account_ids: Sequence[UUID]
) -> dict[UUID, list[Team]]:
    """By name, at most 500."""
    statement = (
        select(Team)
        .where(Team.account_id == actor.account_id, Team.account_id.in_(account_ids))
        .order_by(func.lower(Team.name), Team.id)
        .limit(MAX_LISTED)
    )
    async with runtime.read(actor) as db:
        return {actor.account_id: list(await fetch(db, statement))}


def people(actor: Actor) -> Select[User]:
    """Without the service users of API keys; by display name."""
    return (
        select(User)
        .where(User.account_id == actor.account_id, User.is_service.is_(False))
        .order_by(func.lower(User.display_name), User.id)
    )


async def members_by_team(
    runtime: Runtime, actor: Actor, team_ids: Sequence[UUID]
) -> dict[UUID, list[User]]:
    """By display name, at most 500 a team."""
    place = func.row_number().over(
        partition_by=User.team_id, order_by=[func.lower(User.display_name), User.id]
    )
    ranked = (
        select(User.id, place.label("place"))
        .where(
            User.account_id == actor.account_id,
            User.team_id.in_(team_ids),
            User.is_service.is_(False),
        )
        .subquery()
    )
    statement = (
        people(actor).join(ranked, ranked.c.id == User.id).where(ranked.c.place <= MAX_LISTED)
    )
    found: dict[UUID, list[User]] = {team_id: [] for team_id in team_ids}
    async with runtime.read(actor) as db:
        for row in await fetch(db, statement):
            if row.team_id is not None:
                found[row.team_id].append(row)
    return found


async def users_by_id(runtime: Runtime, actor: Actor, user_ids: Sequence[UUID]) -> dict[UUID, User]:
    """People and the service users of API keys, active or not: whoever ever did something."""
    statement = select(User).where(User.account_id == actor.account_id, User.id.in_(user_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}
