"""The verbs of the conversation."""

import strawberry

from schema.context import Info
from schema.message import (
    BranchMessage,
    CancelMessageInput,
    CancelMessageResult,
    CancelMessageSuccess,
    ChooseAlternativeInput,
    ChooseAlternativeResult,
    ChooseAlternativeSuccess,
    RegenerateMessageInput,
    RegenerateMessageResult,
    RegenerateMessageSuccess,
    RetryMessageInput,
    RetryMessageResult,
    RetryMessageSuccess,
    SendBranchMessageInput,
    SendBranchMessageResult,
    SendBranchMessageSuccess,
    SendMessageInput,
)
from schema.prompt import ModelPrompt
from schema.session import AiSession
from services import alternatives, messages
from services.errors import NotFound
from services.ids import Kind, uuid_of
from services.inspection import inspect_prompt
from services.streams import finished_reply


@strawberry.type
class MessageQueries:
    @strawberry.field(
        description="What a model was sent for this answer; null where none was asked, as by the "
        "offline playbook."
    )
    async def message_prompt(self, info: Info, message_id: strawberry.ID) -> ModelPrompt | None:
        runtime, actor = info.context.runtime, info.context.actor
        try:
            inspected = await inspect_prompt(runtime, actor, uuid_of(Kind.MESSAGE, message_id))
        except NotFound:
            return None
        return ModelPrompt.of(inspected) if inspected else None


@strawberry.type
class MessageMutations:
    @strawberry.mutation(
        description="Stores the message at once; the answer comes as a message of its own. With "
        "`awaitReply` the call returns when it is complete, or as it is after two minutes. A message "
        "to a session that waits in the queue takes it back: its open handoff is cancelled."
    )
    async def send_branch_message(
        self, info: Info, input: SendBranchMessageInput
    ) -> SendBranchMessageResult:
        sent = await messages.send_branch_message(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            branch_id=uuid_of(Kind.BRANCH, input.branch_id),
            body=input.body,
            upload_ids=[uuid_of(Kind.UPLOAD, id) for id in input.upload_ids],
        )
        return await _sent(info, sent, input.await_reply)

    @strawberry.mutation(
        description="To the session's active branch, which must be the one expected."
    )
    async def send_message(self, info: Info, input: SendMessageInput) -> SendBranchMessageResult:
        sent = await messages.send_message(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            session_id=uuid_of(Kind.SESSION, input.session_id),
            expected_branch_id=uuid_of(Kind.BRANCH, input.expected_branch_id),
            body=input.body,
            upload_ids=[uuid_of(Kind.UPLOAD, id) for id in input.upload_ids],
        )
        return await _sent(info, sent, input.await_reply)

    @strawberry.mutation(description="Asks again for a reply that failed or was cancelled.")
    async def retry_message(self, info: Info, input: RetryMessageInput) -> RetryMessageResult:
        reply = await messages.retry_message(
            info.context.runtime,
            info.context.actor,
            message_id=uuid_of(Kind.MESSAGE, input.message_id),
        )
        return RetryMessageSuccess(reply=BranchMessage.of(reply))

    @strawberry.mutation(
        description="Has a complete answer written anew, in its place; the text it had becomes one of its "
        "`alternatives`. Findings that rest on it stay."
    )
    async def regenerate_message(
        self, info: Info, input: RegenerateMessageInput
    ) -> RegenerateMessageResult:
        reply = await alternatives.regenerate_message(
            info.context.runtime,
            info.context.actor,
            key=input.idempotency_key,
            message_id=uuid_of(Kind.MESSAGE, input.message_id),
        )
        return RegenerateMessageSuccess(reply=BranchMessage.of(reply))

    @strawberry.mutation(
        description="Gives an answer an earlier text back, also one that failed or was cancelled when it "
        "was written anew. The text it had becomes one of its `alternatives`."
    )
    async def choose_alternative(
        self, info: Info, input: ChooseAlternativeInput
    ) -> ChooseAlternativeResult:
        reply = await alternatives.choose_alternative(
            info.context.runtime,
            info.context.actor,
            message_id=uuid_of(Kind.MESSAGE, input.message_id),
            number=input.number,
        )
        return ChooseAlternativeSuccess(reply=BranchMessage.of(reply))

    @strawberry.mutation(
        description="Stops a reply that is pending or being written; its text so far is kept."
    )
    async def cancel_message(self, info: Info, input: CancelMessageInput) -> CancelMessageResult:
        message = await messages.cancel_message(
            info.context.runtime,
            info.context.actor,
            message_id=uuid_of(Kind.MESSAGE, input.message_id),
        )
        return CancelMessageSuccess(cancelled_message=BranchMessage.of(message))


async def _sent(info: Info, sent: messages.Sent, await_reply: bool) -> SendBranchMessageSuccess:
    reply = sent.reply
    if await_reply:
        reply = await finished_reply(info.context.runtime, info.context.actor, reply)
    return SendBranchMessageSuccess(
        sent_message=BranchMessage.of(sent.message),
        reply=BranchMessage.of(reply),
        session=AiSession.of(sent.session),
    )
