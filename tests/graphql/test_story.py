"""The whole of a session, by several people, over HTTP and sockets."""

from services.ai.port import ForkDraft
from services.ai.port import ForkOption as PortOption
from services.ai.scripted import Answer, ScriptedProvider
from tests.client import Client
from tests.factories import Colleagues

EVENTS = """
subscription($id: ID!, $after: String) {
  sessionChanged(sessionId: $id, after: $after) {
    __typename
    ... on Event { cursor actor { id } }
    ... on BranchForked { branches { label } forkPoint { reason } }
    ... on BranchSwitched { branch { label } previousBranch { label } }
    ... on BranchStatusChanged { branch { label } previousStatus status reason }
    ... on MessageAdded { message { role position } }
    ... on MessageFinished { message { state body } }
    ... on SessionStatusChanged { previousSessionStatus sessionStatus }
    ... on HandoffCreated { handoff { intent priority } }
    ... on HandoffClaimed { handoff { claimedBy { id } } }
  }
}
"""

QUEUE = """
query { queue { totalCount eventCursor edges { node {
  id intent priority engineerNotes waitingSeconds handedOffBy { displayName }
  session { id problemSummary branchCount } snapshot {
    branchMap { label status } statusCounts { status count } nextStep }
} } } }
"""


async def test_a_session_from_intake_to_claim(client: Client, colleagues: Colleagues) -> None:
    engineer, colleague = client.as_(colleagues.engineer), client.as_(colleagues.engineer2)

    started = await engineer.mutate(
        "startSession",
        "session { id eventCursor status rootBranch { id label status messageCount } "
        "activeBranch { id } } reply { id state position }",
        intake={"text": "Mail stopped arriving."},
    )
    session = started["session"]
    root = session["rootBranch"]
    assert root == {
        "id": session["activeBranch"]["id"],
        "label": "Trunk",
        "status": "ACTIVE",
        "messageCount": 2,
    }
    assert started["reply"]["position"] == 2
    await engineer.answered(started["reply"]["id"])

    asked = await engineer.mutate(
        "sendBranchMessage",
        "sentMessage { position body author { id } } reply { position state body model }",
        branchId=root["id"],
        body="What now?",
        awaitReply=True,
    )
    assert asked["sentMessage"] == {
        "position": 3,
        "body": "What now?",
        "author": {"id": colleagues.engineer.id},
    }
    assert asked["reply"] == {
        "position": 4,
        "state": "COMPLETE",
        "body": "Answer to: What now?",
        "model": "scripted",
    }

    forked = await engineer.mutate(
        "forkBranch",
        "session { isBranching } forkPoint { id afterMessage { position } } "
        "branches { id label order status version }",
        sessionId=session["id"],
        reason="Two causes are possible",
        options=[
            {"label": "DNS", "description": "The MX record is wrong"},
            {"label": "Quota", "description": "The mailbox is full"},
        ],
    )
    dns, quota = forked["branches"]
    assert (dns["label"], dns["order"], dns["status"]) == ("DNS", 1, "UNTRIED")
    assert forked["forkPoint"]["afterMessage"] == {"position": 4}
    assert forked["session"] == {"isBranching": True}

    switched = await engineer.mutate(
        "switchBranch", "branch { status isActive }", branchId=dns["id"]
    )
    assert switched["branch"] == {"status": "ACTIVE", "isActive": True}

    dead = await engineer.mutate(
        "markBranchStatus",
        "branch { status statusReason statusChangedAt }",
        branchId=dns["id"],
        status="DEAD_END",
        reason="The MX record resolves",
        expectedVersion=dns["version"],
    )
    given_up_at = dead["branch"].pop("statusChangedAt")
    assert dead["branch"] == {"status": "DEAD_END", "statusReason": "The MX record resolves"}

    evidence = await engineer.mutate(
        "sendBranchMessage",
        "sentMessage { id } session { id }",
        branchId=quota["id"],
        body="The resolver there is another one.",
        awaitReply=True,
    )
    revived = await engineer.mutate(
        "reviveBranch",
        "branch { status revivals { description deadEndReason deadEndAt "
        "evidenceFrom { label } evidence { body } } "
        "messages { edges { node { role body } } } }",
        branchId=dns["id"],
        evidenceFromBranchId=quota["id"],
        evidenceMessageIds=[evidence["sentMessage"]["id"]],
        description="Split DNS gives another answer",
    )
    assert revived["branch"]["status"] == "REVIVED"
    assert revived["branch"]["revivals"] == [
        {
            "description": "Split DNS gives another answer",
            "deadEndReason": "The MX record resolves",
            "deadEndAt": given_up_at,
            "evidenceFrom": {"label": "Quota"},
            "evidence": [{"body": "The resolver there is another one."}],
        }
    ]
    assert [edge["node"] for edge in revived["branch"]["messages"]["edges"]] == [
        {
            "role": "NOTE",
            "body": "[Branch Revived] New evidence from another branch: "
            "Split DNS gives another answer",
        }
    ]

    handed_off = await engineer.mutate(
        "handOffSession",
        "handoff { id state } session { status openHandoff { id } }",
        sessionId=session["id"],
        intent="ESCALATE",
        priority="ELEVATED",
        engineerNotes="Needs DNS rights",
        nextStep="Compare resolvers",
    )
    assert handed_off["session"]["status"] == "ESCALATED"

    queue = (await colleague.run(QUEUE))["queue"]
    assert queue["totalCount"] == 1
    waiting = queue["edges"][0]["node"]
    assert waiting["engineerNotes"] == "Needs DNS rights"
    assert waiting["snapshot"] == {
        "branchMap": [
            {"label": "Trunk", "status": "ACTIVE"},
            {"label": "DNS", "status": "REVIVED"},
            {"label": "Quota", "status": "ACTIVE"},
        ],
        "statusCounts": [{"status": "ACTIVE", "count": 1}, {"status": "REVIVED", "count": 1}],
        "nextStep": "Compare resolvers",
    }

    claimed = await colleague.mutate(
        "claimHandoff",
        "handoff { state claimedBy { id } } session { status assignee { id } }",
        handoffId=waiting["id"],
    )
    assert claimed["session"] == {
        "status": "ACTIVE",
        "assignee": {"id": colleagues.engineer2.id},
    }

    seen = []
    async with colleague.subscribe(
        EVENTS, id=session["id"], after=session["eventCursor"]
    ) as events:
        async for event in events:
            seen.append(event["sessionChanged"])
            if seen[-1]["__typename"] == "SessionUpdated" and seen[-2]["__typename"] != (
                "MessageFinished"
            ):
                break
    kinds = [event["__typename"] for event in seen]
    assert kinds == [
        "MessageAdded",
        "MessageAdded",
        "MessageFinished",
        "SessionUpdated",
        "MessageAdded",
        "MessageAdded",
        "MessageFinished",
        "BranchForked",
        "BranchSwitched",
        "BranchStatusChanged",
        "BranchStatusChanged",
        "BranchStatusChanged",
        "MessageAdded",
        "MessageAdded",
        "MessageFinished",
        "BranchStatusChanged",
        "MessageAdded",
        "HandoffCreated",
        "SessionStatusChanged",
        "HandoffClaimed",
        "SessionStatusChanged",
        "SessionUpdated",
    ]
    cursors = [event["cursor"] for event in seen]
    assert cursors == sorted(set(cursors))


async def test_a_suggested_fork_is_taken_as_it_is(
    client: Client, colleagues: Colleagues, provider: ScriptedProvider
) -> None:
    engineer = client.as_(colleagues.engineer)
    options = (PortOption("DNS", "The record is old", 0.7), PortOption("Quota", "It is full"))
    provider.script("Two of them?", Answer("Two.", fork=ForkDraft("Two causes fit", options)))
    started = await engineer.mutate(
        "startSession", "session { id rootBranch { id } }", intake={"text": "Mail stopped"}
    )
    asked = await engineer.mutate(
        "sendBranchMessage",
        "reply { suggestedFork { reason options { label description likelihood } } }",
        branchId=started["session"]["rootBranch"]["id"],
        body="Two of them?",
        awaitReply=True,
    )
    forked = await engineer.mutate(
        "forkBranch",
        "branches { label description likelihood }",
        sessionId=started["session"]["id"],
        **asked["reply"]["suggestedFork"],
    )
    assert forked["branches"] == [
        {"label": "DNS", "description": "The record is old", "likelihood": 0.7},
        {"label": "Quota", "description": "It is full", "likelihood": None},
    ]
    refused = await engineer.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=started["session"]["id"],
        reason="Too sure",
        options=[
            {"label": "a", "description": "a", "likelihood": 1.5},
            {"label": "b", "description": "b"},
        ],
    )
    assert refused["fields"] == [
        {"path": ["options", "0", "likelihood"], "message": "Must be between 0 and 1."}
    ]
