"""Bringing up to date what a branch has established: findings, summary, ranking, and dead ends in doubt.

A job reads the conversation, asks the model once about a portion of what is new, and writes in one
transaction. The branch's `analysed_position` fences it: of two analyses of the same messages the second
writes nothing. It never passes a message that the analysis did not see.
"""

import logging
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, insert, null, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import Base
from models.branch import Branch
from models.finding import Bearing, Finding, FindingBearing, FindingEvidence
from models.hypothesis import Ranking
from models.message import BranchMessage, MessageState
from services import enqueue, lifecycle
from services.ai.tasks import AnalyseBranch, Analysis, FoundFinding, HypothesisRank
from services.ai_tasks import TaskFailed, perform
from services.database import transaction
from services.events import BranchUpdated, FindingsChanged
from services.finding_withdrawals import withdraw_findings
from services.findings import OF_BRANCH
from services.ids import new_id
from services.record import (
    BranchRecord,
    FindingRecord,
    Record,
    Said,
    conversation,
    hypothesis_facts,
    read_record,
)
from services.revival_proposals import propose_revival
from services.runtime import Runtime
from services.sessions import hold_session
from services.unit_of_work import UnitOfWork

log = logging.getLogger("flowpilot.analysis")

PORTION = 10
"""New messages of the branch that one analysis takes in, so that what it finds has an end. Each may have
come with ten files."""

Attempt = tuple[UUID, int]
"""A message, and which attempt at it."""


async def analyse_branch(
    runtime: Runtime, account_id: UUID, branch_id: UUID, *, last_try: bool
) -> None:
    """Does nothing where nothing new was said. Raises TryAgain on a fault that may pass, unless this
    is the last try: then the next answer on the branch gives another chance.
    """
    async with transaction(runtime.engine, account_id) as db:
        # First: of what is completed between the two it is better to hear twice than never.
        seen = await _complete(db, account_id, branch_id)
        try:
            whole = await read_record(db, account_id, branch_id)
        except NoResultFound:
            return  # removed in the meantime
    record = _portion(whole)
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
        await give_up(runtime, account_id, branch_id, why=str(failure))
        return
    async with runtime.assistant_work(account_id) as work:
        await _write(work, record, seen, outcome.result)
        if len(record.messages) < len(whole.messages):
            session_id = record.session.session_id
            work.enqueue(enqueue.analyse_branch(account_id, session_id, branch_id))


async def give_up(runtime: Runtime, account_id: UUID, branch_id: UUID, *, why: str) -> None:
    owner = select(Branch.session_id).where(Branch.account_id == account_id, Branch.id == branch_id)
    async with transaction(runtime.engine, account_id) as db:
        session_id = (await db.execute(owner)).scalar_one_or_none()
    if session_id is None:
        return  # removed in the meantime
    async with runtime.assistant_work(account_id) as work:
        await hold_session(work, session_id)
        if await _say_failure(work, branch_id, why):
            work.record(BranchUpdated(session_id, branch_id))


async def _say_failure(work: UnitOfWork, branch_id: UUID, why: str | None) -> list[UUID]:
    """The branch, if it said something else."""
    said = (
        update(Branch)
        .where(
            Branch.account_id == work.account_id,
            Branch.id == branch_id,
            Branch.analysis_failure.is_distinct_from(why),
        )
        .values(analysis_failure=why, updated_at=func.now())
        .returning(Branch.id)
    )
    return list((await work.db.execute(said)).scalars())


async def _complete(db: AsyncConnection, account_id: UUID, branch_id: UUID) -> dict[Attempt, int]:
    """What is complete of the branch's own, with its positions."""
    statement = select(BranchMessage.id, BranchMessage.attempt, BranchMessage.position).where(
        BranchMessage.account_id == account_id,
        BranchMessage.branch_id == branch_id,
        BranchMessage.state == MessageState.COMPLETE,
    )
    rows = (await db.execute(statement)).all()
    return {(row.id, row.attempt): row.position for row in rows}


def _portion(record: Record) -> Record:
    """Without what the next analysis will take in."""
    new = [said for said in record.messages if _is_new(said, record.branch)]
    if len(new) <= PORTION:
        return record
    end = new[PORTION].turn.position
    return replace(record, messages=record.before(end))


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
        known=tuple(finding.claim for finding in _of_branch(record)),
    )


def _is_new(said: Said, branch: BranchRecord) -> bool:
    return said.branch_id == branch.id and said.turn.position > branch.analysed_position


def _of_branch(record: Record) -> list[FindingRecord]:
    return [f for f in record.session.findings if f.branch_id == record.branch.id]


# ------------------------------------------------------------------ writing


async def _write(
    work: UnitOfWork, record: Record, seen: Container[Attempt], analysis: Analysis
) -> None:
    session = await hold_session(work, record.session.session_id)
    if session is None:
        return
    if not await _advance(work, record, seen):
        return
    withdrawn = await withdraw_findings(work, _withdrawn(record, analysis))
    found = await _add_findings(work, record, analysis)
    if found or withdrawn:
        work.record(FindingsChanged(session.id, record.branch.id, (*found.values(), *withdrawn)))
    ranked = await _rank(work, record, analysis.ranking)
    changed = [
        *await _say_failure(work, record.branch.id, None),
        *await _summarise(work, record, analysis),
        *ranked,
    ]
    for branch_id in dict.fromkeys(changed):
        work.record(BranchUpdated(session.id, branch_id, likelihood=ranked.get(branch_id)))
    if session.status in lifecycle.WORKABLE:
        await _propose_revivals(work, record, analysis, found)


async def _advance(work: UnitOfWork, record: Record, seen: Container[Attempt]) -> bool:
    """False when another analysis was faster.

    An answer that was completed anew meanwhile among what was analysed is where the next one begins.
    """
    branch, end = record.branch, record.messages[-1].turn.position
    complete = await _complete(work.db, work.account_id, branch.id)
    unseen = [
        position
        for attempt, position in complete.items()
        if position > branch.analysed_position and attempt not in seen
    ]
    advanced = (
        update(Branch)
        .where(
            Branch.account_id == work.account_id,
            Branch.id == branch.id,
            Branch.analysed_position == branch.analysed_position,
        )
        .values(analysed_position=min([end, *(position - 1 for position in unseen)]))
        .returning(Branch.id)
    )
    return (await work.db.execute(advanced)).first() is not None


def _withdrawn(record: Record, analysis: Analysis) -> set[UUID]:
    """Numbers that the request did not have are left out."""
    known = dict(enumerate(_of_branch(record), start=1))
    return {known[number].id for number in analysis.withdrawn if number in known}


async def _add_findings(work: UnitOfWork, record: Record, analysis: Analysis) -> dict[int, UUID]:
    """Their keys by place. What rests on no message of the lineage, or is known, is left out; what was
    withdrawn and is found again is a new finding.
    """
    messages = {said.turn.position: said.message_id for said in record.messages}
    gone = _withdrawn(record, analysis)
    seen = {known.claim.casefold() for known in _of_branch(record) if known.id not in gone}
    room = OF_BRANCH - len(_of_branch(record)) - record.session.withdrawn
    kept: dict[int, FoundFinding] = {}
    for place, draft in enumerate(analysis.findings):
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
    """The branch, if its summary changed. One that says nothing replaces none, unless something was
    withdrawn.
    """
    told = {
        "tried": analysis.tried,
        "concluded": analysis.concluded,
        "artifacts": analysis.artifacts,
    }
    before = record.branch.summary or {}
    if told == {name: before.get(name) for name in told}:
        return []
    says_nothing = not any(told.values())
    if says_nothing and not (analysis.withdrawn and before):
        return []
    summary = {**told, "updated_at": datetime.now(UTC).isoformat()}
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == record.branch.id)
        .values(
            context_summary=null() if says_nothing else summary,
            updated_at=func.now(),
        )
    )
    return [record.branch.id]


async def _rank(
    work: UnitOfWork, record: Record, ranks: Sequence[HypothesisRank]
) -> dict[UUID, float]:
    """Likelihoods that changed, by hypothesis. Only those still open are ranked, each once.

    Nothing is ranked by who did not know what the hypotheses have been held to be since.
    """
    if ranks and await _have_moved(work, record):
        return {}
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


async def _have_moved(work: UnitOfWork, record: Record) -> bool:
    known = {branch.id: branch.likelihood for branch in record.hypotheses.values()}
    statement = select(Branch.id, Branch.likelihood).where(
        Branch.account_id == work.account_id, Branch.id.in_(known)
    )
    now = (await work.db.execute(statement)).all()
    return any(known[row.id] != row.likelihood for row in now)


async def _propose_revivals(
    work: UnitOfWork, record: Record, analysis: Analysis, found: Mapping[int, UUID]
) -> None:
    """Only what is a dead end now, and only on a finding that was kept."""
    for doubt in analysis.contradictions:
        branch, finding_id = record.hypotheses.get(doubt.hypothesis), found.get(doubt.finding)
        if branch is None or finding_id is None or branch.id == record.branch.id:
            continue
        await propose_revival(work, branch.id, finding_id, doubt.why)
