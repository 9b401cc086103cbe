"""An account in which everything there is has happened, some of it by SQL."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import User
from models.delivery import Delivery, DeliveryState, Destination
from models.finding import Bearing, Finding, FindingBearing, FindingEvidence, FindingKind
from models.hypothesis import Ranking, RevivalProposal
from models.knowledge import KbArticle, MessageArticle
from models.message import BranchMessage, MessageState
from models.output import (
    ResolutionOutput,
    ResolutionOutputStatus,
    ResolutionOutputType,
    ResolutionRevision,
)
from models.session import AiSession, SessionStatus, Step, StepType
from models.upload import FileUpload, UploadState
from services.authentication import hash_password
from services.ids import Kind, new_id, node_id, uuid_of
from tests.client import Client
from tests.factories import Colleagues
from tests.fakes.far_ends.connectwise import LOGIN, SHARED
from tests.fakes.far_ends.serving import current
from tests.tables import as_owner, until_idle


@dataclass(frozen=True)
class World:
    """Node ids by what they are good for. No two verbs need the same object."""

    people: Colleagues
    mark: str
    """A word that every text of this account holds, and no other account."""
    account: str
    team: str
    engineer: str
    admin: str
    member: str
    member_version: int
    api_key: str
    secret: str
    refresh_token: str
    idempotency_key: str
    session: str
    trunk: str
    fork_point: str
    active: str
    untried: str
    renamed: str
    dead: str
    revived: str
    solved: str
    archived: str
    intake: str
    answer: str
    evidence: str
    failed: str
    cancelled: str
    pending: str
    step: str
    finding: str
    merge: str
    article: str
    resolved: str
    notes: str
    article_draft: str
    summary: str
    old_notes: str
    approved_notes: str
    """A session that is over, like all the others in what it is about."""
    doubted: str
    doubted_trunk: str
    doubt: str
    """A proposal to revive a dead end, and `other_doubt` one of another."""
    other_doubt: str
    opinion: str
    waiting: str
    """A session that is escalated, and `claimable` its handoff."""
    claimable: str
    parked: str
    cancellable: str
    taken: str
    """A handoff that was claimed."""
    idle: str
    """The session of it."""
    held: str
    """A handoff that is claimed and continues one that was given back, and `releasable` another."""
    kept: str
    """The session of it, `given_back` that of the other."""
    releasable: str
    given_back: str
    given: str
    """A session that nobody handed off."""
    idle_trunk: str
    resolvable: str
    """A session in which nothing is under way, and `abandonable` another."""
    resolvable_trunk: str
    abandonable: str
    ended: str
    """A session that was abandoned."""
    last_answer: str
    """The last thing that was said in its session, and `written_anew` another, the second of its kind."""
    last_answer_in: str
    """Their sessions."""
    written_anew: str
    written_anew_in: str
    brought: str
    """A file for a session to come, and `brought_too` another."""
    brought_too: str
    of_session: str
    """A file of the session, not sent yet, and `unreadable` one that could not be described."""
    unreadable: str
    integration: str
    """A ticket system, and `removable` another."""
    removable: str
    delivery: str
    undelivered: str
    """A delivery that failed."""
    session_page: str
    queue_page: str
    library_page: str
    event_cursor: str
    versions: dict[str, int]

    @property
    def ids(self) -> list[str]:
        """All node ids of the world."""
        values = [getattr(self, field.name) for field in fields(self)]
        return [value for value in values if is_node_id(value)]


def is_node_id(value: object) -> bool:
    return isinstance(value, str) and value[2:3] == "_" and len(value) == 35


MEMBER_PASSWORD = "correct horse battery"


async def build_world(client: Client, owner_url: str, people: Colleagues) -> World:
    """As the account's admin, who owns all of it; nothing is under way any more."""
    admin = client.as_(people.admin)
    made: dict[str, Any] = {"people": people, "mark": f"mark{uuid4().hex}"}
    await _tree(admin, made)
    await _dead_ends(admin, made)
    await _handoffs(admin, made)
    await _ends(admin, made)
    await _people(client, admin, made)
    await _files(admin, made)
    await until_idle(owner_url, people.account_id)
    await _deliveries(admin, made)
    await until_idle(owner_url, people.account_id)
    await _by_sql(owner_url, people.account_id, made)
    await _across_branches(admin, made)
    await until_idle(owner_url, people.account_id)
    await _cursors(admin, made)
    return World(**made)


async def started(admin: Client, mark: str) -> dict[str, Any]:
    made = await admin.mutate(
        "startSession",
        "session { id rootBranch { id } } reply { id }",
        intake={"text": f"{mark}: mail stopped arriving."},
    )
    await admin.answered(made["reply"]["id"])
    session: dict[str, Any] = made["session"]
    return session


async def _tree(admin: Client, made: dict[str, Any]) -> None:
    mark = made["mark"]
    session = await started(admin, mark)
    made["session"], made["trunk"] = session["id"], session["rootBranch"]["id"]
    names = ["active", "untried", "renamed", "dead", "revived", "solved", "archived"]
    forked = await admin.mutate(
        "forkBranch",
        "forkPoint { id afterMessage { id } } branches { id version }",
        sessionId=session["id"],
        reason=f"{mark}: many causes",
        options=[{"label": f"{mark} {name}", "description": mark} for name in names],
    )
    made["fork_point"] = forked["forkPoint"]["id"]
    made["answer"] = forked["forkPoint"]["afterMessage"]["id"]
    made.update({name: row["id"] for name, row in zip(names, forked["branches"], strict=True)})
    made["evidence"] = await _say(admin, made["active"], mark)
    await _say(admin, made["solved"], mark)
    for name, status in (("dead", "DEAD_END"), ("revived", "DEAD_END"), ("solved", "SOLVED")):
        await admin.mutate(
            "markBranchStatus",
            "branch { id }",
            branchId=made[name],
            status=status,
            reason=f"{mark}: so it is",
            expectedVersion=1,
        )
    await admin.mutate(
        "reviveBranch",
        "branch { id }",
        branchId=made["revived"],
        evidenceFromBranchId=made["active"],
        evidenceMessageIds=[made["evidence"]],
        description=f"{mark}: it speaks for it",
    )
    await admin.mutate(
        "archiveBranch", "branch { id }", branchId=made["archived"], expectedVersion=1
    )
    for name in ("failed", "cancelled", "pending"):
        made[name] = await _say(admin, made["active"], f"{mark} {name}", "reply")
    await admin.mutate("switchBranch", "branch { id }", branchId=made["active"])
    await admin.mutate("lookAtBranch", "branch { id }", branchId=made["active"])


async def _dead_ends(admin: Client, made: dict[str, Any]) -> None:
    """In a session of their own; what puts them in doubt comes by SQL."""
    session = await started(admin, made["mark"])
    made["doubted"], made["doubted_trunk"] = session["id"], session["rootBranch"]["id"]
    names = ["doubt", "other_doubt"]
    forked = await admin.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=session["id"],
        reason=f"{made['mark']}: two causes",
        options=[{"label": f"{made['mark']} {name}", "description": "A cause"} for name in names],
    )
    for name, row in zip(names, forked["branches"], strict=True):
        made[name] = row["id"]
        await admin.mutate(
            "markBranchStatus",
            "branch { id }",
            branchId=row["id"],
            status="DEAD_END",
            reason=f"{made['mark']}: so it is",
            expectedVersion=1,
        )


async def _say(admin: Client, branch_id: str, body: str, which: str = "sentMessage") -> str:
    sent = await admin.mutate(
        "sendBranchMessage",
        "sentMessage { id } reply { id }",
        branchId=branch_id,
        body=body,
        awaitReply=True,
    )
    return str(sent[which]["id"])


async def _handoffs(admin: Client, made: dict[str, Any]) -> None:
    mark = made["mark"]
    for session, handoff, intent in (
        ("waiting", "claimable", "ESCALATE"),
        ("parked", "cancellable", "PARK"),
        ("kept", "held", "ESCALATE"),
        ("given_back", "releasable", "PARK"),
        ("idle", "taken", "PARK"),
    ):
        opened = await started(admin, mark)
        made[session] = opened["id"]
        put_down = await admin.mutate(
            "handOffSession",
            "handoff { id }",
            sessionId=opened["id"],
            intent=intent,
            engineerNotes=mark,
        )
        made[handoff] = put_down["handoff"]["id"]
    made["idle_trunk"] = opened["rootBranch"]["id"]
    made["resolved"] = (await started(admin, mark))["id"]
    await admin.mutate("claimHandoff", "handoff { id }", handoffId=made["taken"])
    for handoff in ("held", "releasable"):
        await admin.mutate("claimHandoff", "handoff { id }", handoffId=made[handoff])
        back = await admin.mutate("releaseHandoff", "handoff { id }", handoffId=made[handoff])
        made[handoff] = back["handoff"]["id"]
        await admin.mutate("claimHandoff", "handoff { id }", handoffId=made[handoff])
    made["given"] = (await started(admin, mark))["id"]
    await admin.mutate(
        "saveSlaTargets",
        "slaTargets { version }",
        normalMinutes=480,
        elevatedMinutes=60,
        expectedVersion=0,
    )


LAST_MESSAGE = (
    """query($id: ID!) { branch(id: $id) { messages(last: 1) { edges { node { id } } } } }"""
)


async def _ends(admin: Client, made: dict[str, Any]) -> None:
    for name in ("resolvable", "abandonable", "ended"):
        session = await started(admin, made["mark"])
        made[name] = session["id"]
        if name == "resolvable":
            made["resolvable_trunk"] = session["rootBranch"]["id"]
    for name in ("last_answer", "written_anew"):
        session = await started(admin, made["mark"])
        made[f"{name}_in"] = session["id"]
        found = await admin.run(LAST_MESSAGE, id=session["rootBranch"]["id"])
        made[name] = found["branch"]["messages"]["edges"][0]["node"]["id"]
    await admin.mutate("regenerateMessage", "reply { id }", messageId=made["written_anew"])
    await admin.answered(made["written_anew"])
    reason = f"{made['mark']}: nobody needs it"
    await admin.mutate(
        "abandonSession",
        "session { id }",
        sessionId=made["ended"],
        reason=reason,
        expectedVersion=1,
    )


async def _people(client: Client, admin: Client, made: dict[str, Any]) -> None:
    people: Colleagues = made["people"]
    made["account"] = node_id(Kind.ACCOUNT, people.account_id)
    made["team"] = node_id(Kind.TEAM, people.team_id)
    made["engineer"], made["admin"] = people.engineer.id, people.admin.id
    email = f"{made['mark']}@desk.example"
    saved = await admin.mutate(
        "saveMember",
        "member { id version }",
        email=email,
        displayName=made["mark"],
        role="ENGINEER",
        password=MEMBER_PASSWORD,
        teamId=made["team"],
    )
    made["member"], made["member_version"] = saved["member"]["id"], saved["member"]["version"]
    signed_in = await client.mutate(
        "signIn", "tokens { refreshToken }", email=email, password=MEMBER_PASSWORD
    )
    made["refresh_token"] = signed_in["tokens"]["refreshToken"]
    made["idempotency_key"] = str(uuid4())
    key = await admin.mutate(
        "createApiKey",
        "apiKey { id } secret",
        idempotencyKey=made["idempotency_key"],
        name=made["mark"],
        scopes=["READ", "WRITE", "ADMIN"],
    )
    made["api_key"], made["secret"] = key["apiKey"]["id"], key["secret"]


async def _files(admin: Client, made: dict[str, Any]) -> None:
    for name, place in (
        ("brought", {}),
        ("brought_too", {}),
        ("of_session", {"sessionId": made["session"]}),
        ("unreadable", {"branchId": made["active"]}),
    ):
        file = (f"{made['mark']}.log", made["mark"].encode())
        stored = await admin.mutate("uploadFile", "upload { id }", file=file, **place)
        made[name] = stored["upload"]["id"]


async def _deliveries(admin: Client, made: dict[str, Any]) -> None:
    """The note of an escalation that arrived, and one of a parked session whose ticket is gone."""
    tickets = current.connectwise
    for name in ("integration", "removable"):
        saved = await admin.mutate(
            "saveIntegration",
            "integration { id }",
            idempotencyKey=str(uuid4()),
            name=made["mark"],
            baseUrl=f"{current.url}/connectwise",
            connection={"connectwise": LOGIN},
        )
        made[name] = saved["integration"]["id"]
    for session, handoff, delivery in (
        ("waiting", "claimable", "delivery"),
        ("parked", "cancellable", "undelivered"),
    ):
        ticket = tickets.new_ticket(made["mark"], made["mark"])
        linked = await admin.mutate(
            "linkTicket",
            "session { id }",
            sessionId=made[session],
            integrationId=made["integration"],
            psaTicketId=ticket,
            expectedVersion=2,
        )
        assert linked["__typename"] == "LinkTicketSuccess", linked
        if delivery == "undelivered":
            tickets.vanish_once(ticket)
        pushed = await admin.mutate("pushHandoff", "delivery { id }", handoffId=made[handoff])
        made[delivery] = pushed["delivery"]["id"]


NOT_TODAY = text(
    "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at + interval '1 day' "
    "WHERE status = 'todo' AND CAST(args->>'account_id' AS uuid) = :account_id"
)
"""No timer of a world runs while tests look at it."""


async def _by_sql(owner_url: str, account_id: UUID, made: dict[str, Any]) -> None:
    """Findings and guided steps, a password, and replies in states that no job will end."""
    session_id, branch_id = (
        uuid_of(Kind.SESSION, made["session"]),
        uuid_of(Kind.BRANCH, made["active"]),
    )
    of_branch = {"account_id": account_id, "session_id": session_id, "branch_id": branch_id}
    finding_id, step_id = new_id(), new_id()
    message_id = uuid_of(Kind.MESSAGE, made["evidence"])
    async with as_owner(owner_url) as db:
        await db.execute(NOT_TODAY, {"account_id": account_id})
        await db.execute(
            insert(Finding).values(
                **of_branch, id=finding_id, kind=FindingKind.OBSERVED, claim=made["mark"]
            )
        )
        await db.execute(
            insert(FindingEvidence).values(
                account_id=account_id,
                finding_id=finding_id,
                ordinal=1,
                session_id=session_id,
                message_id=message_id,
            )
        )
        await db.execute(
            insert(Step).values(
                **of_branch,
                id=step_id,
                message_id=message_id,
                step_order=1000,
                step_type=StepType.NOTE,
                content={"text": made["mark"]},
            )
        )
        await _doubts(db, account_id, made)
        await _knows(db, account_id, made)
        await _documents(db, account_id, made)
        for name in ("failed", "cancelled", "pending"):
            await db.execute(
                update(BranchMessage)
                .where(BranchMessage.id == uuid_of(Kind.MESSAGE, made[name]))
                .values(state=MessageState[name.upper()], body="")
            )
        await db.execute(
            update(FileUpload)
            .where(FileUpload.id == uuid_of(Kind.UPLOAD, made["unreadable"]))
            .values(state=UploadState.FAILED, failure=made["mark"])
        )
        await db.execute(
            update(User)
            .where(User.id == made["people"].admin.key)
            .values(password_hash=await hash_password(MEMBER_PASSWORD))
        )
        await db.execute(
            update(AiSession)
            .where(AiSession.account_id == account_id)
            .values(problem_domain=made["mark"], problem_summary=made["mark"])
        )
    made["finding"] = node_id(Kind.FINDING, finding_id)
    made["step"] = node_id(Kind.STEP, step_id)


async def _doubts(db: AsyncConnection, account_id: UUID, made: dict[str, Any]) -> None:
    """A finding on the trunk puts both dead ends of its session in doubt."""
    session = {"account_id": account_id, "session_id": uuid_of(Kind.SESSION, made["doubted"])}
    finding_id = new_id()
    await db.execute(
        insert(Finding).values(
            **session,
            id=finding_id,
            branch_id=uuid_of(Kind.BRANCH, made["doubted_trunk"]),
            kind=FindingKind.OBSERVED,
            claim=made["mark"],
        )
    )
    last = select(BranchMessage.id).where(
        BranchMessage.branch_id == uuid_of(Kind.BRANCH, made["doubted_trunk"])
    )
    message_id = (await db.execute(last.limit(1))).scalar_one()
    await db.execute(
        insert(FindingBearing).values(
            **session,
            finding_id=finding_id,
            branch_id=uuid_of(Kind.BRANCH, made["doubt"]),
            bearing=Bearing.CONTRADICTS,
        )
    )
    for name in ("doubt", "other_doubt"):
        branch = {**session, "branch_id": uuid_of(Kind.BRANCH, made[name])}
        doubt_id = new_id()
        await db.execute(
            insert(RevivalProposal).values(
                **branch,
                id=doubt_id,
                finding_id=finding_id,
                reason=made["mark"],
                reason_message_id=message_id,
                why=made["mark"],
            )
        )
        await db.execute(
            insert(Ranking).values(**branch, id=new_id(), likelihood=0.5, why=made["mark"])
        )
        made[name] = node_id(Kind.REVIVAL_PROPOSAL, doubt_id)


async def _documents(db: AsyncConnection, account_id: UUID, made: dict[str, Any]) -> None:
    """Drafts of the resolved session, one that was left when another was reopened, and one that was taken
    from the clipboard and may be pushed to the ticket of its session.
    """
    kinds = ResolutionOutputType
    draft = ResolutionOutputStatus.DRAFT
    for name, session, kind, status in (
        ("notes", "resolved", kinds.PSA_TICKET_NOTES, draft),
        ("article_draft", "resolved", kinds.KNOWLEDGE_BASE, draft),
        ("summary", "resolved", kinds.CLIENT_SUMMARY, draft),
        ("old_notes", "ended", kinds.PSA_TICKET_NOTES, draft),
        ("approved_notes", "waiting", kinds.PSA_TICKET_NOTES, ResolutionOutputStatus.APPROVED),
    ):
        output_id = new_id()
        await db.execute(
            insert(ResolutionOutput).values(
                account_id=account_id,
                id=output_id,
                session_id=uuid_of(Kind.SESSION, made[session]),
                output_type=kind,
                status=status,
                generated_content=made["mark"],
            )
        )
        await db.execute(
            insert(ResolutionRevision).values(
                account_id=account_id, output_id=output_id, version=1, content=made["mark"]
            )
        )
        made[name] = node_id(Kind.OUTPUT, output_id)
    await db.execute(
        insert(Delivery).values(
            account_id=account_id,
            id=new_id(),
            session_id=uuid_of(Kind.SESSION, made["waiting"]),
            output_id=uuid_of(Kind.OUTPUT, made["approved_notes"]),
            output_version=1,
            destination=Destination.CLIPBOARD,
            state=DeliveryState.TAKEN,
            document={"title": made["mark"], "markdown": made["mark"]},
            created_by=made["people"].admin.key,
        )
    )


async def _knows(db: AsyncConnection, account_id: UUID, made: dict[str, Any]) -> None:
    """An article of the resolved session, suggested with an answer."""
    article_id, mark = new_id(), made["mark"]
    session_id = uuid_of(Kind.SESSION, made["resolved"])
    await db.execute(
        update(AiSession)
        .where(AiSession.id == session_id)
        .values(status=SessionStatus.RESOLVED, resolution_summary=mark)
    )
    await db.execute(
        insert(KbArticle).values(
            account_id=account_id,
            id=article_id,
            title=mark,
            body=mark,
            content={"symptoms": [mark], "tags": [mark]},
            source_session_id=session_id,
        )
    )
    await db.execute(
        insert(MessageArticle).values(
            account_id=account_id,
            message_id=uuid_of(Kind.MESSAGE, made["answer"]),
            rank=1,
            article_id=article_id,
            score=1.0,
        )
    )
    made["article"] = node_id(Kind.KB_ARTICLE, article_id)


async def _across_branches(admin: Client, made: dict[str, Any]) -> None:
    merges = [
        await admin.mutate(
            "mergeFindings", "merge { id }", branchId=made[branch], findingIds=[made["finding"]]
        )
        for branch in ("renamed", "untried")
    ]
    made["merge"], undone = [merged["merge"]["id"] for merged in merges]
    await admin.mutate("undoFindingMerge", "merge { id }", mergeId=undone)
    asked = await admin.mutate(
        "requestSecondOpinion", "secondOpinion { id }", sessionId=made["session"]
    )
    made["opinion"] = asked["secondOpinion"]["id"]


async def _cursors(admin: Client, made: dict[str, Any]) -> None:
    seen = await admin.run(
        """query($id: ID!) {
          session(id: $id) {
            branches(includeArchived: true) { id version messages { edges { node { id role } } } }
          }
          sessions(first: 2) { pageInfo { endCursor } eventCursor }
          all: sessions(first: 50) { edges { node { id version } } }
          queue(first: 1) { pageInfo { endCursor } }
          kbArticles(first: 1) { pageInfo { endCursor } }
        }""",
        id=made["session"],
    )
    branches = seen["session"]["branches"]
    sessions = [edge["node"] for edge in seen["all"]["edges"]]
    made["versions"] = {each["id"]: each["version"] for each in (*branches, *sessions)}
    made["intake"] = branches[0]["messages"]["edges"][0]["node"]["id"]
    made["session_page"] = seen["sessions"]["pageInfo"]["endCursor"]
    made["library_page"] = seen["kbArticles"]["pageInfo"]["endCursor"]
    made["queue_page"] = seen["queue"]["pageInfo"]["endCursor"]
    made["event_cursor"] = seen["sessions"]["eventCursor"]


# ------------------------------------------------------------------ what may be done with it

Input = dict[str, Any]

INPUTS: dict[str, Callable[[World], Input]] = {
    "signIn": lambda w: {"email": f"{w.mark}@desk.example", "password": MEMBER_PASSWORD},
    "refreshTokens": lambda w: {"refreshToken": w.refresh_token},
    "signOut": lambda w: {"refreshToken": w.refresh_token},
    "saveMember": lambda w: {
        "userId": w.member,
        "displayName": "Renamed",
        "teamId": w.team,
        "expectedVersion": w.member_version,
    },
    "deactivateMember": lambda w: {"userId": w.member},
    "reactivateMember": lambda w: {"userId": w.member},
    "changePassword": lambda _: {
        "currentPassword": MEMBER_PASSWORD,
        "newPassword": "another battery",
    },
    "createApiKey": lambda w: {
        "idempotencyKey": w.idempotency_key,
        "name": w.mark,
        "scopes": ["READ", "WRITE", "ADMIN"],
    },
    "revokeApiKey": lambda w: {"apiKeyId": w.api_key},
    "startSession": lambda w: {
        "intake": {"text": "Mail again"},
        "integrationId": w.integration,
        "psaTicketId": SHARED,
        "teamId": w.team,
        "uploadIds": [w.brought],
    },
    "forkBranch": lambda w: {
        "sessionId": w.session,
        "parentBranchId": w.active,
        "afterMessageId": w.evidence,
        "reason": "Two causes are possible",
        "options": [
            {"label": "One", "description": "One"},
            {"label": "Two", "description": "Two"},
        ],
    },
    "switchBranch": lambda w: {"branchId": w.untried},
    "markBranchStatus": lambda w: {
        "branchId": w.solved,
        "status": "ACTIVE",
        "expectedVersion": w.versions[w.solved],
    },
    "reviveBranch": lambda w: {
        "branchId": w.dead,
        "evidenceFromBranchId": w.active,
        "evidenceMessageIds": [w.evidence],
        "description": "It speaks for it",
    },
    "renameBranch": lambda w: {
        "branchId": w.renamed,
        "label": "Another name",
        "expectedVersion": w.versions[w.renamed],
    },
    "archiveBranch": lambda w: {
        "branchId": w.revived,
        "expectedVersion": w.versions[w.revived],
    },
    "restoreBranch": lambda w: {
        "branchId": w.archived,
        "expectedVersion": w.versions[w.archived],
    },
    "acceptRevivalProposal": lambda w: {"proposalId": w.doubt},
    "dismissRevivalProposal": lambda w: {"proposalId": w.other_doubt},
    "mergeFindings": lambda w: {"branchId": w.trunk, "findingIds": [w.finding]},
    "undoFindingMerge": lambda w: {"mergeId": w.merge},
    "requestSecondOpinion": lambda w: {"sessionId": w.waiting},
    "sendBranchMessage": lambda w: {
        "branchId": w.trunk,
        "body": "What now?",
        "uploadIds": [w.of_session],
    },
    "sendMessage": lambda w: {
        "sessionId": w.idle,
        "expectedBranchId": w.idle_trunk,
        "body": "What now?",
        "uploadIds": [w.brought_too],
    },
    "retryMessage": lambda w: {"messageId": w.failed},
    "regenerateMessage": lambda w: {"messageId": w.last_answer},
    "chooseAlternative": lambda w: {"messageId": w.written_anew, "number": 1},
    "cancelMessage": lambda w: {"messageId": w.pending},
    "uploadFile": lambda w: {
        "file": ("a.log", b"What now?"),
        "sessionId": w.session,
        "branchId": w.active,
    },
    "retryUpload": lambda w: {"uploadId": w.unreadable},
    "handOffSession": lambda w: {"sessionId": w.idle, "intent": "PARK"},
    "claimHandoff": lambda w: {"handoffId": w.claimable},
    "heartbeatHandoff": lambda w: {"handoffId": w.held},
    "releaseHandoff": lambda w: {"handoffId": w.releasable},
    "lookAtBranch": lambda w: {"branchId": w.untried, "isAsking": True},
    "leaveSession": lambda w: {"sessionId": w.idle},
    "reassignSession": lambda w: {
        "sessionId": w.given,
        "assigneeId": w.engineer,
        "expectedVersion": w.versions[w.given],
    },
    "saveSlaTargets": lambda _: {
        "normalMinutes": 120,
        "elevatedMinutes": 15,
        "expectedVersion": 1,
    },
    "resolveSession": lambda w: {
        "sessionId": w.resolvable,
        "solvedBranchId": w.resolvable_trunk,
        "summary": "The quota was raised.",
        "expectedVersion": w.versions[w.resolvable],
    },
    "abandonSession": lambda w: {
        "sessionId": w.abandonable,
        "reason": "It was no problem.",
        "expectedVersion": w.versions[w.abandonable],
    },
    "reopenSession": lambda w: {
        "sessionId": w.ended,
        "expectedVersion": w.versions[w.ended],
    },
    "cancelHandoff": lambda w: {"handoffId": w.cancellable},
    "regenerateResolutionOutput": lambda w: {"outputId": w.article_draft, "expectedVersion": 1},
    "editResolutionOutput": lambda w: {
        "outputId": w.summary,
        "content": "All is well.",
        "expectedVersion": 1,
    },
    "pushResolutionOutput": lambda w: {
        "idempotencyKey": w.idempotency_key,
        "outputId": w.approved_notes,
        "destination": "PSA",
        "integrationId": w.integration,
        "expectedVersion": 1,
    },
    "approveResolutionOutput": lambda w: {"outputId": w.notes, "expectedVersion": 1},
    "rejectResolutionOutput": lambda w: {"outputId": w.old_notes, "expectedVersion": 1},
    "saveIntegration": lambda w: {
        "integrationId": w.integration,
        "name": "Renamed",
        "expectedVersion": 1,
    },
    "testIntegration": lambda w: {"integrationId": w.integration},
    "removeIntegration": lambda w: {"integrationId": w.removable},
    "linkTicket": lambda w: {
        "sessionId": w.session,
        "integrationId": w.integration,
        "psaTicketId": SHARED,
        "expectedVersion": w.versions[w.session],
    },
    "retryHandoffPreparation": lambda w: {"handoffId": w.held},
    "pushHandoff": lambda w: {"handoffId": w.claimable},
    "retryDelivery": lambda w: {"deliveryId": w.undelivered},
}
"""For each mutation an input that succeeds."""

MORE_INPUTS: list[tuple[str, Callable[[World], Input]]] = [
    (
        "forkBranch",
        lambda w: {
            "sessionId": w.session,
            "parentBranchId": w.trunk,
            "forkPointId": w.fork_point,
            "reason": "One more cause is possible",
            "options": [{"label": "Three", "description": "Three"}],
        },
    ),
]
"""Further inputs of the same fields, for ids that exclude each other."""
