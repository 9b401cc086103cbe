"""What two branches of a session have each come to since they parted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from models.branch import Branch
from models.finding import Finding
from services.tree import Tree


@dataclass(frozen=True, slots=True)
class Side:
    """`message_count` and `findings` are of what it heard after the two had parted, without those that
    were withdrawn.
    """

    branch: Branch
    message_count: int
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Comparison:
    common_ancestor: Branch
    left: Side
    right: Side


def compare(tree: Tree, left_id: UUID, right_id: UUID, findings: Sequence[Finding]) -> Comparison:
    """A branch below the other has that one for the common ancestor; so has each with itself.

    Two branches part at the earlier of the places where they left their common ancestor: what the one
    that left later had heard there in between counts as its own.
    """
    left, right = _line(tree, left_id), _line(tree, right_id)
    shared = len(
        list(takewhile(lambda pair: pair[0].id == pair[1].id, zip(left, right, strict=False)))
    )
    parted = min(
        (line[shared].fork_position for line in (left, right) if line[shared:]), default=None
    )
    ancestor = left[shared - 1]
    if parted is None:
        parted = ancestor.last_position
    return Comparison(ancestor, _side(left, parted, findings), _side(right, parted, findings))


def _line(tree: Tree, branch_id: UUID) -> list[Branch]:
    return [*tree.ancestors(branch_id), tree.by_id[branch_id]]


def _side(line: Sequence[Branch], parted: int, findings: Sequence[Finding]) -> Side:
    heard_until: dict[UUID, int] = {}
    cut = line[-1].last_position
    for branch in reversed(line):
        heard_until[branch.id] = cut
        cut = min(cut, branch.fork_position)
    return Side(
        line[-1],
        line[-1].last_position - parted,
        [
            finding
            for finding in findings
            if finding.withdrawn_at is None
            and parted < finding.position <= heard_until.get(finding.branch_id, 0)
        ],
    )
