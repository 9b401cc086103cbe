"""The three documents of a resolved session: written apart, resting on the record, reviewed by people."""

import asyncio
from typing import Any

import pytest

from models.finding import FindingKind
from services.ai.document_tasks import (
    ArticleDraft,
    ClientSummary,
    Sentence,
    TicketNotes,
    WriteArticle,
    WriteClientSummary,
    WriteTicketNotes,
)
from services.ai.port import Usage
from services.ai.scripted import Fail, HeldTask, ScriptedProvider
from services.ai.tasks import AnalyseBranch, Analysis, FoundFinding
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import SOON, Conversation, new_question

OUTPUT = """
  id type status content generatedContent editedContent failure generatedByModel version
  article { symptoms rootCause steps ruleOutFirst tags }
  sentences { text basis sources { id } }
  revisions { version content author { id } }
"""
OUTPUTS = f"query($id: ID!) {{ session(id: $id) {{ version resolutionOutputs {{ {OUTPUT} }} }} }}"
TOLD = """subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename ... on Event { cursor actor { id } }
  ... on ResolutionOutputChanged { output { id } } } }"""


async def outputs(talk: Conversation) -> list[dict[str, Any]]:
    found = await talk.client.run(OUTPUTS, id=talk.id)
    return list(found["session"]["resolutionOutputs"])


async def cursor(talk: Conversation) -> str:
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    return str((await talk.client.run(document, id=talk.id))["session"]["eventCursor"])


async def told(talk: Conversation, after: str) -> list[tuple[str, str | None]]:
    """The outputs that events were about since, and who did it."""
    last = await cursor(talk)
    heard: list[tuple[str, str | None]] = []
    if after == last:
        return heard
    async with (
        asyncio.timeout(SOON),
        talk.client.subscribe(TOLD, id=talk.id, after=after) as events,
    ):
        async for data in events:
            event = data["sessionChanged"]
            if "output" in event:
                heard.append((event["output"]["id"], event["actor"] and event["actor"]["id"]))
            if event["cursor"] == last:
                return heard
    raise AssertionError("the events ended")


async def resolve(talk: Conversation, **more: Any) -> dict[str, Any]:
    version = (await talk.client.run(OUTPUTS, id=talk.id))["session"]["version"]
    return await talk.client.mutate(
        "resolveSession",
        "session { id } outputs { id type status content }",
        sessionId=talk.id,
        summary="The MX record was set to the new server.",
        expectedVersion=version,
        **more,
    )


async def drafted(talk: Conversation, database_url: str) -> list[dict[str, Any]]:
    await resolve(talk)
    await until_idle(database_url, talk.people.account_id)
    return await outputs(talk)


async def review(talk: Conversation, verb: str, output: dict[str, Any], **more: Any) -> Any:
    return await talk.client.mutate(
        f"{verb}ResolutionOutput",
        f"output {{ {OUTPUT} }}",
        outputId=output["id"],
        expectedVersion=output["version"],
        **more,
    )


async def test_documents_rest_on_the_whole_tree(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    asked = new_question()
    provider.script_task(
        AnalyseBranch,
        asked,
        Analysis(
            findings=[
                FoundFinding(
                    kind=FindingKind.RULED_OUT, claim="12 GB are free.", subject="", evidence=[3]
                )
            ]
        ),
    )
    await talk.client.answered(await talk.ask(asked, quota))
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota,
        status="DEAD_END",
        reason="The mailbox is half empty.",
        expectedVersion=1,
    )
    last = new_question()
    await talk.client.answered(await talk.ask(last, dns))
    await until_idle(database_url, talk.people.account_id)
    intake, _, on_dns, _ = [m["id"] for m in await lineage(talk, dns)]
    on_quota = (await lineage(talk, quota))[2]["id"]
    provider.script_task(
        WriteArticle,
        last,
        ArticleDraft(
            title="Mail does not arrive",
            symptoms=[Sentence(text="No mail arrives.", sources=["M1"])],
            root_cause=[
                Sentence(text="The MX record was wrong.", sources=["H1", "M3"]),
                Sentence(text="It had error 0x80070005.", sources=["M1"]),
            ],
            steps=[Sentence(text="Set the record.", sources=["R"])],
            rule_out_first=[Sentence(text="It was the firewall.", sources=["M1"])],
            tags=["mail"],
        ),
    )
    provider.script_task(
        WriteTicketNotes,
        last,
        TicketNotes(diagnostic_steps=[Sentence(text="12 GB were free.", sources=["F1"])]),
    )
    before = await cursor(talk)
    resolved = await resolve(talk, solvedBranchId=dns)
    await until_idle(database_url, talk.people.account_id)
    assert [(o["type"], o["status"], o["content"]) for o in resolved["outputs"]] == [
        ("PSA_TICKET_NOTES", "GENERATING", None),
        ("KNOWLEDGE_BASE", "GENERATING", None),
        ("CLIENT_SUMMARY", "GENERATING", None),
    ]
    notes, article, summary = await outputs(talk)
    ids = [notes["id"], article["id"], summary["id"]]
    assert [o["status"] for o in (notes, article, summary)] == ["DRAFT"] * 3
    assert [(o["generatedByModel"], o["version"]) for o in (notes, article)] == [
        ("scripted", 1)
    ] * 2
    engineer = talk.people.engineer.id
    heard = await told(talk, before)
    assert heard[:3] == [(id, engineer) for id in ids]
    assert sorted(heard[3:]) == sorted((id, None) for id in ids)

    task = next(
        t for t in provider.tasks if isinstance(t, WriteArticle) and last in repr(t.conversation)
    )
    case = task.case
    assert (case.resolution, case.solved_by) == ("The MX record was set to the new server.", "H1")
    assert [(f.ref, f.branch, f.claim) for f in case.findings] == [
        ("F1", "Quota", "12 GB are free.")
    ]
    assert [(h.ref, h.status.name, h.reason) for h in case.hypotheses] == [
        ("H1", "SOLVED", "The MX record was set to the new server."),
        ("H2", "DEAD_END", "The mailbox is half empty."),
    ]
    assert article["article"] == {
        "symptoms": ["No mail arrives."],
        "rootCause": "The MX record was wrong. It had error 0x80070005.",
        "steps": ["Set the record."],
        "ruleOutFirst": ["It was the firewall.", "Quota: The mailbox is half empty."],
        "tags": ["mail"],
    }
    assert [
        (s["text"], s["basis"], [m["id"] for m in s["sources"]]) for s in article["sentences"]
    ] == [
        ("No mail arrives.", "MESSAGES", [intake]),
        ("The MX record was wrong.", "MESSAGES", [on_dns]),
        ("It had error 0x80070005.", "NONE", []),
        ("Set the record.", "RESOLUTION_SUMMARY", []),
        ("It was the firewall.", "NONE", []),
        ("Quota: The mailbox is half empty.", "BRANCH_STATUS", [on_quota]),
    ]
    assert [(s["text"], s["basis"]) for s in notes["sentences"]] == [
        ("The problem was not recorded.", "ABSENCE"),
        ("12 GB were free.", "MESSAGES"),
        ("The resolution was not recorded.", "ABSENCE"),
        ("No recommendations were recorded.", "ABSENCE"),
    ]
    assert notes["sentences"][1]["sources"] == [{"id": on_quota}]
    assert notes["article"] is None
    assert article["revisions"] == [{"version": 1, "content": article["content"], "author": None}]


async def lineage(talk: Conversation, branch: str) -> list[dict[str, Any]]:
    document = """query($id: ID!) { branch(id: $id) { messages(scope: LINEAGE) {
      edges { node { id } } } } }"""
    found = await talk.client.run(document, id=branch)
    return [edge["node"] for edge in found["branch"]["messages"]["edges"]]


async def test_a_dead_end_that_was_left_out_is_told_without_its_secrets(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota,
        status="DEAD_END",
        reason="Signed in with the password: hunter2-secret and saw 12 GB free.",
        expectedVersion=1,
    )
    last = new_question()
    await talk.client.answered(await talk.ask(last, dns))
    await until_idle(database_url, talk.people.account_id)
    provider.script_task(WriteArticle, last, ArticleDraft(title="Mail does not arrive"))
    await resolve(talk, solvedBranchId=dns)
    await until_idle(database_url, talk.people.account_id)
    _, article, _ = await outputs(talk)
    (ruled_out,) = article["article"]["ruleOutFirst"]
    assert "Signed in with the password: [PASSWORD-1] and saw 12 GB free." in ruled_out
    assert "hunter2" not in article["content"]


async def test_one_that_fails_leaves_the_others_and_is_asked_for_again_alone(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    last = new_question()
    await talk.client.answered(await talk.ask(last))
    provider.script_task(
        WriteArticle, last, Fail("The model refused.", retryable=False), ArticleDraft(title="Again")
    )
    notes, article, summary = await drafted(talk, database_url)
    assert [o["status"] for o in (notes, article, summary)] == ["DRAFT", "FAILED", "DRAFT"]
    assert (article["failure"], article["content"], article["revisions"]) == (
        "The model refused.",
        None,
        [],
    )
    before = await cursor(talk)
    asked = await review(talk, "regenerate", article)
    await until_idle(database_url, talk.people.account_id)
    assert (asked["output"]["status"], asked["output"]["failure"]) == ("GENERATING", None)
    again = await outputs(talk)
    assert [again[0], again[2]] == [notes, summary]
    assert (again[1]["status"], again[1]["version"]) == ("DRAFT", 2)
    assert again[1]["content"].startswith("# Again")
    assert [who for _, who in await told(talk, before)] == [talk.people.engineer.id, None]


async def test_a_fault_that_passes_is_tried_again(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    last = new_question()
    await talk.client.answered(await talk.ask(last))
    summary = ClientSummary(what_happened=[Sentence(text="It failed.", sources=["M1"])])
    provider.script_task(WriteClientSummary, last, Fail("Busy."), Fail("Busy."), summary)
    *_, third = await drafted(talk, database_url)
    assert (third["status"], third["failure"]) == ("DRAFT", None)
    assert third["content"] == "It failed.\n\nWhat was done was not recorded."


async def test_an_edit_wins_and_outlives_what_is_written_anew(
    talk: Conversation, database_url: str
) -> None:
    notes, *_ = await drafted(talk, database_url)
    text = "## Problem\n\nThe problem was not recorded. Somebody says it was the weather."
    edited = (await review(talk, "edit", notes, content=f"  {text}\n"))["output"]
    assert (edited["content"], edited["editedContent"]) == (text, text)
    assert (edited["generatedContent"], edited["version"]) == (notes["content"], 2)
    assert [(s["text"], s["basis"]) for s in edited["sentences"]] == [
        ("The problem was not recorded.", "ABSENCE"),
        ("Somebody says it was the weather.", "NONE"),
    ]
    await review(talk, "regenerate", edited)
    await until_idle(database_url, talk.people.account_id)
    again, *_ = await outputs(talk)
    assert (again["content"], again["editedContent"], again["version"]) == (
        notes["content"],
        None,
        3,
    )
    engineer = {"id": talk.people.engineer.id}
    assert [(r["version"], r["content"], r["author"]) for r in again["revisions"]] == [
        (3, notes["content"], None),
        (2, text, engineer),
        (1, notes["content"], None),
    ]
    document = """query($id: ID!, $old: Int!, $new: Int!) { node(id: $id) {
      ... on ResolutionOutput { diff(fromVersion: $old, toVersion: $new) { change text } } } }"""
    found = await talk.client.run(document, id=notes["id"], old=2, new=3)
    lines = [(line["change"], line["text"]) for line in found["node"]["diff"]]
    assert lines[:5] == [
        ("SAME", "## Problem"),
        ("SAME", ""),
        ("REMOVED", "The problem was not recorded. Somebody says it was the weather."),
        ("ADDED", "The problem was not recorded."),
        ("ADDED", ""),
    ]
    answer = (await talk.client.post(document, {"id": notes["id"], "old": 7, "new": 3})).json()
    assert [e["message"] for e in answer["errors"]] == ["fromVersion: There is no such revision."]


async def test_a_draft_is_approved_or_rejected_and_an_edit_makes_it_one_again(
    talk: Conversation, database_url: str
) -> None:
    notes, article, _ = await drafted(talk, database_url)
    before = await cursor(talk)
    approved = (await review(talk, "approve", notes))["output"]
    rejected = (await review(talk, "reject", article))["output"]
    assert (approved["status"], approved["version"]) == ("APPROVED", 2)
    assert (rejected["status"], rejected["version"]) == ("REJECTED", 2)
    assert [kind for kind, _ in await told(talk, before)] == [notes["id"], article["id"]]
    again = (await review(talk, "edit", approved, content="Shorter."))["output"]
    assert (again["status"], again["content"], again["version"]) == ("DRAFT", "Shorter.", 3)
    once_more = (await review(talk, "edit", rejected, content="Better."))["output"]
    assert once_more["status"] == "DRAFT"


async def refused(
    talk: Conversation, database_url: str, client: Client, verb: str, **given: Any
) -> dict[str, Any]:
    """The refusal, which changes nothing and is told to nobody."""
    async with as_owner(database_url) as db:
        before = await snapshot(db, talk.people.account_id)
        seq = await event_seq(db, talk.people.account_id)
    answer = await client.mutate(f"{verb}ResolutionOutput", "__typename", **given)
    async with as_owner(database_url) as db:
        assert await snapshot(db, talk.people.account_id) == before
        assert await event_seq(db, talk.people.account_id) == seq
    return answer


async def test_the_lifecycle_refuses_the_rest(talk: Conversation, database_url: str) -> None:
    notes, article, _ = await drafted(talk, database_url)
    approved = (await review(talk, "approve", notes))["output"]
    rejected = (await review(talk, "reject", article))["output"]
    for verb, output, allowed in (
        ("approve", approved, ["DRAFT", "GENERATING", "PUSHED"]),
        ("reject", approved, ["DRAFT", "GENERATING", "PUSHED"]),
        ("approve", rejected, ["DRAFT", "GENERATING"]),
    ):
        given = {"outputId": output["id"], "expectedVersion": output["version"]}
        answer = await refused(talk, database_url, talk.client, verb, **given)
        assert answer["__typename"] == "InvalidTransitionError"
        assert (answer["from"], answer["allowed"]) == (output["status"], allowed)


@pytest.mark.parametrize("verb", ["approve", "reject", "edit", "regenerate"])
async def test_who_may_not_and_who_came_late(
    talk: Conversation, client: Client, strangers: Colleagues, database_url: str, verb: str
) -> None:
    notes, *_ = await drafted(talk, database_url)
    given: dict[str, Any] = {"outputId": notes["id"], "expectedVersion": notes["version"]}
    if verb == "edit":
        given["content"] = "Mine."
    others = client.as_(talk.people.engineer2)
    answer = await refused(talk, database_url, others, verb, **given)
    assert answer["__typename"] == "PermissionDeniedError"
    answer = await refused(talk, database_url, client.as_(strangers.admin), verb, **given)
    assert (answer["__typename"], answer["id"]) == ("NotFoundError", notes["id"])
    given["expectedVersion"] = 9
    answer = await refused(talk, database_url, talk.client, verb, **given)
    assert (answer["__typename"], answer["currentVersion"]) == ("StaleVersionError", 1)


async def test_nothing_is_edited_or_judged_while_it_is_written(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    last = new_question()
    await talk.client.answered(await talk.ask(last))
    held = HeldTask(asyncio.Event(), ArticleDraft(title="Late"))
    provider.script_task(WriteArticle, last, held, ArticleDraft(title="Newer"))
    await resolve(talk)
    async with asyncio.timeout(SOON):
        await held.reached.wait()
    _, article, _ = await outputs(talk)
    for verb, more in (("edit", {"content": "Mine."}), ("approve", {}), ("reject", {})):
        answer = await review(talk, verb, article, **more)
        assert (answer["__typename"], answer["from"]) == ("InvalidTransitionError", "GENERATING")
    # Asked for anew, the text that comes late is refused and the newer one stays.
    asked = await review(talk, "regenerate", article)
    assert asked["output"]["status"] == "GENERATING"
    held.event.set()
    await until_idle(database_url, talk.people.account_id)
    _, article, _ = await outputs(talk)
    assert article["content"].startswith("# Newer")
    assert [r["version"] for r in article["revisions"]] == [2]


async def test_of_two_who_decide_at_once_one_wins(talk: Conversation, database_url: str) -> None:
    notes, *_ = await drafted(talk, database_url)
    answers = await asyncio.gather(
        *(review(talk, verb, notes) for verb in ("approve", "reject") * 4)
    )
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds.count("StaleVersionError") == 7
    assert (await outputs(talk))[0]["version"] == 2


async def test_documents_are_written_when_a_session_is_resolved_and_at_no_other_time(
    talk: Conversation, database_url: str
) -> None:
    notes, *_ = await drafted(talk, database_url)
    edited = (await review(talk, "edit", notes, content="By hand."))["output"]
    version = (await talk.client.run(OUTPUTS, id=talk.id))["session"]["version"]
    await talk.client.mutate(
        "reopenSession", "session { id }", sessionId=talk.id, expectedVersion=version
    )
    given = {"outputId": notes["id"], "expectedVersion": edited["version"]}
    answer = await refused(talk, database_url, talk.client, "regenerate", **given)
    assert (answer["__typename"], answer["from"]) == ("InvalidTransitionError", "ACTIVE")
    again = await drafted(talk, database_url)
    assert [o["version"] for o in again] == [3, 2, 2]
    assert [o["content"] != "By hand." for o in again] == [True] * 3
    assert [r["content"] for r in again[0]["revisions"]].count("By hand.") == 1


@pytest.mark.parametrize("content", ["", " \n ", "x" * 20_001, "line\n" * 1_000 + "end", "NUL \0"])
async def test_an_edit_has_its_limits(talk: Conversation, database_url: str, content: str) -> None:
    notes, *_ = await drafted(talk, database_url)
    given = {"outputId": notes["id"], "expectedVersion": 1, "content": content}
    answer = await refused(talk, database_url, talk.client, "edit", **given)
    assert answer["__typename"] == "InvalidInputError"
    assert [field["path"] for field in answer["fields"]] == [["content"]]


async def test_what_a_document_used_is_counted(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    document = "query($id: ID!) { session(id: $id) { usage { input output } } }"
    before = (await talk.client.run(document, id=talk.id))["session"]["usage"]
    provider.task_usage = Usage(input=100, output=10)
    try:
        await drafted(talk, database_url)
    finally:
        provider.task_usage = Usage()
    after = (await talk.client.run(document, id=talk.id))["session"]["usage"]
    assert after == {"input": before["input"] + 300, "output": before["output"] + 30}


async def test_solving_offers_to_archive_what_is_still_open(
    talk: Conversation, database_url: str
) -> None:
    dns, quota = await talk.fork()
    forked = await talk.client.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=talk.id,
        parentBranchId=dns,
        reason="Two kinds of records",
        options=[
            {"label": "MX", "description": "The MX record"},
            {"label": "SPF", "description": "The SPF record"},
        ],
    )
    mx, spf = (branch["id"] for branch in forked["branches"])
    await talk.client.answered(await talk.ask(new_question(), mx))
    await talk.client.mutate("switchBranch", "branch { id }", branchId=quota)
    marked = await talk.client.mutate(
        "markBranchStatus",
        "stillOpen { id } session { version }",
        branchId=mx,
        status="SOLVED",
        expectedVersion=1,
    )
    assert [branch["id"] for branch in marked["stillOpen"]] == [quota, spf]
    await until_idle(database_url, talk.people.account_id)
    resolved = await talk.client.mutate(
        "resolveSession",
        "session { isBranching activeBranch { id } branches { id status } }",
        sessionId=talk.id,
        solvedBranchId=mx,
        closeOpenBranches=True,
        summary="The MX record was set.",
        expectedVersion=marked["session"]["version"],
    )
    assert resolved["session"]["activeBranch"] == {"id": mx}
    assert [branch["id"] for branch in resolved["session"]["branches"]] == [talk.trunk, dns, mx]
