"""The shape of a session's tree: pure once its rows are read, which takes one statement."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import cast
from uuid import UUID

from sqlalchemy import ARRAY, BindParameter, Select, Uuid, and_, any_, bindparam, select

from models.branch import Branch
from models.session import AiSession
from services.access import Actor
from services.readings import Reading
from services.runtime import Runtime

ORDER = attrgetter("branch_order")


class Tree:
    """All branches of one session, archived ones too; which hangs on which is found when it is asked.

    Who lists them need not know, and to link a row takes a tenth of the time of reading it.
    """

    def __init__(self, branches: Iterable[Branch]) -> None:
        """From rows in any order, the trunk among them."""
        self.branches = list(branches)
        root = next((branch for branch in self.branches if branch.parent_branch_id is None), None)
        if root is None:
            raise ValueError("a session always has its trunk")
        self.root = root

    @cached_property
    def by_id(self) -> Mapping[UUID, Branch]:
        return {branch.id: branch for branch in self.branches}

    def children(self, branch_id: UUID) -> Sequence[Branch]:
        """By order."""
        return self._children.get(branch_id.bytes, ())

    @cached_property
    def _children(self) -> Mapping[bytes, Sequence[Branch]]:
        """By the bytes of the parent's id: its hash would be made of a large number, for each row anew."""
        children: defaultdict[bytes, list[Branch]] = defaultdict(list)
        for branch in self.branches:
            parent = branch.parent_branch_id
            if parent is not None:
                children[parent.bytes].append(branch)
        for siblings in children.values():
            siblings.sort(key=ORDER)
        return children

    def subtree(self, branch_id: UUID) -> Iterator[Branch]:
        """The branch and everything below it, parents first."""
        waiting = [self.by_id[branch_id]]
        while waiting:
            branch = waiting.pop()
            yield branch
            waiting.extend(reversed(self.children(branch.id)))

    def ancestors(self, branch_id: UUID) -> list[Branch]:
        """Root first, parent last."""
        path: list[Branch] = []
        parent = self.by_id[branch_id].parent_branch_id
        while parent is not None:
            path.append(self.by_id[parent])
            parent = self.by_id[parent].parent_branch_id
        return path[::-1]


def branch_rows(account_id: UUID | BindParameter[UUID]) -> Select[Branch]:
    """Branches with `is_active`; what reads them joins nothing else."""
    is_active = (AiSession.active_branch_id == Branch.id).label("is_active")
    statement = (
        select(Branch, is_active)
        .join(
            AiSession,
            and_(AiSession.account_id == Branch.account_id, AiSession.id == Branch.session_id),
        )
        .where(Branch.account_id == account_id)
    )
    return cast("Select[Branch]", statement)


TREES: Reading[Branch] = Reading(
    branch_rows(bindparam("account_id"))
    .where(Branch.session_id == any_(bindparam("session_ids", type_=ARRAY(Uuid))))
    .order_by(Branch.depth, Branch.branch_order)
)


async def by_session(
    runtime: Runtime, actor: Actor, session_ids: Sequence[UUID]
) -> dict[UUID, Tree]:
    async with runtime.read(actor) as db:
        rows = await TREES.fetch(db, account_id=actor.account_id, session_ids=session_ids)
    grouped: defaultdict[UUID, list[Branch]] = defaultdict(list)
    for row in rows:
        grouped[row.session_id].append(row)
    return {session_id: Tree(branches) for session_id, branches in grouped.items()}
