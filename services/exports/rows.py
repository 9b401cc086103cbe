"""Everything of one session, as of one instant."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select

from models.account import Team, User
from models.branch import Branch, ForkPoint, Revival, RevivalEvidence
from models.finding import Finding, FindingEvidence, FindingMerge, MergedFinding
from models.handoff import Handoff
from models.hypothesis import Ranking
from models.message import BranchMessage, MessageAttachment
from models.output import ResolutionOutput, ResolutionOutputType
from models.session import AiSession, Step
from models.upload import FileUpload
from services.database import fetch, fetch_one, transaction
from services.runtime import Runtime

T = TypeVar("T")

MOST = {
    BranchMessage: 10_000,
    Step: 10_000,
    Ranking: 5_000,
    Finding: 1_000,
    Handoff: 200,
    FileUpload: 200,
}
"""Rows of a kind that an export holds: the oldest."""

NAMES = {
    BranchMessage: "messages",
    Step: "steps",
    Ranking: "rankings",
    Finding: "findings",
    Handoff: "handoffs",
    FileUpload: "files",
}


@dataclass(slots=True)
class Rows:
    """Each kind in the order it was made, branches parents first; links by what they hang on."""

    session: AiSession
    branches: Sequence[Branch]
    fork_points: Sequence[ForkPoint]
    messages: Sequence[BranchMessage]
    steps: Sequence[Step]
    findings: Sequence[Finding]
    rankings: Sequence[Ranking]
    revivals: Sequence[Revival]
    handoffs: Sequence[Handoff]
    outputs: Sequence[ResolutionOutput]
    uploads: Sequence[FileUpload]
    merges: Sequence[FindingMerge]
    attached: dict[UUID, list[UUID]]
    """Files by message."""
    evidence_of_finding: dict[UUID, list[UUID]]
    evidence_of_revival: dict[UUID, list[UUID]]
    merged: dict[UUID, list[UUID]]
    """Findings by merge."""
    people: dict[UUID, str]
    team: str | None
    left_out: list[str] = field(default_factory=list)
    """Sentences."""


async def read_rows(runtime: Runtime, account_id: UUID, session_id: UUID) -> Rows | None:
    """None where there is no such session."""
    async with transaction(runtime.engine, account_id, frozen=True) as db:
        own = select(AiSession).where(
            AiSession.account_id == account_id, AiSession.id == session_id
        )
        session = await fetch_one(db, own)
        if session is None:
            return None
        left_out: list[str] = []

        def of_session(table: type[Any]) -> Select[Any]:
            return select(table).where(
                table.account_id == account_id, table.session_id == session_id
            )

        async def oldest(table: type[T]) -> Sequence[T]:
            most = MOST[table]  # type: ignore[index] # tables of the mapping
            statement = of_session(table).order_by(table.id).limit(most + 1)  # type: ignore[attr-defined]
            rows = await fetch(db, statement)
            if len(rows) > most:
                name = NAMES[table]  # type: ignore[index]
                left_out.append(f"Only the oldest {most:,} {name} are here.")
            return rows[:most]

        async def links(table: type[Any], owner: str, named: str) -> dict[UUID, list[UUID]]:
            found: defaultdict[UUID, list[UUID]] = defaultdict(list)
            for row in await fetch(db, of_session(table).order_by(table.ordinal)):
                found[getattr(row, owner)].append(getattr(row, named))
            return found

        attachments = (
            select(MessageAttachment)
            .join(
                BranchMessage,
                (BranchMessage.account_id == MessageAttachment.account_id)
                & (BranchMessage.id == MessageAttachment.message_id),
            )
            .where(BranchMessage.account_id == account_id, BranchMessage.session_id == session_id)
            .order_by(MessageAttachment.ordinal)
        )
        attached: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for row in await fetch(db, attachments):
            attached[row.message_id].append(row.upload_id)
        people = select(User.id, User.display_name).where(User.account_id == account_id)
        team = select(Team.name).where(Team.account_id == account_id, Team.id == session.team_id)
        return Rows(
            session=session,
            branches=await fetch(
                db, of_session(Branch).order_by(Branch.depth, Branch.branch_order, Branch.id)
            ),
            fork_points=await fetch(db, of_session(ForkPoint).order_by(ForkPoint.id)),
            messages=await oldest(BranchMessage),
            steps=await oldest(Step),
            findings=await oldest(Finding),
            rankings=await oldest(Ranking),
            revivals=await fetch(db, of_session(Revival).order_by(Revival.id)),
            handoffs=await oldest(Handoff),
            outputs=sorted(
                await fetch(db, of_session(ResolutionOutput)),
                key=lambda output: list(ResolutionOutputType).index(output.output_type),
            ),
            uploads=await oldest(FileUpload),
            merges=await fetch(
                db,
                of_session(FindingMerge)
                .where(FindingMerge.undone_at.is_(None))
                .order_by(FindingMerge.id),
            ),
            attached=attached,
            evidence_of_finding=await links(FindingEvidence, "finding_id", "message_id"),
            evidence_of_revival=await links(RevivalEvidence, "revival_id", "message_id"),
            merged=await links(MergedFinding, "merge_id", "finding_id"),
            people={row.id: row.display_name for row in (await db.execute(people)).all()},
            team=(await db.execute(team)).scalar_one_or_none(),
            left_out=left_out,
        )
