"""Bringing up to date what a branch has established: findings, summary, ranking, and dead ends in doubt.

A job reads the conversation, asks the model once, and writes in one transaction. The branch's
`analysed_position` fences it: of two analyses of the same messages the second writes nothing.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.exc import NoResultFound

from models.base import Base
from models.branch import Branch
from models.finding import Bearing, Finding, FindingBearing, FindingEvidence
from models.hypothesis import Ranking
from services import lifecycle
from services.ai.tasks import AnalyseBranch, Analysis, FoundFinding, HypothesisRank
from services.ai_tasks import TaskFailed, perform
from services.database import transaction
from services.events import BranchUpdated, FindingsChanged
from services.findings import OF_BRANCH
from services.ids import new_id
from services.record import BranchRecord, Record, Said, conversation, hypothesis_facts, read_record
from services.revival_proposals import propose_revival
from services.runtime import Runtime
from services.sessions import hold_session
from services.unit_of_work import UnitOfWork

log = logging.getLogger("flowpilot.analysis")


async def analyse_branch(
    runtime: Runtime, account_id: UUID, branch_id: UUID, *, last_try: bool
) -> None:
    """Does nothing where nothing new was said. Raises TryAgain on a fault that may pass, unless this
    is the last try: then the next answer on the branch gives another chance.
    """
    async with transaction(runtime.engine, account_id) as db:
        try:
            record = await read_record(db, account_id, branch_id)
        except NoResultFound:
            return  # removed in the meantime
    task = _task(record)
    if task is None:
        return
    try:
        outcome = await perform(
            runtime,
            account_id,
            task,
            session_id=record.session.session_id,
            branch_id=branch_id,
            last_try=last_try,
        )
    except TaskFailed as failure:
        log.warning("branch not analysed", extra={"branch": str(branch_id), "why": str(failure)})
        return
    async with runtime.assistant_work(account_id) as work:
        await _write(work, record, outcome.result)


def _task(record: Record) -> AnalyseBranch | None:
    branch = record.branch
    if not any(_is_new(said, branch) for said in record.messages):
        return None
    names = {hypothesis.id: ref for ref, hypothesis in record.hypotheses.items()}
    return AnalyseBranch(
        conversation(record, record.messages),
        since=branch.analysed_position,
        hypotheses=hypothesis_facts(record),
        own=names.get(branch.id),
        known=tuple(_known(record)),
    )


def _is_new(said: Said, branch: BranchRecord) -> bool:
    return said.branch_id == branch.id and said.turn.position > branch.analysed_position


def _known(record: Record) -> list[str]:
    return [f.claim for f in record.session.findings if f.branch_id == record.branch.id]


# ------------------------------------------------------------------ writing


async def _write(work: UnitOfWork, record: Record, analysis: Analysis) -> None:
    session = await hold_session(work, record.session.session_id)
    if session is None:
        return
    if not await _advance(work, record):
        return
    found = await _add_findings(work, record, analysis.findings)
    if found:
        work.record(FindingsChanged(session.id, record.branch.id, tuple(found.values())))
    summarised = await _summarise(work, record, analysis)
    ranked = await _rank(work, record, analysis.ranking)
    for branch_id in dict.fromkeys([*summarised, *ranked]):
        work.record(BranchUpdated(session.id, branch_id, likelihood=ranked.get(branch_id)))
    if session.status in lifecycle.WORKABLE:
        await _propose_revivals(work, record, analysis, found)


async def _advance(work: UnitOfWork, record: Record) -> bool:
    """False when another analysis was faster."""
    branch = record.branch
    advanced = (
        update(Branch)
        .where(
            Branch.account_id == work.account_id,
            Branch.id == branch.id,
            Branch.analysed_position == branch.analysed_position,
        )
        .values(analysed_position=record.messages[-1].turn.position)
        .returning(Branch.id)
    )
    return (await work.db.execute(advanced)).first() is not None


async def _add_findings(
    work: UnitOfWork, record: Record, drafts: Sequence[FoundFinding]
) -> dict[int, UUID]:
    """Their keys by place. What rests on no message of the lineage, or is known, is left out."""
    messages = {said.turn.position: said.message_id for said in record.messages}
    seen = {claim.casefold() for claim in _known(record)}
    room = OF_BRANCH - len(seen)
    kept: dict[int, FoundFinding] = {}
    for place, draft in enumerate(drafts):
        evidenced = any(position in messages for position in draft.evidence)
        if evidenced and draft.claim.casefold() not in seen and len(kept) < room:
            seen.add(draft.claim.casefold())
            kept[place] = draft
    made = {place: new_id() for place in kept}
    common = {"account_id": work.account_id, "session_id": record.session.session_id}
    evidence = {
        place: [p for p in dict.fromkeys(draft.evidence) if p in messages]
        for place, draft in kept.items()
    }
    await _insert(
        work,
        Finding,
        (
            {
                **common,
                "id": made[place],
                "branch_id": record.branch.id,
                "kind": draft.kind,
                "claim": draft.claim,
                "subject": draft.subject,
                "position": max(evidence[place]),
            }
            for place, draft in kept.items()
        ),
    )
    await _insert(
        work,
        FindingEvidence,
        (
            {
                **common,
                "finding_id": made[place],
                "ordinal": ordinal,
                "message_id": messages[position],
            }
            for place in kept
            for ordinal, position in enumerate(evidence[place], start=1)
        ),
    )
    await _insert(
        work,
        FindingBearing,
        (
            {**common, "finding_id": made[place], "branch_id": branch_id, "bearing": bearing}
            for place, draft in kept.items()
            for branch_id, bearing in _bearings(record, draft).items()
        ),
    )
    return made


async def _insert(
    work: UnitOfWork, table: type[Base], rows: Iterable[Mapping[str, object]]
) -> None:
    values = list(rows)
    if values:
        await work.db.execute(insert(table), values)


def _bearings(record: Record, draft: FoundFinding) -> dict[UUID, Bearing]:
    """Names that the request did not have are left out."""
    return {
        record.hypotheses[said.hypothesis].id: said.bearing
        for said in draft.bearings
        if said.hypothesis in record.hypotheses
    }


async def _summarise(work: UnitOfWork, record: Record, analysis: Analysis) -> list[UUID]:
    """The branch, if its summary changed. One that says nothing replaces none."""
    told = {
        "tried": analysis.tried,
        "concluded": analysis.concluded,
        "artifacts": analysis.artifacts,
    }
    before = record.branch.summary or {}
    if not any(told.values()) or told == {name: before.get(name) for name in told}:
        return []
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == record.branch.id)
        .values(
            context_summary={**told, "updated_at": datetime.now(UTC).isoformat()},
            updated_at=func.now(),
        )
    )
    return [record.branch.id]


async def _rank(
    work: UnitOfWork, record: Record, ranks: Sequence[HypothesisRank]
) -> dict[UUID, float]:
    """Likelihoods that changed, by hypothesis. Only those still open are ranked, each once."""
    changed: dict[UUID, float] = {}
    for ref, rank in {rank.hypothesis: rank for rank in ranks}.items():
        branch = record.hypotheses.get(ref)
        if branch is None or branch.likelihood == rank.likelihood:
            continue
        rated = (
            update(Branch)
            .where(
                Branch.account_id == work.account_id,
                Branch.id == branch.id,
                Branch.status.in_(lifecycle.OPEN_BRANCH),
                Branch.archived_at.is_(None),
            )
            .values(likelihood=rank.likelihood, updated_at=func.now())
            .returning(Branch.id)
        )
        if (await work.db.execute(rated)).first() is None:
            continue
        await work.db.execute(
            insert(Ranking).values(
                account_id=work.account_id,
                id=new_id(),
                session_id=record.session.session_id,
                branch_id=branch.id,
                prior=branch.likelihood,
                likelihood=rank.likelihood,
                why=rank.why,
                next_check=rank.next_check,
                minutes=rank.minutes,
            )
        )
        changed[branch.id] = rank.likelihood
    return changed


async def _propose_revivals(
    work: UnitOfWork, record: Record, analysis: Analysis, found: Mapping[int, UUID]
) -> None:
    """Only what is a dead end now, and only on a finding that was kept."""
    for doubt in analysis.contradictions:
        branch, finding_id = record.hypotheses.get(doubt.hypothesis), found.get(doubt.finding)
        if branch is None or finding_id is None or branch.id == record.branch.id:
            continue
        await propose_revival(work, branch.id, finding_id, doubt.why)
