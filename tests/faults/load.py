"""People who work while everything breaks: each writes down what was accepted, and what was heard.

They do as the documentation tells clients to: a mutation whose answer got lost is sent again with the
same key or version, to another server; a subscription that was cut goes on after its last cursor.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from websockets.exceptions import WebSocketException

from tests.client import Client, GraphQLFailure

AWAY = {"SERVICE_UNAVAILABLE", "TIMEOUT"}
"""Codes on which a client tries again."""


@dataclass
class Ledger:
    """What one account's people know to be true."""

    sessions: dict[str, str] = field(default_factory=dict)
    """What each was started with, by id."""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """Every name that a branch has had, by id; the last is its name."""
    forks: set[str] = field(default_factory=set)
    messages: dict[str, str] = field(default_factory=dict)
    replies: set[str] = field(default_factory=set)


class Persistent:
    """One person, at whichever server answers."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = clients
        self._turn = 0
        self.retries = 0

    async def mutate(self, name: str, fields: str, **input: Any) -> dict[str, Any]:
        return await self._try(lambda client: client.mutate(name, fields, **input))

    async def run(self, document: str, **variables: Any) -> dict[str, Any]:
        return await self._try(lambda client: client.run(document, **variables))

    async def _try(self, call: Callable[[Client], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        while True:
            client = self._clients[self._turn % len(self._clients)]
            try:
                return await call(client)
            except httpx.TransportError:
                pass
            except GraphQLFailure as failure:
                if failure.code not in AWAY:
                    raise
            self.retries += 1
            self._turn += 1
            await asyncio.sleep(0.05)  # as clients do


async def work(person: Persistent, name: str, ledger: Ledger, over: asyncio.Event) -> None:
    """One session after the other, each forked, its branches renamed and talked on."""
    number = 0
    while not over.is_set():
        number += 1
        branches = await open_session(person, f"{name} {number}", ledger)
        for branch in branches:
            await _rename(person, branch, f"{name} {number} {branch['label']}", ledger)
        await _talk(person, branches[0], f"What about {name} {number}?", ledger)


async def tend(
    person: Persistent, branches: Sequence[dict[str, Any]], ledger: Ledger, over: asyncio.Event
) -> None:
    """The branches of one session, renamed again and again."""
    number = 0
    while not over.is_set():
        number += 1
        for branch in branches:  # siblings may not share a name
            await _rename(person, branch, f"{branch['label']} {number}", ledger)


async def open_session(person: Persistent, intake: str, ledger: Ledger) -> list[dict[str, Any]]:
    """Its two branches; one of them may have a new version by the time the fork is answered."""
    started = await person.mutate(
        "startSession",
        "session { id } reply { id }",
        idempotencyKey=str(uuid4()),
        intake={"text": intake},
    )
    ledger.sessions[started["session"]["id"]] = intake
    ledger.replies.add(started["reply"]["id"])
    forked = await person.mutate(
        "forkBranch",
        "forkPoint { id } branches { id label version session { id } }",
        idempotencyKey=str(uuid4()),
        sessionId=started["session"]["id"],
        reason="Two causes are possible",
        options=[{"label": label, "description": "A cause"} for label in ("DNS", "Quota")],
    )
    ledger.forks.add(forked["forkPoint"]["id"])
    branches: list[dict[str, Any]] = forked["branches"]
    for branch in branches:
        ledger.labels[branch["id"]] = [branch["label"]]
    return branches


async def _talk(person: Persistent, branch: dict[str, Any], body: str, ledger: Ledger) -> None:
    sent = await person.mutate(
        "sendBranchMessage",
        "sentMessage { id } reply { id }",
        idempotencyKey=str(uuid4()),
        branchId=branch["id"],
        body=body,
    )
    ledger.messages[sent["sentMessage"]["id"]] = body
    ledger.replies.add(sent["reply"]["id"])


async def _rename(person: Persistent, branch: dict[str, Any], label: str, ledger: Ledger) -> None:
    """Nobody else renames it, so a version that is one ahead is this very change, answered unheard."""
    changed = await person.mutate(
        "renameBranch",
        "branch { version }",
        branchId=branch["id"],
        label=label,
        expectedVersion=branch["version"],
    )
    if changed["__typename"] == "StaleVersionError":
        assert changed["currentVersion"] == branch["version"] + 1
    else:
        assert changed["__typename"] == "RenameBranchSuccess", changed
    branch["version"] += 1
    ledger.labels[branch["id"]].append(label)


@dataclass
class Listener:
    """Follows one subscription from a cursor on, over any number of cuts."""

    field: str
    document: str
    variables: dict[str, Any]
    since: str
    """The cursor at which it began."""
    heard: list[tuple[str, str]] = field(default_factory=list)
    """Cursor and kind of each event."""
    after: str = ""
    cuts: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, clients: Sequence[Client], first: int) -> None:
        self.after = self.since
        turn = first
        while True:
            client = clients[turn % len(clients)]
            try:
                async with AsyncExitStack() as stack:
                    events = await stack.enter_async_context(
                        client.subscribe(self.document, after=self.after, **self.variables)
                    )
                    await self._listen(events)
            except (OSError, TimeoutError, WebSocketException):
                pass
            except GraphQLFailure as failure:
                if failure.code not in AWAY:
                    raise
            self.cuts += 1
            turn += 1
            await asyncio.sleep(0.05)  # as clients do

    async def _listen(self, events: AsyncIterator[dict[str, Any]]) -> None:
        async for data in events:
            event = data[self.field]
            if event["__typename"] == "FeedReset":
                raise AssertionError("a listener that never lags was reset")
            self.after = event["cursor"]
            self.heard.append((event["cursor"], event["__typename"]))
            self.news.set()
