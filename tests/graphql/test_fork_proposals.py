"""What is proposed can be done: no more hypotheses than the plan has room for."""

from typing import Any

import pytest

from models.account import Plan
from services.ai.port import ForkDraft, ForkOption
from services.ai.scripted import Answer, ScriptedProvider
from services.runtime import Runtime
from tests.client import Client
from tests.factories import Colleagues, make_account
from tests.talk import new_question

THREE = ForkDraft(
    "Three causes fit.",
    (
        ForkOption("DNS", "The name is wrong.", 0.2),
        ForkOption("Quota", "The mailbox is full.", 0.5),
        ForkOption("Rule", "A rule moves it.", 0.3),
    ),
)
OFFERED = """query($id: ID!) { branch(id: $id) { messages(last: 1) { edges { node {
  body suggestedFork { reason options { label description likelihood } } } } } } }"""


class Desk:
    """An engineer of a plan with a session in which the model proposes three causes."""

    def __init__(self, client: Client, provider: ScriptedProvider, started: dict[str, Any]) -> None:
        self.client = client
        self.provider = provider
        self.session: str = started["session"]["id"]
        self.trunk: str = started["session"]["rootBranch"]["id"]

    async def proposed(self) -> dict[str, Any]:
        """What the next answer on the trunk offers."""
        question = new_question()
        self.provider.script(question, Answer("Look.", fork=THREE))
        sent = await self.client.mutate(
            "sendBranchMessage", "reply { id }", branchId=self.trunk, body=question
        )
        await self.client.answered(sent["reply"]["id"])
        (edge,) = (await self.client.run(OFFERED, id=self.trunk))["branch"]["messages"]["edges"]
        node: dict[str, Any] = edge["node"]
        return node

    async def fork(self, suggested: dict[str, Any]) -> list[dict[str, Any]]:
        taken = await self.client.mutate(
            "forkBranch", "branches { id label }", sessionId=self.session, **suggested
        )
        branches: list[dict[str, Any]] = taken["branches"]
        return branches


async def desk(client: Client, people: Colleagues, provider: ScriptedProvider) -> Desk:
    engineer = client.as_(people.engineer)
    started = await engineer.mutate(
        "startSession", "session { id rootBranch { id } } reply { id }", intake={"text": "No mail."}
    )
    await engineer.answered(started["reply"]["id"])
    return Desk(engineer, provider, started)


@pytest.mark.parametrize(
    ("plan", "labels"),
    [
        (Plan.FREE, ["Quota", "Rule"]),
        (Plan.PRO, ["DNS", "Quota", "Rule"]),
        (Plan.ENTERPRISE, ["DNS", "Quota", "Rule"]),
    ],
)
async def test_what_is_proposed_can_be_forked_unchanged(
    plan: Plan,
    labels: list[str],
    client: Client,
    runtime: Runtime,
    provider: ScriptedProvider,
    database_url: str,
) -> None:
    people = await make_account(runtime, database_url, plan)
    at = await desk(client, people, provider)

    offered = await at.proposed()

    assert [option["label"] for option in offered["suggestedFork"]["options"]] == labels
    assert offered["body"] == "Look."
    forked = await at.fork(offered["suggestedFork"])
    assert [branch["label"] for branch in forked] == labels


async def test_where_there_is_no_room_for_two_a_sentence_says_why(
    client: Client, runtime: Runtime, provider: ScriptedProvider, database_url: str
) -> None:
    people = await make_account(runtime, database_url, Plan.FREE)
    at = await desk(client, people, provider)
    first, _ = await at.fork((await at.proposed())["suggestedFork"])

    full = await at.proposed()
    await at.client.mutate(
        "archiveBranch", "branch { id }", branchId=first["id"], expectedVersion=1
    )
    one = await at.proposed()

    for offered, room in ((full, "no more hypothesis"), (one, "one more hypothesis only")):
        assert offered["suggestedFork"] is None
        assert offered["body"] == (
            f"Look.\n\nNo fork is proposed: your plan leaves room for {room} in this session. "
            "Archive a branch or take a larger plan to test causes apart."
        )
    assert [request.fork_room for request in provider.requests[-3:]] == [2, 0, 1]
