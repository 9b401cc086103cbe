"""Rows that are read without SQLAlchemy's are the same rows."""

from sqlalchemy import create_engine, update

from models.account import Role
from models.branch import Branch, BranchStatus
from services import tree
from services.access import SCOPES_OF, Actor
from services.database import sync_url
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.talk import Conversation


async def test_each_column_is_what_sqlalchemy_makes_of_it(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    first, second = await talk.fork()
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=first,
        status="DEAD_END",
        reason="The record is right",
        expectedVersion=1,
    )
    analysed = update(Branch).where(Branch.id == uuid_of(Kind.BRANCH, second))
    owner = create_engine(sync_url(database_url))
    with owner.begin() as db:
        db.execute(analysed.values(likelihood=0.25, context_summary={"tried": ["DNS"]}))
    owner.dispose()
    account_id, session_id = talk.people.account_id, uuid_of(Kind.SESSION, talk.id)
    engineer = talk.people.engineer.key
    role = Role.ENGINEER
    actor = Actor(account_id, engineer, role, SCOPES_OF[role], engineer, None)
    statement = (
        tree.branch_rows(account_id)
        .where(Branch.session_id == session_id)
        .order_by(Branch.depth, Branch.branch_order)
    )
    async with runtime.read(actor) as reading:
        expected = (await reading.execute(statement)).all()
        found = await tree.TREES.fetch(reading, account_id=account_id, session_ids=[session_id])
    assert len(found) == 3
    for row, wanted in zip(found, expected, strict=True):
        for name, value in wanted._mapping.items():
            assert getattr(row, name) == value, name
            assert type(getattr(row, name)) is type(value), name
    assert {row.status for row in found} == {
        BranchStatus.ACTIVE,
        BranchStatus.UNTRIED,
        BranchStatus.DEAD_END,
    }
