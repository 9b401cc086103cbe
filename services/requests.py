"""What the model is asked for an answer."""

from sqlalchemy.ext.asyncio import AsyncConnection

from models.message import BranchMessage
from services.accounts import hypotheses_left
from services.ai.context import volatile
from services.ai.port import NOTHING_KNOWN, Conversation, Known, TurnRequest
from services.record import (
    conversation,
    facts,
    merged_findings,
    other_branches,
    read_record,
    revivals,
)

INTAKE_POSITION = 1


async def build_request(
    db: AsyncConnection, reply: BranchMessage, known: Known = NOTHING_KNOWN
) -> TurnRequest:
    """What the model is asked: the message before the reply, after all that stands before that, and what
    the account knows about it.

    Messages behind the reply are left out, however many have been sent already.
    """
    record = await read_record(db, reply.account_id, reply.branch_id)
    *history, asked = record.before(reply.position)
    room = hypotheses_left(record.session.plan, record.session.hypothesis_count)
    if reply.position == INTAKE_POSITION + 1:
        return TurnRequest(
            Conversation(facts(record)),
            asked.turn,
            purpose="intake",
            fork_room=room,
            known=known,
        )
    return TurnRequest(
        conversation(record, history),
        asked.turn,
        fork_room=room,
        volatile=volatile(
            revivals=revivals(record),
            merged=merged_findings(record),
            others=other_branches(record),
        ),
        known=known,
    )
