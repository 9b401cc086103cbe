"""Accounts to try the product with, loaded once."""

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from models.account import Plan, Role
from services.accounts import NewPerson, create_account
from services.database import sync_url

ACCOUNTS = (
    ("First Managed Services", Plan.TEAM, "first.example"),
    ("Second IT Partners", Plan.FREE, "second.example"),
    ("Third Enterprise Support", Plan.ENTERPRISE, "third.example"),
)

PEOPLE = (
    ("engineer", "Erin Walsh", Role.ENGINEER),
    ("engineer2", "Sam Okafor", Role.ENGINEER),
    ("lead", "Lena Brandt", Role.LEAD),
    ("admin", "Ada Moreau", Role.ADMIN),
)


async def load_once(owner_url: str, password: str) -> bool:
    """False when there is demo data already."""
    engine = create_engine(sync_url(owner_url), poolclass=NullPool)
    with engine.connect() as db:
        known = db.execute(text("SELECT FROM users WHERE email LIKE '%.example'")).first()
    engine.dispose()
    if known is not None:
        return False
    for name, plan, domain in ACCOUNTS:
        await create_account(
            owner_url,
            name=name,
            plan=plan,
            people=[
                NewPerson(f"{local}@{domain}", full_name, role, password, "Service Desk")
                for local, full_name, role in PEOPLE
            ],
            teams=["Service Desk"],
        )
    return True
