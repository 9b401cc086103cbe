"""What a branch establishes: findings, summary and ranking after each answer, and dead ends in doubt."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from models.finding import Bearing, FindingKind
from services.ai.scripted import Crash, Fail, HeldTask, ScriptedProvider
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    FindingBearing,
    FoundContradiction,
    FoundFinding,
    GiveSecondOpinion,
    HypothesisRank,
)
from services.analysis import analyse_branch
from services.ids import Kind, new_id, node_id, uuid_of
from services.jobs import UNEXPECTED
from services.runtime import Runtime
from tests.client import GraphQLFailure
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import SOON, Conversation, new_question, told_with

FOUND = """
query($id: ID!) { branch(id: $id) {
  id status likelihood version analysisFailure
  contextSummary { tried concluded artifacts }
  findings { id kind claim subject evidence { position } bearings { bearing hypothesis { label } } }
  rankings { likelihood prior why nextCheck minutes }
  merges { id undoneAt mergedBy { id } undoneBy { id } findings { id } }
  session {
    eventCursor
    ruleOutMatrix { hypotheses { label } rows { finding { claim } cells } }
    revivalProposals { id state why reason reasonMessage { body } branch { label status }
      finding { claim evidence { body } } decidedBy { id } }
  }
} }
"""

CHANGES = """
subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on FindingsChanged { branch { label } findings { claim } }
  ... on BranchUpdated { branch { label } }
  ... on BranchStatusChanged { branch { label } }
  ... on RevivalProposalChanged { proposal { state branch { label } } }
  ... on FindingMergeChanged { merge { undoneAt branch { label } } }
} }
"""

PORT_IS_CLOSED = FoundFinding(
    kind=FindingKind.OBSERVED,
    claim="Port 25 is closed.",
    subject="port 25",
    evidence=[4, 3],
    bearings=[
        FindingBearing(hypothesis="H1", bearing=Bearing.CONTRADICTS),
        FindingBearing(hypothesis="H2", bearing=Bearing.EXPLAINS),
        FindingBearing(hypothesis="H9", bearing=Bearing.NEUTRAL),
    ],
)


async def found(talk: Conversation, branch: str) -> dict[str, Any]:
    return (await talk.client.run(FOUND, id=branch))["branch"]


async def asked(
    talk: Conversation, branch: str, provider: ScriptedProvider, url: str, *results: Any
) -> AnalyseBranch:
    """A question on the branch whose answer is analysed so; gives what the model was told last."""
    question = new_question()
    provider.script_task(AnalyseBranch, question, *results)
    await talk.client.answered(await talk.ask(question, branch))
    await until_idle(url, talk.people.account_id)
    return [
        task
        for task in provider.tasks
        if isinstance(task, AnalyseBranch)
        and question in [turn.text for turn in task.conversation.turns]
    ][-1]


async def changes(talk: Conversation, after: str) -> list[dict[str, Any]]:
    last = (await found(talk, talk.trunk))["session"]["eventCursor"]
    told: list[dict[str, Any]] = []
    if after == last:
        return told
    async with (
        asyncio.timeout(SOON),
        talk.client.subscribe(CHANGES, id=talk.id, after=after) as events,
    ):
        async for data in events:
            event = data["sessionChanged"]
            cursor = event.pop("cursor")
            if not event["__typename"].startswith("Message"):
                told.append(event)
            if cursor == last:
                return told
    raise AssertionError("the events ended")


# ------------------------------------------------------------------ findings and summary


async def test_an_answer_leaves_findings_a_summary_and_a_ranking(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    before = (await found(talk, dns))["session"]["eventCursor"]
    analysis = Analysis(
        tried=["telnet to port 25"],
        concluded="Nothing listens.",
        artifacts=["mx1"],
        findings=[
            PORT_IS_CLOSED,
            PORT_IS_CLOSED,
            FoundFinding(
                kind=FindingKind.CONFIRMED, claim="Out of thin air.", subject="", evidence=[99]
            ),
        ],
        ranking=[
            HypothesisRank(
                hypothesis="H1", likelihood=0.2, why="Closed.", next_check="Look.", minutes=5
            ),
            HypothesisRank(hypothesis="H7", likelihood=0.9, why="No such branch."),
        ],
    )

    task = await asked(talk, dns, provider, database_url, analysis)

    assert (task.since, task.own, task.known) == (0, "H1", ())
    assert [(facts.ref, facts.label) for facts in task.hypotheses] == [
        ("H1", "DNS"),
        ("H2", "Quota"),
    ]
    branch = await found(talk, dns)
    (finding,) = branch.pop("findings")
    assert finding.pop("id").startswith("fi_")
    assert finding == {
        "kind": "OBSERVED",
        "claim": "Port 25 is closed.",
        "subject": "port 25",
        "evidence": [{"position": 4}, {"position": 3}],
        "bearings": [
            {"bearing": "CONTRADICTS", "hypothesis": {"label": "DNS"}},
            {"bearing": "EXPLAINS", "hypothesis": {"label": "Quota"}},
        ],
    }
    assert branch["contextSummary"] == {
        "tried": ["telnet to port 25"],
        "concluded": "Nothing listens.",
        "artifacts": ["mx1"],
    }
    assert branch["likelihood"] == 0.2
    assert branch["version"] == 1, "whoever edits the branch meanwhile is not refused"
    assert branch["rankings"] == [
        {"likelihood": 0.2, "prior": None, "why": "Closed.", "nextCheck": "Look.", "minutes": 5}
    ]
    assert branch["session"]["ruleOutMatrix"] == {
        "hypotheses": [{"label": "DNS"}, {"label": "Quota"}],
        "rows": [
            {"finding": {"claim": "Port 25 is closed."}, "cells": ["CONTRADICTS", "EXPLAINS"]}
        ],
    }
    assert await changes(talk, before) == [
        {
            "__typename": "BranchStatusChanged",
            "actor": {"id": talk.people.engineer.id},
            "branch": {"label": "DNS"},
        },
        {
            "__typename": "FindingsChanged",
            "actor": None,
            "branch": {"label": "DNS"},
            "findings": [{"claim": "Port 25 is closed."}],
        },
        {"__typename": "BranchUpdated", "actor": None, "branch": {"label": "DNS"}},
    ]
    assert (await found(talk, quota))["findings"] == []


async def test_only_what_is_new_is_told_of_and_nothing_is_found_twice(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _ = await talk.fork()
    first = Analysis(findings=[PORT_IS_CLOSED])
    await asked(talk, dns, provider, database_url, first)
    middle = (await found(talk, dns))["session"]["eventCursor"]

    again = PORT_IS_CLOSED.model_copy(update={"claim": "PORT 25 IS CLOSED."})
    task = await asked(talk, dns, provider, database_url, Analysis(findings=[again]))

    assert (task.since, task.known) == (4, ("Port 25 is closed.",))
    assert len((await found(talk, dns))["findings"]) == 1
    assert await changes(talk, middle) == []


async def test_the_same_messages_are_analysed_once_however_often_it_is_tried(
    talk: Conversation,
    provider: ScriptedProvider,
    database_url: str,
    address: tuple[str, Runtime],
) -> None:
    dns, _ = await talk.fork()
    question = new_question()
    held = [HeldTask(asyncio.Event(), Analysis(findings=[PORT_IS_CLOSED])) for _ in range(2)]
    provider.script_task(AnalyseBranch, question, *held)
    await talk.client.answered(await talk.ask(question, dns))
    await held[0].reached.wait()
    second = asyncio.create_task(
        analyse_branch(address[1], talk.people.account_id, uuid_of(Kind.BRANCH, dns), last_try=True)
    )
    await held[1].reached.wait()
    for item in held:
        item.event.set()
    await second
    await until_idle(database_url, talk.people.account_id)

    assert [one["claim"] for one in (await found(talk, dns))["findings"]] == ["Port 25 is closed."]
    asked_before = len(provider.tasks)
    await analyse_branch(
        address[1], talk.people.account_id, uuid_of(Kind.BRANCH, dns), last_try=True
    )
    assert len(provider.tasks) == asked_before, "nothing new was said"


async def test_an_analysis_that_fails_loses_nothing(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _ = await talk.fork()
    await asked(talk, dns, provider, database_url, Fail("Busy."), Analysis(concluded="Second try."))
    assert (await found(talk, dns))["contextSummary"]["concluded"] == "Second try."

    before = await found(talk, dns)
    task = await asked(talk, dns, provider, database_url, *[Fail("Busy.")] * 3)
    assert task.since == 4
    assert (await found(talk, dns))["contextSummary"] == before["contextSummary"]

    task = await asked(talk, dns, provider, database_url, Analysis(findings=[PORT_IS_CLOSED]))
    assert task.since == 4
    assert len((await found(talk, dns))["findings"]) == 1


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Fail("The key is wrong.", retryable=False), "The key is wrong."),
        (Crash(), UNEXPECTED),
    ],
)
async def test_a_branch_says_why_it_was_not_analysed_until_it_is(
    talk: Conversation,
    provider: ScriptedProvider,
    database_url: str,
    failure: Fail | Crash,
    why: str,
) -> None:
    dns, quota = await talk.fork()
    before = (await found(talk, dns))["session"]["eventCursor"]
    await asked(talk, dns, provider, database_url, failure)
    assert [(await found(talk, branch))["analysisFailure"] for branch in (dns, quota)] == [
        why,
        None,
    ]
    await asked(talk, dns, provider, database_url, Analysis())
    assert (await found(talk, dns))["analysisFailure"] is None
    updated = {"__typename": "BranchUpdated", "actor": None, "branch": {"label": "DNS"}}
    assert (await changes(talk, before))[1:] == [updated, updated]


async def test_leaving_a_branch_takes_into_account_what_was_said_last(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await talk.client.mutate("switchBranch", "branch { id }", branchId=dns)
    task = await asked(talk, dns, provider, database_url, *[Fail("Busy.", retryable=False)])
    question = task.conversation.lineage[-1].turns[0].text
    provider.script_task(AnalyseBranch, question, Analysis(concluded="Left."))

    await talk.client.mutate("switchBranch", "branch { id }", branchId=quota)
    await until_idle(database_url, talk.people.account_id)

    assert (await found(talk, dns))["contextSummary"]["concluded"] == "Left."


async def test_what_one_branch_found_is_told_on_the_others(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    analysis = Analysis(
        tried=["telnet"],
        concluded="Nothing listens.",
        findings=[PORT_IS_CLOSED],
        ranking=[HypothesisRank(hypothesis="H1", likelihood=0.9, why="So it is.")],
    )
    await asked(talk, dns, provider, database_url, analysis)

    question = new_question()
    await talk.client.answered(await talk.ask(question, quota))
    (request,) = [r for r in provider.requests if r.question.text == question]
    (block,) = told_with(request)
    assert block == (
        "## Cross-Branch Context\n"
        '<untrusted source="branches">\n'
        "- **DNS** [active]: Tried: telnet. Nothing listens.\n"
        "  - Found: Port 25 is closed.\n"
        "</untrusted>"
    )
    assert "Port 25" not in repr(request.conversation)


# ------------------------------------------------------------------ nothing is missed


async def test_an_answer_that_was_retried_while_later_ones_were_analysed_is_analysed_too(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _ = await talk.fork()
    first, second = new_question(), new_question()
    provider.script(first, Fail("The key is wrong.", retryable=False), "Port 25 is closed.")
    failed = await talk.ask(first, dns)
    await talk.client.answered(failed)
    late = found_at("It rains.", 6)
    held = HeldTask(asyncio.Event(), Analysis(findings=[late]))
    closed = Analysis(findings=[found_at("Port 25 is closed.", 4)])
    provider.script_task(AnalyseBranch, second, held, closed)
    await talk.client.answered(await talk.ask(second, dns))
    await held.reached.wait()

    await talk.client.mutate("retryMessage", "reply { id }", messageId=failed)
    await talk.client.answered(failed)
    held.event.set()
    await until_idle(database_url, talk.people.account_id)

    tasks = analyses(provider, second)
    assert [task.since for task in tasks] == [0, 3]
    assert "Port 25 is closed." in [turn.text for turn in tasks[1].conversation.turns]
    claims = [finding["claim"] for finding in (await found(talk, dns))["findings"]]
    assert claims == ["It rains.", "Port 25 is closed."], "what was paid for is kept"


def found_at(claim: str, position: int) -> FoundFinding:
    return FoundFinding(kind=FindingKind.OBSERVED, claim=claim, subject="", evidence=[position])


def analyses(provider: ScriptedProvider, question: str) -> list[AnalyseBranch]:
    """Those that were told of the question."""
    return [
        task
        for task in provider.tasks
        if isinstance(task, AnalyseBranch)
        and question in [turn.text for turn in task.conversation.turns]
    ]


async def test_however_much_is_found_is_kept(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await talk.client.answered(await talk.ask(new_question(), dns))
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=dns,
        status="DEAD_END",
        reason="Port 25 is open.",
        expectedVersion=1,
    )
    doubt = FoundContradiction(hypothesis="H1", finding=24, why="It was open before.")
    claims = [f"Fact {number}." for number in range(25)]
    findings = [found_at(claim, 3) for claim in claims]
    await asked(
        talk,
        quota,
        provider,
        database_url,
        Analysis(findings=findings, contradictions=[doubt]),
    )
    branch = await found(talk, quota)
    assert [finding["claim"] for finding in branch["findings"]] == claims
    (proposal,) = branch["session"]["revivalProposals"]
    assert proposal["finding"]["claim"] == "Fact 24."


async def test_a_long_conversation_is_analysed_in_portions(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _ = await talk.fork()
    questions = [new_question() for _ in range(5)]
    for question in questions:
        provider.script_task(AnalyseBranch, question, Fail("The key is wrong.", retryable=False))
        await talk.client.answered(await talk.ask(question, dns))
        await until_idle(database_url, talk.people.account_id)
    before = len(analyses(provider, questions[0]))

    await asked(talk, dns, provider, database_url, Analysis())

    tasks = analyses(provider, questions[0])[before:]
    ends = [max(turn.position for turn in task.conversation.turns) for task in tasks]
    assert [(task.since, end) for task, end in zip(tasks, ends, strict=True)] == [
        (0, 12),
        (12, 14),
    ]


# ------------------------------------------------------------------ rankings


def ranked(likelihood: float, why: str) -> Analysis:
    return Analysis(ranking=[HypothesisRank(hypothesis="H1", likelihood=likelihood, why=why)])


HISTORY = ("prior", "likelihood", "why")


async def history(talk: Conversation, branch: str) -> list[tuple[Any, ...]]:
    rankings = (await found(talk, branch))["rankings"]
    return [tuple(ranking[name] for name in HISTORY) for ranking in rankings]


async def test_of_two_branches_that_rank_at_once_the_second_knows_what_the_first_said(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    branches = await talk.fork()
    questions = [new_question(), new_question()]
    first = HeldTask(asyncio.Event(), ranked(0.1, "Seldom."))
    provider.script_task(AnalyseBranch, questions[0], first)
    provider.script_task(AnalyseBranch, questions[1], ranked(0.8, "Often."))
    await talk.client.answered(await talk.ask(questions[0], branches[0]))
    await first.reached.wait()
    await talk.client.answered(await talk.ask(questions[1], branches[1]))
    assert analyses(provider, questions[1]) == []
    first.event.set()
    await until_idle(database_url, talk.people.account_id)

    assert await history(talk, branches[0]) == [(None, 0.1, "Seldom."), (0.1, 0.8, "Often.")]
    (task,) = analyses(provider, questions[1])
    assert [facts.likelihood for facts in task.hypotheses] == [0.1, None]


async def test_a_ranking_by_who_did_not_know_the_last_one_is_dropped(
    talk: Conversation, provider: ScriptedProvider, database_url: str, runtime: Runtime
) -> None:
    """A worker that was paused comes back with what it made of an older view."""
    branches = await talk.fork()
    questions = [new_question(), new_question()]
    stale = ranked(0.8, "Often.").model_copy(update={"findings": [found_at("It rains.", 3)]})
    paused = HeldTask(asyncio.Event(), stale)
    provider.script_task(AnalyseBranch, questions[0], paused)
    provider.script_task(AnalyseBranch, questions[1], ranked(0.1, "Seldom."))
    await talk.client.answered(await talk.ask(questions[0], branches[0]))
    await paused.reached.wait()
    await talk.client.answered(await talk.ask(questions[1], branches[1]))
    account = talk.people.account_id
    await analyse_branch(runtime, account, uuid_of(Kind.BRANCH, branches[1]), last_try=True)
    paused.event.set()
    await until_idle(database_url, account)

    assert await history(talk, branches[0]) == [(None, 0.1, "Seldom.")]
    branch = await found(talk, branches[0])
    assert branch["likelihood"] == 0.1
    assert [finding["claim"] for finding in branch["findings"]] == ["It rains."]


# ------------------------------------------------------------------ findings that no longer hold

HOLDS = "query($id: ID!) { branch(id: $id) { findings { claim withdrawnAt } } }"
VERSION = "query($id: ID!) { session(id: $id) { version } }"
SEARCH = """
query($words: String!) { sessions(first: 5, filter: { search: $words }) { edges { node { id } } } }
"""


async def test_a_withdrawn_finding_stays_in_the_list_and_is_told_to_nobody_who_reasons(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, finding = await with_finding(talk, provider, database_url)
    rain = PORT_IS_CLOSED.model_copy(update={"claim": "It rains.", "bearings": []})
    await asked(
        talk,
        dns,
        provider,
        database_url,
        Analysis(concluded="Wet.", tried=["Look"], findings=[rain]),
    )
    await talk.client.mutate("mergeFindings", "merge { id }", branchId=quota, findingIds=[finding])
    before = (await found(talk, dns))["session"]["eventCursor"]
    again = PORT_IS_CLOSED.model_copy(update={"claim": "Port 25 answers."})

    task = await asked(
        talk, dns, provider, database_url, Analysis(withdrawn=[1, 1, 0, 7], findings=[again])
    )

    assert task.known == ("Port 25 is closed.", "It rains.")
    listed = (await talk.client.run(HOLDS, id=dns))["branch"]["findings"]
    assert [(one["claim"], one["withdrawnAt"] is None) for one in listed] == [
        ("Port 25 is closed.", False),
        ("It rains.", True),
        ("Port 25 answers.", True),
    ]
    told = await changes(talk, before)
    assert told == [
        {
            "__typename": "FindingsChanged",
            "actor": None,
            "branch": {"label": "DNS"},
            "findings": [{"claim": "Port 25 answers."}, {"claim": "Port 25 is closed."}],
        },
        {"__typename": "BranchUpdated", "actor": None, "branch": {"label": "DNS"}},
    ]
    branch = await found(talk, dns)
    assert branch["contextSummary"] is None, "what it told rested on what was withdrawn"
    (row,) = branch["session"]["ruleOutMatrix"]["rows"]
    assert row["finding"] == {"claim": "Port 25 answers."}
    blocks = "".join(await volatile_of(talk, quota, provider))
    assert "Port 25 is closed." not in blocks
    assert "Port 25 answers." in blocks
    compared = await talk.client.run(COMPARE, left=dns, right=quota)
    assert [one["claim"] for one in compared["branch"]["compareWith"]["left"]["findings"]] == [
        "It rains.",
        "Port 25 answers.",
    ]
    hits = await talk.client.run(SEARCH, words="closed port")
    assert hits["sessions"]["edges"] == []
    await talk.client.mutate("undoFindingMerge", "merge { id }", mergeId=await _merge(talk, quota))
    refusal = await refused(
        talk, database_url, "mergeFindings", branchId=quota, findingIds=[finding]
    )
    assert refusal["fields"] == [{"path": ["findingIds", "0"], "message": "Was withdrawn."}]
    await talk.client.mutate("requestSecondOpinion", "secondOpinion { id }", sessionId=talk.id)
    await until_idle(database_url, talk.people.account_id)
    told_of = [t.observations for t in provider.tasks if isinstance(t, GiveSecondOpinion)]
    assert told_of[-1] == ("It rains.", "Port 25 answers.")

    solved = await talk.client.mutate(
        "resolveSession",
        "session { status }",
        sessionId=talk.id,
        summary="The firewall was mended.",
        expectedVersion=(await talk.client.run(VERSION, id=talk.id))["session"]["version"],
    )
    assert solved["session"] == {"status": "RESOLVED"}
    async with as_owner(database_url) as db:
        words = await db.execute(
            text("SELECT words::text FROM resolved_sessions WHERE session_id = :id"),
            {"id": uuid_of(Kind.SESSION, talk.id)},
        )
        known = words.scalar_one()
    assert "'rain'" in known
    assert "'close'" not in known, "sessions like this one are not found by what was wrong"


async def _merge(talk: Conversation, branch: str) -> str:
    return str((await found(talk, branch))["merges"][0]["id"])


async def test_what_a_withdrawn_finding_put_in_doubt_is_no_longer_proposed(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, proposal = await doubted(talk, provider, database_url)
    before = (await found(talk, dns))["session"]["eventCursor"]

    await asked(talk, quota, provider, database_url, Analysis(withdrawn=[1]))

    (settled,) = (await found(talk, dns))["session"]["revivalProposals"]
    assert (settled["state"], settled["decidedBy"]) == ("DISMISSED", None)
    assert settled["branch"]["status"] == "DEAD_END"
    assert [event["__typename"] for event in await changes(talk, before)] == [
        "RevivalProposalChanged",
        "FindingsChanged",
    ]
    again = await refused(talk, database_url, "acceptRevivalProposal", proposalId=proposal["id"])
    assert again["from"] == "DISMISSED"


async def test_what_was_withdrawn_can_be_found_again(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, _, _ = await with_finding(talk, provider, database_url)
    gone = Analysis(withdrawn=[1], findings=[PORT_IS_CLOSED])
    for _ in range(2):
        await asked(talk, dns, provider, database_url, gone)

    listed = (await talk.client.run(HOLDS, id=dns))["branch"]["findings"]
    assert [one["withdrawnAt"] is None for one in listed] == [False, False, True]
    assert {one["claim"] for one in listed} == {"Port 25 is closed."}


# ------------------------------------------------------------------ dead ends in doubt


async def doubted(
    talk: Conversation, provider: ScriptedProvider, url: str
) -> tuple[str, str, dict[str, Any]]:
    """A dead end that a finding on its sibling has put in doubt: both, and the proposal."""
    dns, quota = await talk.fork()
    await talk.client.answered(await talk.ask(new_question(), dns))
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=dns,
        status="DEAD_END",
        reason="Port 25 is open.",
        expectedVersion=1,
    )
    doubt = FoundContradiction(hypothesis="H1", finding=0, why="It was open before the reboot.")
    solved = doubt.model_copy(update={"hypothesis": "H2"})
    nowhere = doubt.model_copy(update={"finding": 5})
    await asked(
        talk,
        quota,
        provider,
        url,
        Analysis(findings=[PORT_IS_CLOSED], contradictions=[doubt, doubt, solved, nowhere]),
    )
    (proposal,) = (await found(talk, dns))["session"]["revivalProposals"]
    return dns, quota, proposal


async def test_a_contradicted_dead_end_is_proposed_for_revival_with_both_messages(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, proposal = await doubted(talk, provider, database_url)

    said = [message["body"] for message in await talk.messages(quota)]
    last_on_dns = (await talk.messages(dns))[-1]["body"]
    assert proposal.pop("id").startswith("rp_")
    assert proposal == {
        "state": "OPEN",
        "why": "It was open before the reboot.",
        "reason": "Port 25 is open.",
        "reasonMessage": {"body": last_on_dns},
        "branch": {"label": "DNS", "status": "DEAD_END"},
        "finding": {
            "claim": "Port 25 is closed.",
            "evidence": [{"body": said[1]}, {"body": said[0]}],
        },
        "decidedBy": None,
    }


async def test_what_one_message_says_twice_is_proposed_once(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, first = await doubted(talk, provider, database_url)
    doubt = FoundContradiction(hypothesis="H1", finding=0, why="Said again.")
    other = PORT_IS_CLOSED.model_copy(update={"claim": "Nothing answers on port 25."})
    before = (await found(talk, dns))["session"]["eventCursor"]

    # The messages 3 and 4 again: in other words, and then as part of a later finding.
    for claim, evidence in (("Nothing answers.", [4]), ("Port 25 is shut.", [6, 3])):
        again = other.model_copy(update={"claim": claim, "evidence": evidence})
        await asked(
            talk, quota, provider, database_url, Analysis(findings=[again], contradictions=[doubt])
        )
    proposals = (await found(talk, dns))["session"]["revivalProposals"]
    assert [one["id"] for one in proposals] == [first["id"]]
    assert {event["__typename"] for event in await changes(talk, before)} == {"FindingsChanged"}

    later = other.model_copy(update={"claim": "Port 25 stays shut.", "evidence": [10]})
    twice = later.model_copy(update={"claim": "It stays shut."})
    await asked(
        talk,
        quota,
        provider,
        database_url,
        Analysis(
            findings=[later, twice],
            contradictions=[doubt, doubt.model_copy(update={"finding": 1})],
        ),
    )
    proposals = (await found(talk, dns))["session"]["revivalProposals"]
    assert [one["finding"]["claim"] for one in proposals] == [
        "Port 25 stays shut.",
        "Port 25 is closed.",
    ]


async def test_an_accepted_proposal_revives_the_branch_and_cannot_be_decided_again(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, proposal = await doubted(talk, provider, database_url)
    before = (await found(talk, dns))["session"]["eventCursor"]

    accepted = await talk.client.mutate(
        "acceptRevivalProposal",
        "proposal { state decidedBy { id } } session { id } branch { status statusReason "
        "revivals { description evidenceFrom { id } evidence { position } } }",
        proposalId=proposal["id"],
    )

    because = "Port 25 is closed. It was open before the reboot."
    assert accepted == {
        "__typename": "AcceptRevivalProposalSuccess",
        "proposal": {"state": "ACCEPTED", "decidedBy": {"id": talk.people.engineer.id}},
        "session": {"id": talk.id},
        "branch": {
            "status": "REVIVED",
            "statusReason": because,
            "revivals": [
                {
                    "description": because,
                    "evidenceFrom": {"id": quota},
                    "evidence": [{"position": 4}, {"position": 3}],
                }
            ],
        },
    }
    assert [event["__typename"] for event in await changes(talk, before)] == [
        "RevivalProposalChanged",
        "BranchStatusChanged",
    ]
    for verb in ("acceptRevivalProposal", "dismissRevivalProposal"):
        again = await refused(talk, database_url, verb, proposalId=proposal["id"])
        assert (again["from"], again["allowed"]) == ("ACCEPTED", [])


async def test_a_dismissed_proposal_leaves_the_dead_end(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, _, proposal = await doubted(talk, provider, database_url)

    dismissed = await talk.client.mutate(
        "dismissRevivalProposal",
        "proposal { state branch { status } }",
        proposalId=proposal["id"],
    )

    assert dismissed["proposal"] == {"state": "DISMISSED", "branch": {"status": "DEAD_END"}}
    again = await refused(talk, database_url, "acceptRevivalProposal", proposalId=proposal["id"])
    assert again["from"] == "DISMISSED"


async def test_reviving_by_hand_settles_what_was_proposed(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, _ = await doubted(talk, provider, database_url)

    await talk.client.mutate(
        "reviveBranch",
        "branch { id }",
        branchId=dns,
        evidenceFromBranchId=quota,
        evidenceMessageIds=[],
        description="I looked again.",
    )

    (proposal,) = (await found(talk, dns))["session"]["revivalProposals"]
    assert (proposal["state"], proposal["branch"]["status"]) == ("DISMISSED", "REVIVED")


async def test_of_those_who_decide_at_once_one_does(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, _, proposal = await doubted(talk, provider, database_url)
    verbs = ["acceptRevivalProposal", "dismissRevivalProposal"] * 2
    results = await asyncio.gather(
        *(
            talk.client.mutate(verb, "proposal { state }", proposalId=proposal["id"])
            for verb in verbs
        )
    )
    refusals = [result for result in results if result["__typename"] == "InvalidTransitionError"]
    assert len(refusals) == len(results) - 1


async def refused(talk: Conversation, url: str, verb: str, **given: Any) -> dict[str, Any]:
    """How a verb is refused, once nothing has changed and nothing was published."""
    account = talk.people.account_id
    async with as_owner(url) as db:
        before = await snapshot(db, account), await event_seq(db, account)
    result = await talk.client.mutate(verb, "__typename", **given)
    async with as_owner(url) as db:
        assert (await snapshot(db, account), await event_seq(db, account)) == before
    assert result["__typename"].endswith("Error")
    return result


# ------------------------------------------------------------------ merges


async def with_finding(
    talk: Conversation, provider: ScriptedProvider, url: str
) -> tuple[str, str, str]:
    """Two branches, and the finding of the first."""
    dns, quota = await talk.fork()
    await asked(talk, dns, provider, url, Analysis(findings=[PORT_IS_CLOSED]))
    return dns, quota, (await found(talk, dns))["findings"][0]["id"]


async def volatile_of(talk: Conversation, branch: str, provider: ScriptedProvider) -> list[str]:
    question = new_question()
    await talk.client.answered(await talk.ask(question, branch))
    (request,) = [r for r in provider.requests if r.question.text == question]
    return told_with(request)


async def test_merged_findings_are_told_on_the_branch_until_they_are_taken_back(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, quota, finding = await with_finding(talk, provider, database_url)
    said = await talk.messages(quota)
    before = (await found(talk, quota))["session"]["eventCursor"]

    merged = await talk.client.mutate(
        "mergeFindings",
        "merge { id findings { id } mergedBy { id } undoneAt } branch { id }",
        branchId=quota,
        findingIds=[finding],
    )

    merge = merged["merge"]["id"]
    me = {"id": talk.people.engineer.id}
    assert merged["branch"] == {"id": quota}
    assert merged["merge"] == {
        "id": merge,
        "findings": [{"id": finding}],
        "mergedBy": me,
        "undoneAt": None,
    }
    assert await talk.messages(quota) == said
    assert (await volatile_of(talk, quota, provider))[0] == (
        "## Findings Brought In\n"
        '<untrusted source="findings of other branches">\n'
        "- **DNS**: Port 25 is closed.\n"
        "</untrusted>"
    )

    await talk.client.mutate("undoFindingMerge", "merge { id }", mergeId=merge)

    (kept,) = (await found(talk, quota))["merges"]
    assert kept.pop("undoneAt") is not None
    assert kept == {"id": merge, "mergedBy": me, "undoneBy": me, "findings": [{"id": finding}]}
    assert "Brought In" not in "".join(await volatile_of(talk, quota, provider))
    kinds = [event["__typename"] for event in await changes(talk, before)]
    assert kinds == ["FindingMergeChanged", "BranchStatusChanged", "FindingMergeChanged"]
    again = await refused(talk, database_url, "undoFindingMerge", mergeId=merge)
    assert (again["__typename"], again["from"]) == ("InvalidTransitionError", "UNDONE")


async def test_a_merge_is_made_once_for_its_key_and_a_finding_once_for_its_branch(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, finding = await with_finding(talk, provider, database_url)
    given = {"branchId": quota, "findingIds": [finding], "idempotencyKey": str(uuid4())}
    made = await asyncio.gather(
        *(talk.client.mutate("mergeFindings", "merge { id }", **given) for _ in range(3))
    )
    assert len({result["merge"]["id"] for result in made}) == 1
    for branch in (quota, dns):
        known = await refused(
            talk, database_url, "mergeFindings", branchId=branch, findingIds=[finding]
        )
        assert known["fields"] == [
            {"path": ["findingIds", "0"], "message": "Is on this branch already."}
        ]


async def test_only_findings_of_the_session_can_be_merged_into_an_open_branch(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    _, quota, finding = await with_finding(talk, provider, database_url)
    for ids, path in (([], ["findingIds"]), ([finding, finding], ["findingIds"])):
        wrong = await refused(talk, database_url, "mergeFindings", branchId=quota, findingIds=ids)
        assert [field["path"] for field in wrong["fields"]] == [path]
    unknown = node_id(Kind.FINDING, new_id())
    missing = await refused(
        talk, database_url, "mergeFindings", branchId=quota, findingIds=[finding, unknown]
    )
    assert (missing["__typename"], missing["id"]) == ("NotFoundError", unknown)
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota,
        status="DEAD_END",
        reason="Plenty of room.",
        expectedVersion=1,
    )
    await until_idle(database_url, talk.people.account_id)
    closed = await refused(
        talk, database_url, "mergeFindings", branchId=quota, findingIds=[finding]
    )
    assert (closed["__typename"], closed["from"]) == ("InvalidTransitionError", "DEAD_END")


# ------------------------------------------------------------------ comparison

COMPARE = """
query($left: ID!, $right: ID!) { branch(id: $left) { compareWith(branchId: $right) {
  commonAncestor { id }
  left { branch { id } messageCount findings { claim } summary { concluded } }
  right { branch { id } messageCount findings { claim } summary { concluded } }
} } }
"""


async def test_two_branches_are_compared_from_where_they_parted(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota, _ = await with_finding(talk, provider, database_url)
    await asked(talk, quota, provider, database_url, Analysis(concluded="Plenty of room."))
    await asked(
        talk,
        talk.trunk,
        provider,
        database_url,
        Analysis(findings=[PORT_IS_CLOSED.model_copy(update={"claim": "It rains."})]),
    )

    async def compared(left: str, right: str) -> dict[str, Any]:
        found = await talk.client.run(COMPARE, left=left, right=right)
        return found["branch"]["compareWith"]

    of_dns = {
        "branch": {"id": dns},
        "messageCount": 2,
        "findings": [{"claim": "Port 25 is closed."}],
        "summary": None,
    }
    of_quota = {
        "branch": {"id": quota},
        "messageCount": 2,
        "findings": [],
        "summary": {"concluded": "Plenty of room."},
    }
    of_trunk = {
        "branch": {"id": talk.trunk},
        "messageCount": 2,
        "findings": [{"claim": "It rains."}],
        "summary": None,
    }
    ancestor = {"id": talk.trunk}
    assert await compared(dns, quota) == {
        "commonAncestor": ancestor,
        "left": of_dns,
        "right": of_quota,
    }
    assert await compared(talk.trunk, dns) == {
        "commonAncestor": ancestor,
        "left": of_trunk,
        "right": of_dns,
    }
    nothing = {**of_dns, "messageCount": 0, "findings": []}
    assert await compared(dns, dns) == {
        "commonAncestor": {"id": dns},
        "left": nothing,
        "right": nothing,
    }
    with pytest.raises(GraphQLFailure) as failure:
        await compared(dns, node_id(Kind.BRANCH, new_id()))
    assert failure.value.errors[0]["extensions"]["code"] == "NOT_FOUND"
