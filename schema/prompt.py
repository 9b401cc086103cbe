"""What a model was sent for an answer."""

from typing import Self

import strawberry

from models.message import MessageRole
from services.ai.port import PromptMessage
from services.inspection import Inspected


@strawberry.type
class ModelPromptMessage:
    role: MessageRole = strawberry.field(description="USER or ASSISTANT, as the model is told.")
    texts: list[str] = strawberry.field(description="In order; at most 100.")
    image_count: int = strawberry.field(description="Images that were sent along.")

    @classmethod
    def of(cls, message: PromptMessage) -> Self:
        return cls(
            role=MessageRole(message.role),
            texts=[part.text for part in message.parts if part.image is None],
            image_count=sum(part.image is not None for part in message.parts),
        )


@strawberry.type(
    description="Exactly what a model was sent for an answer; secrets had been taken out before."
)
class ModelPrompt:
    system: list[str]
    messages: list[ModelPromptMessage] = strawberry.field(
        description="In order; the last is the question, with what other branches know before it."
    )
    shared_count: int = strawberry.field(
        description="Messages from the first on that every sibling of the branch is told, too."
    )
    settled_count: int = strawberry.field(
        description="Messages from the first on that begin every later prompt of the branch."
    )
    is_exact: bool = strawberry.field(
        description="False where an earlier message has been answered anew since: then this is what "
        "would be sent today."
    )

    @classmethod
    def of(cls, inspected: Inspected) -> Self:
        prompt = inspected.prompt
        return cls(
            system=list(prompt.system),
            messages=[ModelPromptMessage.of(message) for message in prompt.messages],
            shared_count=prompt.shared,
            settled_count=prompt.settled,
            is_exact=inspected.is_exact,
        )
