"""Sessions without a model, through the API: the playbook's answers and what they leave behind."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app import create_app
from cli import migrate
from services.ai.cards import load_cards
from services.ai.playbook import PlaybookProvider
from services.runtime import Runtime
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, UNTHROTTLED, served
from tests.factories import Colleagues, make_account
from tests.tables import until_idle

OUTLOOK = "Outlook keeps asking for the password again and again."

STATE = """
query($id: ID!) { session(id: $id) {
  problemSummary
  branches(includeArchived: false) {
    label status likelihood contextSummary { tried concluded artifacts } rankings { likelihood }
    findings { kind claim withdrawnAt }
  }
  ruleOutMatrix { rows { finding { claim } cells } }
  revivalProposals { state branch { label } finding { claim } }
  handoffs { briefing assessment { text } }
} }
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A server of its own with the playbook behind it."""

    host: str
    url: str
    runtime: Runtime


@pytest.fixture(scope="module")
async def desk(
    make_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    url = make_database("offline")
    migrate(url)
    settings = Settings(data_dir=tmp_path_factory.mktemp("offline"), secret_key=SECRET)
    app = create_app(settings, url, PlaybookProvider(load_cards()), limits=UNTHROTTLED)
    async with served(app) as host:
        yield Desk(host, url, app.state.runtime)


class Case:
    """A session at the desk, as one engineer works on it."""

    def __init__(self, desk: Desk, client: Client, people: Colleagues) -> None:
        self.desk, self.client, self.people = desk, client, people
        self.id = self.trunk = ""

    async def open(self, intake: str) -> dict[str, Any]:
        started = await self.client.mutate(
            "startSession",
            "session { id rootBranch { id } } reply { id }",
            intake={"text": intake},
        )
        self.id, self.trunk = started["session"]["id"], started["session"]["rootBranch"]["id"]
        return await self._answer(started["reply"]["id"])

    async def fork(self, options: list[dict[str, Any]]) -> list[str]:
        forked = await self.client.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=self.id,
            reason="Several causes are possible",
            options=options,
        )
        return [branch["id"] for branch in forked["branches"]]

    async def say(self, branch: str, text: str) -> str:
        """The answer, once everything that it leaves behind is there."""
        sent = await self.client.mutate(
            "sendBranchMessage", "reply { id }", branchId=branch, body=text
        )
        return str((await self._answer(sent["reply"]["id"]))["body"])

    async def _answer(self, reply: str) -> dict[str, Any]:
        await self.client.answered(reply)
        await self.settled()
        found = await self.client.run(
            "query($id: ID!) { node(id: $id) { ... on BranchMessage { body suggestedFork { "
            "options { label description likelihood } } } } }",
            id=reply,
        )
        return dict(found["node"])

    async def settled(self) -> None:
        await until_idle(self.desk.url, self.people.account_id)

    async def state(self) -> dict[str, Any]:
        return dict((await self.client.run(STATE, id=self.id))["session"])


@pytest.fixture
async def case(desk: Desk) -> AsyncIterator[Case]:
    people = await make_account(desk.runtime, desk.url)
    async with Client(desk.host) as stranger:
        yield Case(desk, stranger.as_(people.engineer), people)


# ------------------------------------------------------------------ answers that are taken back


async def test_undo_leaves_everything_as_it_was_before_the_answer(case: Case) -> None:
    first = await case.open(OUTLOOK)
    branches = await case.fork(first["suggestedFork"]["options"])
    await case.say(branches[0], "Begin.")
    before = await case.state()

    await case.say(branches[0], "no")
    weighed = await case.state()
    assert weighed["branches"][1]["likelihood"] != before["branches"][1]["likelihood"]
    assert len(weighed["ruleOutMatrix"]["rows"]) == 1

    for _ in range(2):
        await case.say(branches[0], "undo")
        after = await case.state()
        assert likelihoods(after) == likelihoods(before)
        assert after["branches"][1]["contextSummary"] == before["branches"][1]["contextSummary"]
        assert after["ruleOutMatrix"] == before["ruleOutMatrix"]
        (finding,) = after["branches"][1]["findings"]
        assert finding["withdrawnAt"] is not None

        await case.say(branches[0], "What now?")
        assert likelihoods(await case.state()) == likelihoods(before)
        await case.say(branches[0], "undo")  # there is nothing to take back

    await case.say(branches[0], "no")
    again = await case.state()
    assert likelihoods(again) == likelihoods(weighed), "the same answer counts once"
    assert [bool(one["withdrawnAt"]) for one in again["branches"][1]["findings"]] == [True, False]


async def test_after_a_changed_answer_nothing_tells_of_the_first_one(case: Case) -> None:
    first = await case.open(OUTLOOK)
    branches = await case.fork(first["suggestedFork"]["options"])
    for text in ("Begin.", "no", "undo", "yes", "undo", "no", "undo", "yes"):
        await case.say(branches[0], text)
    state = await case.state()
    holding = [
        finding["claim"]
        for finding in state["branches"][1]["findings"]
        if finding["withdrawnAt"] is None
    ]
    assert len(holding) == len(set(holding)) == 1
    assert [row["finding"]["claim"] for row in state["ruleOutMatrix"]["rows"]] == holding

    await case.client.mutate(
        "handOffSession", "handoff { id }", sessionId=case.id, intent="ESCALATE"
    )
    await case.settled()
    (handoff,) = (await case.state())["handoffs"]
    found = [line for line in handoff["briefing"].splitlines() if line.startswith("Found: ")]
    assert found == [f"Found: {claim}" for claim in holding]


async def test_answers_on_an_engineers_own_hypothesis_say_nothing_about_it(case: Case) -> None:
    await case.open(OUTLOOK)
    label = "The password is wrong because of caps lock"
    own, other = await case.fork(
        [{"label": label, "description": label}, {"label": "Caps lock", "description": "It is on"}]
    )
    for branch in (own, other):
        text = await case.say(branch, "Begin.")
        assert text.startswith("No card covers the hypothesis")
        for reply in ("no", "no", "yes"):
            assert "Check 1:" not in await case.say(branch, reply)
    state = await case.state()
    assert [branch["findings"] for branch in state["branches"]] == [[], [], []]
    assert likelihoods(state) == [None, None, None]


# ------------------------------------------------------------------ secrets

PASSWORD, KEY = "AuditSecret-9x", "AKIAIOSFODNN7EXAMPLE"


async def test_what_many_people_see_holds_no_secret_that_somebody_typed(case: Case) -> None:
    first = await case.open(f"Outlook keeps asking for the password. Password: {PASSWORD}")
    branches = await case.fork(first["suggestedFork"]["options"])
    await case.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=branches[1],
        status="DEAD_END",
        reason=f"The saved password {PASSWORD} on her laptop is correct.",
        expectedVersion=1,
    )
    await case.say(
        branches[0], f"The saved password {PASSWORD} on her laptop is not correct with {KEY}."
    )
    await case.client.mutate("requestSecondOpinion", "secondOpinion { id }", sessionId=case.id)
    await case.client.mutate(
        "handOffSession",
        "handoff { id }",
        sessionId=case.id,
        intent="ESCALATE",
        engineerNotes=f"The key is {KEY}.",
    )
    await case.settled()

    state = await case.state()
    assert state["problemSummary"] == (
        "Outlook keeps asking for the password. Password: [PASSWORD-1]"
    )
    (finding,) = state["branches"][1]["findings"]
    assert finding["claim"] == (
        "The saved password [PASSWORD-1] on her laptop is not correct with [KEY-1]."
    )
    (proposal,) = state["revivalProposals"]
    assert proposal["state"] == "OPEN"
    assert "[PASSWORD-1]" in state["handoffs"][0]["briefing"]
    assert "[KEY-1]" in state["handoffs"][0]["briefing"]
    opinion = await case.client.run(
        "query($id: ID!) { session(id: $id) { secondOpinions { state opinion { reasoning "
        "likelyCause } } steps { edges { node { content { "
        "... on IntakeAnalysisStep { summary } } } } } } }",
        id=case.id,
    )
    assert opinion["session"]["secondOpinions"][0]["state"] == "READY"
    for secret in (PASSWORD, KEY):
        assert secret not in str(state)
        assert secret not in str(opinion)


def likelihoods(state: dict[str, Any]) -> list[float | None]:
    return [branch["likelihood"] for branch in state["branches"]]
