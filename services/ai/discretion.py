"""What a provider says is kept without secrets, whichever it is."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from services.ai.port import Done, Outcome, Prompt, Provider, R, Task, TextDelta, TurnRequest, Usage
from services.ai.redaction import redacted_intake, redacted_result


class Discreet:
    """Answers as the provider does, and takes secrets out of all that outlives the conversation: what a
    session takes over from its intake, and what comes of tasks. Many people see that, in lists, briefings
    and documents. An answer's text stays beside the message that told the secret.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.name = provider.name
        self.is_offline = provider.is_offline

    async def stream_turn(
        self, request: TurnRequest
    ) -> AsyncGenerator[Prompt | TextDelta | Usage | Done, None]:
        async with aclosing(self._provider.stream_turn(request)) as pieces:
            async for piece in pieces:
                yield redacted_intake(request, piece) if isinstance(piece, Done) else piece

    async def perform(self, task: Task[R]) -> Outcome[R]:
        outcome = await self._provider.perform(task)
        return replace(outcome, result=redacted_result(task, outcome.result))
