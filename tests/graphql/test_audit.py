"""Who changed what: each change once, with whoever made it, for admins alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import text

from services.ids import Kind, node_id
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues, Person, make_account
from tests.graphql.test_tenancy import SCHEMA
from tests.tables import as_owner, until_idle
from tests.worlds import INPUTS, World, build_world

ENTRIES = """
query($filter: AuditFilter, $first: Int! = 100, $after: String) { viewer { account {
  auditEntries(filter: $filter, first: $first, after: $after) {
    edges { cursor node {
      action occurredAt requestId address changes { field before after }
      actor { id displayName } apiKey { id } target { __typename id } session { id }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
} } }
"""

DONE_BY = {
    "signIn": "SIGNED_IN",
    "refreshTokens": "TOKENS_REFRESHED",
    "signOut": "SIGNED_OUT",
    "saveMember": "MEMBER_CHANGED",
    "deactivateMember": "MEMBER_DEACTIVATED",
    "reactivateMember": "MEMBER_REACTIVATED",
    "changePassword": "PASSWORD_CHANGED",
    "createApiKey": "API_KEY_CREATED",
    "revokeApiKey": "API_KEY_REVOKED",
    "startSession": "SESSION_STARTED",
    "forkBranch": "BRANCH_FORKED",
    "switchBranch": "BRANCH_SWITCHED",
    "markBranchStatus": "BRANCH_STATUS_CHANGED",
    "reviveBranch": "BRANCH_STATUS_CHANGED",
    "renameBranch": "BRANCH_RENAMED",
    "archiveBranch": "BRANCH_ARCHIVED",
    "restoreBranch": "BRANCH_RESTORED",
    "acceptRevivalProposal": "REVIVAL_DECIDED",
    "dismissRevivalProposal": "REVIVAL_DECIDED",
    "mergeFindings": "FINDINGS_MERGED",
    "undoFindingMerge": "FINDING_MERGE_UNDONE",
    "requestSecondOpinion": "SECOND_OPINION_CHANGED",
    "sendBranchMessage": "MESSAGE_ADDED",
    "sendMessage": "MESSAGE_ADDED",
    "retryMessage": "MESSAGE_RESTARTED",
    "regenerateMessage": "MESSAGE_RESTARTED",
    "chooseAlternative": "MESSAGE_FINISHED",
    "cancelMessage": "MESSAGE_FINISHED",
    "uploadFile": "FILE_UPLOADED",
    "retryUpload": "FILE_CHANGED",
    "handOffSession": "HANDOFF_CREATED",
    "claimHandoff": "HANDOFF_CLAIMED",
    "cancelHandoff": "HANDOFF_CANCELLED",
    "saveIntegration": "INTEGRATION_CHANGED",
    "testIntegration": "INTEGRATION_TESTED",
    "removeIntegration": "INTEGRATION_REMOVED",
    "linkTicket": "SESSION_UPDATED",
    "pushHandoff": "DELIVERY_CHANGED",
    "retryDelivery": "DELIVERY_CHANGED",
    "heartbeatHandoff": None,
    "lookAtBranch": None,
    "leaveSession": None,
    "retryHandoffPreparation": "HANDOFF_UPDATED",
    "releaseHandoff": "HANDOFF_RELEASED",
    "reassignSession": "SESSION_REASSIGNED",
    "saveSlaTargets": "SLA_TARGETS_CHANGED",
    "resolveSession": "SESSION_STATUS_CHANGED",
    "abandonSession": "SESSION_STATUS_CHANGED",
    "reopenSession": "SESSION_STATUS_CHANGED",
    "pushResolutionOutput": "DELIVERY_CHANGED",
    "regenerateResolutionOutput": "OUTPUT_REQUESTED",
    "editResolutionOutput": "OUTPUT_EDITED",
    "approveResolutionOutput": "OUTPUT_APPROVED",
    "rejectResolutionOutput": "OUTPUT_REJECTED",
}
"""For each mutation the action that is entered for it; one is no change."""

LAST = ["refreshTokens", "signOut", "deactivateMember", "reactivateMember", "revokeApiKey"]
"""Mutations that end what others need, in this order."""


async def page(client: Client, admin: Person, **variables: Any) -> dict[str, Any]:
    answer = await client.as_(admin).run(ENTRIES, **variables)
    found: dict[str, Any] = answer["viewer"]["account"]["auditEntries"]
    return found


async def entries(client: Client, admin: Person, **wanted: Any) -> list[dict[str, Any]]:
    """Oldest first."""
    found = await page(client, admin, filter=wanted)
    return [edge["node"] for edge in reversed(found["edges"])]


def told(entry: dict[str, Any]) -> tuple[str, str | None, str | None, list[tuple[Any, ...]]]:
    return (
        entry["action"],
        entry["actor"] and entry["actor"]["displayName"],
        entry["target"] and entry["target"]["__typename"],
        [(change["field"], change["before"], change["after"]) for change in entry["changes"]],
    )


async def test_every_mutation_is_entered_with_who_did_it(
    client: Client, runtime: Runtime, database_url: str
) -> None:
    mutations = SCHEMA.type_map["Mutation"]
    assert isinstance(mutations, GraphQLObjectType)
    assert set(DONE_BY) == set(mutations.fields)
    world = await build_world(client, database_url, await make_account(runtime, database_url))
    admin = world.people.admin
    refreshed: str | None = None
    for name in sorted(DONE_BY, key=lambda name: LAST.index(name) if name in LAST else -1):
        given = INPUTS[name](world)
        if "idempotencyKey" in given:
            given["idempotencyKey"] = str(uuid4())
        if name == "signOut":
            assert refreshed is not None
            given["refreshToken"] = refreshed
        selection = "tokens { refreshToken }" if name == "refreshTokens" else "__typename"
        since = await _now(database_url)
        caller = await _signed_in_as(client, world) if name == "signOut" else client.as_(admin)
        answer = await caller.mutate(name, selection, **given)
        assert answer["__typename"].endswith("Success"), (name, answer)
        if name == "refreshTokens":
            refreshed = answer["tokens"]["refreshToken"]
        mine = await entries(client, admin, **{"from": since})
        by = world.member if name in {"signIn", "refreshTokens", "signOut"} else admin.id
        actions = [entry["action"] for entry in mine if (entry["actor"] or {}).get("id") == by]
        wanted = DONE_BY[name]
        assert (wanted in actions) if wanted else actions == [], name
    await until_idle(database_url, world.people.account_id)


async def _now(owner_url: str) -> str:
    async with as_owner(owner_url) as db:
        now: datetime = (await db.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return now.astimezone(UTC).isoformat()


async def _signed_in_as(client: Client, world: World) -> Client:
    answer = await client.mutate("signIn", "tokens { accessToken }", **INPUTS["signIn"](world))
    return client.with_token(answer["tokens"]["accessToken"])


async def test_a_case_is_told_from_its_opening_to_its_claim(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    started = await engineer.mutate(
        "startSession",
        "session { id rootBranch { id } } reply { id }",
        intake={"text": "The VPN drops"},
    )
    session, trunk = started["session"]["id"], started["session"]["rootBranch"]["id"]
    await engineer.answered(started["reply"]["id"])
    forked = await engineer.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=session,
        reason="Two causes",
        options=[{"label": name, "description": "A cause"} for name in ("DNS", "MTU")],
    )
    dns, mtu = (branch["id"] for branch in forked["branches"])
    await engineer.mutate("switchBranch", "branch { id }", branchId=dns)
    await engineer.mutate(
        "renameBranch", "branch { id }", branchId=mtu, label="MSS", expectedVersion=1
    )
    await engineer.mutate("archiveBranch", "branch { id }", branchId=mtu, expectedVersion=2)
    await engineer.mutate("handOffSession", "handoff { id }", sessionId=session, intent="ESCALATE")
    queue = await engineer.run("{ queue { edges { node { id } } } }")
    await client.as_(colleagues.engineer2).mutate(
        "claimHandoff", "handoff { id }", handoffId=queue["queue"]["edges"][0]["node"]["id"]
    )

    found = await entries(client, colleagues.admin, targetId=session)
    assert [told(entry) for entry in found] == [
        ("SESSION_STARTED", "Engineer", "AiSession", []),
        ("MESSAGE_ADDED", "Engineer", "BranchMessage", []),
        ("MESSAGE_ADDED", "Engineer", "BranchMessage", []),
        ("MESSAGE_FINISHED", None, "BranchMessage", [("state", None, "COMPLETE")]),
        ("SESSION_UPDATED", None, "AiSession", []),
        ("BRANCH_FORKED", "Engineer", "ForkPoint", []),
        ("BRANCH_SWITCHED", "Engineer", "AiSession", [("activeBranch", trunk, dns)]),
        ("BRANCH_STATUS_CHANGED", "Engineer", "Branch", [("status", "UNTRIED", "ACTIVE")]),
        ("BRANCH_RENAMED", "Engineer", "Branch", [("label", "MTU", "MSS")]),
        ("BRANCH_ARCHIVED", "Engineer", "Branch", []),
        ("HANDOFF_CREATED", "Engineer", "Handoff", []),
        ("SESSION_STATUS_CHANGED", "Engineer", "AiSession", [("status", "ACTIVE", "ESCALATED")]),
        ("HANDOFF_CLAIMED", "Engineer2", "Handoff", []),
        ("SESSION_STATUS_CHANGED", "Engineer2", "AiSession", [("status", "ESCALATED", "ACTIVE")]),
        (
            "SESSION_UPDATED",
            "Engineer2",
            "AiSession",
            [("assignee", colleagues.engineer.id, colleagues.engineer2.id)],
        ),
    ]
    assert {entry["session"]["id"] for entry in found} == {session}
    of_assistant = [entry for entry in found if entry["actor"] is None]
    assert {entry["address"] for entry in of_assistant} == {None}
    assert {entry["address"] for entry in found if entry["actor"]} == {"127.0.0.1"}
    assert [told(entry)[0] for entry in await entries(client, colleagues.admin, targetId=mtu)] == [
        "BRANCH_RENAMED",
        "BRANCH_ARCHIVED",
    ]


async def test_people_and_keys_are_told_without_their_secrets(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    email, password, other = f"{uuid4().hex}@desk.example", "correct horse battery", "x" * 12
    added = await admin.mutate(
        "saveMember",
        "member { id }",
        email=email,
        displayName="Grace",
        role="ENGINEER",
        password=password,
    )
    grace = added["member"]["id"]
    team = node_id(Kind.TEAM, colleagues.team_id)
    await admin.mutate(
        "saveMember",
        "member { id }",
        userId=grace,
        displayName="Grace",
        role="LEAD",
        teamId=team,
        password=other,
        expectedVersion=1,
    )
    await client.mutate("signIn", "viewer { scopes }", email=email, password=password)
    tokens = (
        await client.mutate(
            "signIn", "tokens { refreshToken accessToken }", email=email, password=other
        )
    )["tokens"]
    key = await admin.mutate("createApiKey", "apiKey { id } secret", name="RMM", scopes=["WRITE"])
    session = await client.with_token(key["secret"]).mutate(
        "startSession", "session { id }", intake={"text": "A disk is full"}
    )
    await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=key["apiKey"]["id"])
    await admin.mutate("deactivateMember", "member { id }", userId=grace)

    found = [entry for entry in await entries(client, colleagues.admin) if entry["session"] is None]
    by = [("Admin", "User"), ("Admin", "User"), (None, "User"), ("Grace", "User")]
    assert [told(entry) for entry in found] == [
        (
            "MEMBER_ADDED",
            *by[0],
            [
                ("email", None, email),
                ("displayName", None, "Grace"),
                ("role", None, "ENGINEER"),
                ("password", None, None),
            ],
        ),
        (
            "MEMBER_CHANGED",
            *by[1],
            [("role", "ENGINEER", "LEAD"), ("team", None, team), ("password", None, None)],
        ),
        ("SIGN_IN_REFUSED", *by[2], []),
        ("SIGNED_IN", *by[3], []),
        ("API_KEY_CREATED", "Admin", "ApiKey", [("name", None, "RMM"), ("scopes", None, "WRITE")]),
        ("API_KEY_REVOKED", "Admin", "ApiKey", []),
        ("MEMBER_DEACTIVATED", "Admin", "User", []),
    ]
    opened = (await entries(client, colleagues.admin, targetId=session["session"]["id"]))[0]
    assert opened["actor"]["displayName"] == "RMM"
    assert opened["apiKey"] == {"id": key["apiKey"]["id"]}
    for wanted in (key["apiKey"]["id"], opened["actor"]["id"]):
        first = (await entries(client, colleagues.admin, actorId=wanted))[0]
        assert first == opened
    async with as_owner(database_url) as db:
        kept = text("SELECT string_agg(a::text, ' ') FROM audit_entries a WHERE account_id = :id")
        rows = str((await db.execute(kept, {"id": colleagues.account_id})).scalar_one())
    for secret in (password, other, key["secret"], *tokens.values(), "A disk is full", "argon2"):
        assert secret not in rows


async def test_a_refresh_token_shown_twice_is_entered_once_and_by_nobody(
    client: Client, colleagues: Colleagues
) -> None:
    email, password = f"{uuid4().hex}@desk.example", "correct horse battery"
    await client.as_(colleagues.admin).mutate(
        "saveMember",
        "member { id }",
        email=email,
        displayName="Grace",
        role="ENGINEER",
        password=password,
    )
    signed_in = await client.mutate(
        "signIn", "tokens { refreshToken }", email=email, password=password
    )
    for _ in range(3):
        await client.mutate("refreshTokens", "__typename", **signed_in["tokens"])
    found = await entries(client, colleagues.admin)
    assert [told(entry)[:3] for entry in found[1:]] == [
        ("SIGNED_IN", "Grace", "User"),
        ("TOKENS_REFRESHED", "Grace", "User"),
        ("REFRESH_TOKEN_REUSED", None, "User"),
    ]


async def test_what_changes_nothing_is_not_entered(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    key = await admin.mutate("createApiKey", "apiKey { id }", name="RMM", scopes=["READ"])
    for _ in range(2):
        await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=key["apiKey"]["id"])
        await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer2.id)
        await admin.mutate("saveMember", "member { id }", userId=colleagues.lead.id)
        await admin.mutate("signOut", "signedOutAt", refreshToken="nobody's")
        await client.mutate("signIn", "__typename", email=f"{uuid4().hex}@x.example", password="x")
        await client.mutate("refreshTokens", "__typename", refreshToken="nobody's")
    assert [entry["action"] for entry in await entries(client, colleagues.admin)] == [
        "API_KEY_CREATED",
        "API_KEY_REVOKED",
        "MEMBER_DEACTIVATED",
    ]


@pytest.mark.parametrize(
    ("sent", "kept"), [("req-7.a_B", True), ("a b", False), ("x" * 129, False), (None, False)]
)
async def test_the_request_is_named_as_in_its_answer_and_in_the_log(
    client: Client, colleagues: Colleagues, sent: str | None, kept: bool
) -> None:
    headers = {"Authorization": f"Bearer {colleagues.admin.token}"}
    if sent is not None:
        headers["X-Request-Id"] = sent
    document = """mutation { startSession(input: {
        idempotencyKey: "0192f3c1-0000-7000-8000-000000000001", intake: {text: "x"}
    }) { __typename } }"""
    answer = await client.http.post("/graphql", json={"query": document}, headers=headers)
    assert answer.json()["data"]["startSession"]["__typename"] == "StartSessionSuccess"
    found = await entries(client, colleagues.admin, action=["SESSION_STARTED"])
    named = answer.headers["X-Request-Id"]
    assert (named == sent) is kept
    assert [(entry["requestId"], entry["address"]) for entry in found] == [(named, "127.0.0.1")]


async def test_only_admins_read_it(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    secrets = [
        (await admin.mutate("createApiKey", "secret", name=name, scopes=[name]))["secret"]
        for name in ("READ", "WRITE", "ADMIN")
    ]
    refused = [client.as_(person) for person in (colleagues.engineer, colleagues.lead)]
    refused += [client.with_token(secret) for secret in secrets[:2]]
    for reader in refused:
        with pytest.raises(GraphQLFailure) as caught:
            await reader.run(ENTRIES)
        assert [(e["message"], e["extensions"]["code"]) for e in caught.value.errors] == [
            ("Only admins may do this.", "FORBIDDEN")
        ]
    assert len((await client.with_token(secrets[2]).run(ENTRIES))["viewer"]) == 1


async def test_another_account_reads_nothing_of_it(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    await client.as_(colleagues.admin).mutate(
        "deactivateMember", "member { id }", userId=colleagues.engineer.id
    )
    (ours,) = await entries(client, colleagues.admin)
    for wanted in ({}, {"targetId": colleagues.engineer.id}, {"actorId": colleagues.admin.id}):
        assert await entries(client, strangers.admin, **wanted) == []
    assert ours["target"] == {"__typename": "User", "id": colleagues.engineer.id}
    cursor = (await page(client, colleagues.admin))["pageInfo"]["endCursor"]
    assert (await page(client, strangers.admin, after=cursor))["edges"] == []


async def test_pages_meet_without_gap_or_overlap(client: Client, colleagues: Colleagues) -> None:
    engineer = client.as_(colleagues.engineer)
    for number in range(3):
        started = await engineer.mutate(
            "startSession", "reply { id }", intake={"text": f"Case {number}"}
        )
        await engineer.answered(started["reply"]["id"])
    whole = (await page(client, colleagues.admin))["edges"]
    assert len(whole) == 15
    times = [edge["node"]["occurredAt"] for edge in whole]
    assert times == sorted(times, reverse=True)
    seen: list[Any] = []
    after = None
    while True:
        part = await page(client, colleagues.admin, first=2, after=after)
        assert part["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += part["edges"]
        after = part["pageInfo"]["endCursor"]
        if not part["pageInfo"]["hasNextPage"]:
            break
    assert seen == whole


async def test_filters_narrow_together(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    for person in (colleagues.engineer, colleagues.engineer2):
        await admin.mutate("deactivateMember", "member { id }", userId=person.id)
    await admin.mutate("createApiKey", "secret", name="RMM", scopes=["READ"])
    first, second, _ = await entries(client, colleagues.admin)

    async def names(**wanted: Any) -> list[str]:
        return [entry["action"] for entry in await entries(client, colleagues.admin, **wanted)]

    both = ["MEMBER_DEACTIVATED"] * 2
    assert await names(action=["MEMBER_DEACTIVATED"]) == both
    assert await names(action=[]) == []
    assert await names(action=["SIGNED_IN", "API_KEY_CREATED"]) == ["API_KEY_CREATED"]
    assert await names(actorId=colleagues.admin.id) == [*both, "API_KEY_CREATED"]
    assert await names(actorId=colleagues.lead.id) == []
    assert await names(targetId=colleagues.engineer.id) == both[:1]
    assert await names(**{"from": second["occurredAt"]}) == [
        "MEMBER_DEACTIVATED",
        "API_KEY_CREATED",
    ]
    assert await names(to=second["occurredAt"]) == both[:1]
    assert (
        await names(
            targetId=colleagues.engineer.id,
            actorId=colleagues.admin.id,
            action=["MEMBER_DEACTIVATED"],
            to=(
                datetime.fromisoformat(first["occurredAt"]) + timedelta(microseconds=1)
            ).isoformat(),
        )
        == both[:1]
    )


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "BAD_USER_INPUT"),
        ({"first": 101}, "BAD_USER_INPUT"),
        ({"after": "nonsense"}, "BAD_USER_INPUT"),
        ({"filter": {"actorId": "nobody"}}, "NOT_FOUND"),
        ({"filter": {"actorId": node_id(Kind.SESSION, uuid4())}}, "NOT_FOUND"),
        ({"filter": {"targetId": "nothing"}}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    client: Client, colleagues: Colleagues, variables: dict[str, Any], code: str
) -> None:
    with pytest.raises(GraphQLFailure) as caught:
        await page(client, colleagues.admin, **variables)
    assert caught.value.code == code


async def test_a_page_costs_the_same_for_one_case_and_for_five(
    client: Client, colleagues: Colleagues, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)

    async def work() -> None:
        started = await engineer.mutate(
            "startSession", "session { id } reply { id }", intake={"text": "The VPN drops"}
        )
        await engineer.answered(started["reply"]["id"])
        await engineer.mutate(
            "handOffSession", "handoff { id }", sessionId=started["session"]["id"], intent="PARK"
        )

    await work()
    statements.clear()
    assert len(await entries(client, colleagues.admin)) == 7
    one = len(statements)
    for _ in range(4):
        await work()
    statements.clear()
    assert len(await entries(client, colleagues.admin)) == 35
    assert len(statements) == one
