"""What is said on branches: sending, retrying, cancelling, and reading along a lineage."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, literal, select, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from models.branch import Branch, BranchStatus
from models.message import BranchMessage, MessageChunk, MessageRole, MessageState
from services import enqueue, lifecycle
from services.access import Actor
from services.audit import Change
from services.branches import in_session, lock_branch, require_open, set_status
from services.database import fetch, fetch_one
from services.errors import FieldProblem, InvalidInput, InvalidTransition, NotFound
from services.events import MessageAdded, MessageFinished, MessageRestarted
from services.files.attachments import attach, check_attachments, named_uploads
from services.handoffs import resume_by_message
from services.ids import Kind, new_id, node_id
from services.pages import Page, page_size, read_cursor
from services.runtime import Runtime
from services.sessions import SessionView, lock_workable, view
from services.unit_of_work import UnitOfWork
from services.usage import require_budget
from services.validation import Validation

DEFAULT_PAGE = 50


class MessageScope(StrEnum):
    """OWN: said on this branch. LINEAGE: what it inherited from its ancestors first, then its own."""

    OWN = "own"
    LINEAGE = "lineage"


@dataclass(frozen=True, slots=True)
class Sent:
    session: SessionView
    message: BranchMessage
    reply: BranchMessage


# ---------------------------------------------------------------- verbs


async def send_branch_message(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    branch_id: UUID,
    body: str,
    upload_ids: Sequence[UUID] = (),
) -> Sent:
    """Stores what was typed at once, with a pending reply behind it.

    The first message makes an untried or revived branch active, and takes a session that was handed
    off up again. Raises InvalidInput, NotFound, PermissionDenied, InvalidTransition and
    BudgetExceeded.
    """
    body = _valid_body(body, upload_ids)
    content = {"branch": str(branch_id), "body": body} | named_uploads(upload_ids)
    async with runtime.work(actor) as work:
        sent = await _repeated(work, actor, "sendBranchMessage", key, content)
        if isinstance(sent, Sent):
            return sent
        return await _send(runtime, work, actor, branch_id, body, sent, upload_ids)


async def send_message(
    runtime: Runtime,
    actor: Actor,
    *,
    key: UUID,
    session_id: UUID,
    expected_branch_id: UUID,
    body: str,
    upload_ids: Sequence[UUID] = (),
) -> Sent:
    """To the active branch; raises InvalidInput when that is not the expected one any more.

    Otherwise as `send_branch_message`.
    """
    body = _valid_body(body, upload_ids)
    content = {
        "session": str(session_id),
        "branch": str(expected_branch_id),
        "body": body,
    } | named_uploads(upload_ids)
    async with runtime.work(actor) as work:
        sent = await _repeated(work, actor, "sendMessage", key, content)
        if isinstance(sent, Sent):
            return sent
        session = await lock_workable(work, actor, session_id)
        await in_session(work.db, session, expected_branch_id)
        if session.active_branch_id != expected_branch_id:
            raise InvalidInput(
                [
                    FieldProblem(
                        ("expectedBranchId",),
                        "The team works on another branch by now. Load the session again.",
                    )
                ]
            )
        return await _send(runtime, work, actor, expected_branch_id, body, sent, upload_ids)


def _valid_body(body: str, upload_ids: Sequence[UUID]) -> str:
    check = Validation()
    body = check.text(("body",), body, 1, 8000)
    check_attachments(check, upload_ids)
    check.done()
    return body


Pair = tuple[UUID, UUID]
"""Keys of a message and of the reply to it."""


async def _repeated(
    work: UnitOfWork, actor: Actor, mutation: str, key: UUID, content: dict[str, object]
) -> Sent | Pair:
    """What was sent before with this key, or the keys that it will have."""
    pair = new_id(), new_id()
    makes = {"message": str(pair[0]), "reply": str(pair[1])}
    made = await work.once(mutation, key, content, makes)
    if made is None:
        return pair
    return await _sent(work.db, actor, (UUID(made["message"]), UUID(made["reply"])))


async def _send(
    runtime: Runtime,
    work: UnitOfWork,
    actor: Actor,
    branch_id: UUID,
    body: str,
    pair: Pair,
    upload_ids: Sequence[UUID],
) -> Sent:
    session, branch = await lock_branch(work, actor, branch_id)
    require_open(branch, "message")
    await require_budget(runtime, work.db, work.account_id)
    await resume_by_message(work, actor, session)
    if branch.status is not BranchStatus.ACTIVE:
        await set_status(work, branch, BranchStatus.ACTIVE, None)
    await _append_pair(work, branch, pair, body)
    message_id, reply_id = pair
    await attach(
        work,
        session_id=session.id,
        branch_id=branch.id,
        message_id=message_id,
        upload_ids=upload_ids,
    )
    work.record(MessageAdded(session.id, branch.id, message_id))
    work.record(MessageAdded(session.id, branch.id, reply_id))
    work.enqueue(enqueue.answer_message(work.account_id, branch.id, reply_id))
    return await _sent(work.db, actor, pair)


async def _append_pair(work: UnitOfWork, branch: Branch, pair: Pair, body: str) -> None:
    message_id, reply_id = pair
    last = (
        update(Branch)
        .where(Branch.account_id == work.account_id, Branch.id == branch.id)
        .values(last_position=Branch.last_position + 2)
        .returning(Branch.last_position)
    )
    position = (await work.db.execute(last)).scalar_one()
    common = {
        "account_id": work.account_id,
        "session_id": branch.session_id,
        "branch_id": branch.id,
    }
    await work.db.execute(
        insert(BranchMessage),
        [
            {
                **common,
                "id": message_id,
                "position": position - 1,
                "role": MessageRole.USER,
                "state": MessageState.COMPLETE,
                "body": body,
                "author_id": work.user_id,
            },
            {
                **common,
                "id": reply_id,
                "position": position,
                "role": MessageRole.ASSISTANT,
                "state": MessageState.PENDING,
                "body": "",
                "author_id": None,
            },
        ],
    )


async def _sent(db: AsyncConnection, actor: Actor, pair: Pair) -> Sent:
    message, reply = await message_row(db, actor, pair[0]), await message_row(db, actor, pair[1])
    return Sent(await view(db, actor, message.session_id), message, reply)


async def message_row(db: AsyncConnection, actor: Actor, message_id: UUID) -> BranchMessage:
    """Raises NotFound."""
    statement = select(BranchMessage).where(
        BranchMessage.account_id == actor.account_id, BranchMessage.id == message_id
    )
    message = await fetch_one(db, statement)
    if message is None:
        raise NotFound(node_id(Kind.MESSAGE, message_id))
    return message


async def retry_message(runtime: Runtime, actor: Actor, *, message_id: UUID) -> BranchMessage:
    """A failed or cancelled reply is asked for again, in its own row.

    Raises NotFound, PermissionDenied, InvalidTransition and BudgetExceeded.
    """
    async with runtime.work(actor) as work:
        message = await message_row(work.db, actor, message_id)
        _, branch = await lock_branch(work, actor, message.branch_id)
        require_open(branch, "retry")
        restarted = (
            update(BranchMessage)
            .where(
                BranchMessage.account_id == work.account_id,
                BranchMessage.id == message_id,
                BranchMessage.state.in_(lifecycle.RETRYABLE),
            )
            .values(state=MessageState.PENDING, body="", failure=None, finished_at=None)
            .returning(BranchMessage.id)
        )
        if (await work.db.execute(restarted)).first() is None:
            raise not_from(message, MessageState.PENDING)
        await require_budget(runtime, work.db, work.account_id)
        work.record(MessageRestarted(message.session_id, branch.id, message_id))
        work.enqueue(enqueue.answer_message(work.account_id, branch.id, message_id))
        return await message_row(work.db, actor, message_id)


async def cancel_message(runtime: Runtime, actor: Actor, *, message_id: UUID) -> BranchMessage:
    """Stops a reply that is pending or being written; what was written so far is kept.

    Raises NotFound, PermissionDenied and InvalidTransition.
    """
    async with runtime.work(actor) as work:
        message = await message_row(work.db, actor, message_id)
        await lock_branch(work, actor, message.branch_id)
        if not await finish(work, message, MessageState.CANCELLED):
            raise not_from(await message_row(work.db, actor, message_id), MessageState.CANCELLED)
        cancelled = await message_row(work.db, actor, message_id)
    tell_cancelled(runtime, message_id)
    return cancelled


def not_from(message: BranchMessage, target: MessageState) -> InvalidTransition:
    return InvalidTransition(
        f"The message is {message.state.name}.",
        source=message.state.name,
        target=target.name,
        allowed=[state.name for state in sorted(lifecycle.MESSAGE[message.state])],
    )


async def finish(
    work: UnitOfWork, message: BranchMessage, state: MessageState, **values: object
) -> bool:
    """Ends an unfinished reply and drops its chunks; False when it was ended before.

    Without a body given, what was streamed so far becomes the body.
    """
    streamed = (
        select(
            func.coalesce(
                func.string_agg(
                    MessageChunk.body, aggregate_order_by(literal(""), MessageChunk.start)
                ),
                "",
            )
        )
        .where(
            MessageChunk.account_id == message.account_id,
            MessageChunk.message_id == message.id,
            MessageChunk.attempt == BranchMessage.attempt,
        )
        .scalar_subquery()
    )
    ended = (
        update(BranchMessage)
        .where(
            BranchMessage.account_id == message.account_id,
            BranchMessage.id == message.id,
            BranchMessage.state.in_(lifecycle.UNFINISHED),
        )
        .values({"body": streamed, **values, "state": state, "finished_at": func.now()})
        .returning(BranchMessage.id)
    )
    if (await work.db.execute(ended)).first() is None:
        return False
    await work.db.execute(
        delete(MessageChunk).where(
            MessageChunk.account_id == message.account_id, MessageChunk.message_id == message.id
        )
    )
    if state is MessageState.CANCELLED:
        work.hasten(enqueue.answer_message(work.account_id, message.branch_id, message.id))
    work.record(
        MessageFinished(message.session_id, message.branch_id, message.id),
        Change("state", after=state.name),
    )
    return True


async def have_analysed_from(work: UnitOfWork, message: BranchMessage) -> None:
    """A text that was completed anew may stand before what has been analysed already."""
    await work.db.execute(
        update(Branch)
        .where(Branch.account_id == message.account_id, Branch.id == message.branch_id)
        .values(analysed_position=func.least(Branch.analysed_position, message.position - 1))
    )
    work.enqueue(enqueue.analyse_branch(work.account_id, message.session_id, message.branch_id))


def stream_topic(message_id: UUID) -> str:
    """Who follows a reply looks at it again."""
    return f"message:{message_id.hex}"


def stop_topic(message_id: UUID) -> str:
    """Who writes a reply looks whether it is still wanted; the other topic would wake it at each piece."""
    return f"stop:{message_id.hex}"


def tell_cancelled(runtime: Runtime, message_id: UUID) -> None:
    """After the commit."""
    runtime.bus.wake(stream_topic(message_id))
    runtime.bus.wake(stop_topic(message_id))


# ---------------------------------------------------------------- reads


def lineage(account_id: UUID, branch_id: UUID) -> Select[UUID, int]:
    """(branch_id, cut): the branch and its ancestors, each with the last position it contributes."""
    own = (
        select(
            Branch.id.label("id"),
            Branch.parent_branch_id.label("parent_id"),
            Branch.last_position.label("cut"),
            Branch.fork_position.label("fork_position"),
        )
        .where(Branch.account_id == account_id, Branch.id == branch_id)
        .cte("lineage", recursive=True)
    )
    parent = aliased(Branch)
    steps = own.union_all(
        select(
            parent.id,
            parent.parent_branch_id,
            own.c.fork_position,
            func.least(parent.fork_position, own.c.fork_position),
        ).join(own, (parent.account_id == account_id) & (parent.id == own.c.parent_id))
    )
    return select(steps.c.id, steps.c.cut)


def _of_lineage(
    page: Select[BranchMessage], line: Select[UUID, int], *, backward: bool, size: int
) -> Select[BranchMessage]:
    """The page out of one such page of each branch: no more is read of a long conversation."""
    branch = line.subquery()
    own = page.where(
        BranchMessage.branch_id == branch.c.id, BranchMessage.position <= branch.c.cut
    ).lateral()
    message = aliased(BranchMessage, own)
    order = message.position.desc() if backward else message.position
    return select(message).select_from(branch).join(own, true()).order_by(order).limit(size)


async def list_messages(
    runtime: Runtime,
    actor: Actor,
    branch_id: UUID,
    scope: MessageScope,
    *,
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
    up_to: int | None = None,
) -> Page[BranchMessage]:
    """By position; positions are unique in a lineage, so they are the cursor.

    Forward with first/after, from the end with last/before; neither means the first 50. `up_to` is the
    last position that is there at all. Raises InvalidInput.
    """
    check = Validation()
    if first is not None and last is not None:
        check.add(("last",), "Cannot be combined with first.")
    check.done()
    backward = last is not None
    if last is not None:
        size = page_size("last", last)
    else:
        size = page_size("first", DEFAULT_PAGE if first is None else first)
    order = BranchMessage.position.desc() if backward else BranchMessage.position
    statement = (
        select(BranchMessage)
        .where(BranchMessage.account_id == actor.account_id)
        .order_by(order)
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(BranchMessage.position > read_cursor("after", after, int)[0])
    if up_to is not None:
        statement = statement.where(BranchMessage.position <= up_to)
    if before is not None:
        statement = statement.where(BranchMessage.position < read_cursor("before", before, int)[0])
    if scope is MessageScope.OWN:
        statement = statement.where(BranchMessage.branch_id == branch_id)
    else:
        line = lineage(actor.account_id, branch_id)
        statement = _of_lineage(statement, line, backward=backward, size=size + 1)
    async with runtime.read(actor) as db:
        rows = list(await fetch(db, statement))
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        return Page(rows[::-1], before is not None, more)
    return Page(rows, more, after is not None)


async def by_id(
    runtime: Runtime, actor: Actor, message_ids: Sequence[UUID]
) -> dict[UUID, BranchMessage]:
    statement = select(BranchMessage).where(
        BranchMessage.account_id == actor.account_id, BranchMessage.id.in_(message_ids)
    )
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}
