"""Showing what a model was sent for an answer. The history is not stored twice: it is put together again,
and a checksum tells whether the result is what was sent.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import orjson
from sqlalchemy import String, literal, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from models.message import BranchMessage, MessagePrompt, MessageState
from services.access import Actor
from services.ai.port import Part, Prompt
from services.ai.prompts import turn_prompt
from services.database import fetch_one, transaction
from services.errors import NotFound
from services.ids import Kind, node_id
from services.requests import build_request
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Inspected:
    prompt: Prompt
    is_exact: bool
    """False where an earlier message of the lineage has been answered anew since."""


async def remember_prompt(runtime: Runtime, reply: BranchMessage, prompt: Prompt) -> None:
    """Before the model is asked; a later attempt takes the place of an earlier one, never the reverse."""
    told = {
        "parts": [part.text if part.image is None else None for part in prompt.messages[-1].parts],
        "sha256": await asyncio.to_thread(_checksum, prompt),
    }
    current = (
        select(
            BranchMessage.account_id,
            BranchMessage.id,
            literal(told["parts"], JSONB()),
            literal(told["sha256"], String()),
        )
        .where(
            BranchMessage.account_id == reply.account_id,
            BranchMessage.id == reply.id,
            BranchMessage.attempt == reply.attempt,
            BranchMessage.state == MessageState.STREAMING,
        )
        .with_for_update(read=True)
    )
    statement = insert(MessagePrompt).from_select(["account_id", "message_id", *told], current)
    async with transaction(runtime.engine, reply.account_id) as db:
        await db.execute(
            statement.on_conflict_do_update(
                index_elements=["account_id", "message_id"],
                set_={name: statement.excluded[name] for name in told},
            )
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
    prompt = await asyncio.to_thread(turn_prompt, request)
    *history, last = prompt.messages
    shown = replace(last, parts=tuple(_as_sent(told.parts, last.parts)))
    prompt = replace(prompt, messages=(*history, shown))
    return Inspected(prompt, await asyncio.to_thread(_checksum, prompt) == told.sha256)


def _as_sent(told: Sequence[str | None], rebuilt: Sequence[Part]) -> Iterator[Part]:
    """The texts as they were told, the images as they are rebuilt: those are not stored twice."""
    images = (part for part in rebuilt if part.image is not None)
    for text in told:
        yield next(images, Part()) if text is None else Part(text)


def _checksum(prompt: Prompt) -> str:
    """Of the texts and images, in the order in which they are sent."""
    parts = [
        [message.role, [part.text, part.image and hashlib.sha256(part.image.data).hexdigest()]]
        for message in prompt.messages
        for part in message.parts
    ]
    return hashlib.sha256(orjson.dumps([list(prompt.system), parts])).hexdigest()
