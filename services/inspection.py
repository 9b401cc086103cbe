"""Showing what a model was sent for an answer. The history is not stored twice: it is put together again,
and a checksum tells whether the result is what was sent.
"""

import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.message import BranchMessage, MessagePrompt
from services.access import Actor
from services.ai.port import TurnRequest
from services.ai.prompts import Prompt, turn_prompt
from services.database import fetch_one
from services.errors import NotFound
from services.ids import Kind, node_id
from services.requests import build_request
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Inspected:
    prompt: Prompt
    is_exact: bool
    """False where an earlier message of the lineage has been answered anew since."""


async def remember_prompt(db: AsyncConnection, reply: BranchMessage, request: TurnRequest) -> None:
    """Before the model is asked; a later attempt takes the place of an earlier one."""
    told = {"volatile": list(request.volatile), "sha256": _checksum(turn_prompt(request))}
    statement = insert(MessagePrompt).values(
        account_id=reply.account_id, message_id=reply.id, **told
    )
    await db.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "message_id"], set_=told)
    )


async def inspect_prompt(runtime: Runtime, actor: Actor, message_id: UUID) -> Inspected | None:
    """None where no model was asked for the message. Raises NotFound."""
    async with runtime.read(actor) as db:
        reply = await fetch_one(
            db,
            select(BranchMessage).where(
                BranchMessage.account_id == actor.account_id, BranchMessage.id == message_id
            ),
        )
        if reply is None:
            raise NotFound(node_id(Kind.MESSAGE, message_id))
        told = await fetch_one(
            db,
            select(MessagePrompt).where(
                MessagePrompt.account_id == actor.account_id,
                MessagePrompt.message_id == message_id,
            ),
        )
        if told is None:
            return None
        request = await build_request(db, reply)
    prompt = turn_prompt(replace(request, volatile=tuple(told.volatile)))
    return Inspected(prompt, _checksum(prompt) == told.sha256)


def _checksum(prompt: Prompt) -> str:
    """Of the texts and images, in the order in which they are sent."""
    parts = [
        [message.role, [part.text, part.image and hashlib.sha256(part.image.data).hexdigest()]]
        for message in prompt.messages
        for part in message.parts
    ]
    return hashlib.sha256(orjson.dumps([list(prompt.system), parts])).hexdigest()
