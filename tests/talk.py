"""A session whose intake is answered, as one engineer sees it."""

import asyncio
from typing import Any
from uuid import uuid4

from services.ai.port import TurnRequest
from services.ai.prompts import turn_prompt
from tests.client import Client
from tests.factories import Colleagues

SOON = 30
"""Seconds after which a test gives up; nothing takes so long when it works."""

EVENTS = """
subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on MessageAdded { message { id } }
  ... on MessageRestarted { message { id } }
  ... on MessageFinished { message { id } }
  ... on UploadChanged { upload { id } }
} }
"""

MESSAGES = """
query($id: ID!) { branch(id: $id) { messages { edges { node {
  id position role state body failure model usage { input output cacheRead cacheWrite }
  step { order confidence content { ... on NoteStep { text } } }
} } } } }
"""


class Conversation:
    def __init__(self, client: Client, people: Colleagues, session: dict[str, Any]) -> None:
        self.client = client
        self.people = people
        self.id: str = session["id"]
        self.trunk: str = session["rootBranch"]["id"]
        self.cursor: str = session["eventCursor"]

    async def ask(self, question: str, branch: str | None = None) -> str:
        """The id of the reply, which is pending."""
        sent = await self.client.mutate(
            "sendBranchMessage",
            "reply { id state }",
            branchId=branch or self.trunk,
            body=question,
        )
        assert sent["reply"]["state"] == "PENDING"
        return str(sent["reply"]["id"])

    async def fork(self) -> tuple[str, str]:
        forked = await self.client.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=self.id,
            reason="Two causes are possible",
            options=[
                {"label": "DNS", "description": "The MX record is wrong"},
                {"label": "Quota", "description": "The mailbox is full"},
            ],
        )
        first, second = forked["branches"]
        return first["id"], second["id"]

    async def messages(self, branch: str | None = None) -> list[dict[str, Any]]:
        found = await self.client.run(MESSAGES, id=branch or self.trunk)
        return [edge["node"] for edge in found["branch"]["messages"]["edges"]]

    async def message(self, id: str, branch: str | None = None) -> dict[str, Any]:
        return next(found for found in await self.messages(branch) if found["id"] == id)

    async def events(self, id: str) -> list[str]:
        """What was told of a message or a file so far."""
        document = "query($id: ID!) { session(id: $id) { eventCursor } }"
        now = await self.client.run(document, id=self.id)
        last = now["session"]["eventCursor"]
        told = []
        async with (
            asyncio.timeout(SOON),
            self.client.subscribe(EVENTS, id=self.id, after=self.cursor) as events,
        ):
            async for data in events:
                event = data["sessionChanged"]
                if (event.get("message") or event.get("upload") or {}).get("id") == id:
                    told.append(event["__typename"])
                if event["cursor"] == last:
                    return told
        raise AssertionError("the events ended")


def told_with(request: TurnRequest) -> list[str]:
    """What stands before the question, as a model is sent it."""
    return [part.text for part in turn_prompt(request).messages[-1].parts][:-1]


def new_question() -> str:
    """No other test asks it."""
    return f"Why {uuid4().hex}?"
