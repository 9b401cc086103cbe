"""Subscriptions under strain: cut lines, many operations on a socket, and what an event costs."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.client import Client, Socket
from tests.factories import Colleagues
from tests.tables import until_idle

NEVER_AWAITED = "ignore:coroutine .*_async_resolver. was never awaited:RuntimeWarning"
"""graphql-core leaves fields behind that it had not begun when an operation was cancelled."""

SOON = 30
"""Seconds after which a test gives up; nothing takes so long when it works."""

BRANCHES = """
subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on BranchUpdated { branch { label children { label } } }
  ... on BranchForked { branches { parent { children { label } } } }
  ... on BranchStatusChanged { previousStatus status branch { label status statusReason } }
} }
"""


async def opened(
    client: Client, colleagues: Colleagues, database_url: str, text: str = "The VPN drops"
) -> dict[str, Any]:
    """A session with two branches, in which nothing goes on."""
    started = await client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": text}
    )
    await client.answered(started["reply"]["id"])
    forked = await client.mutate(
        "forkBranch",
        "session { id } forkPoint { id } branches { id version }",
        sessionId=started["session"]["id"],
        reason="Two causes are possible",
        options=[{"label": label, "description": "A cause"} for label in ("DNS", "Quota")],
    )
    await until_idle(database_url, colleagues.account_id)
    return forked


async def cursor_now(client: Client) -> str:
    found: str = (await client.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
    return found


async def rename(client: Client, branch: dict[str, Any], label: str) -> None:
    made = await client.mutate(
        "renameBranch",
        "branch { version }",
        branchId=branch["id"],
        label=label,
        expectedVersion=branch["version"],
    )
    branch["version"] = made["branch"]["version"]


async def branch_events(
    client: Client, session_id: str, after: str, count: int
) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(SOON), client.subscribe(BRANCHES, id=session_id, after=after) as all:
        async for data in all:
            seen.append(data["branchChanged"])
            if len(seen) == count:
                return seen
    raise AssertionError("the events ended")


@pytest.mark.filterwarnings(NEVER_AWAITED)
async def test_lines_cut_while_events_are_written_lose_and_repeat_nothing(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url)
    session_id, branch = made["session"]["id"], made["branches"][0]
    start = await cursor_now(engineer)

    async def keep_writing() -> None:
        for number in range(50):
            await rename(engineer, branch, f"Name {number}")

    async def follow(every: int) -> tuple[list[str], int]:
        """The cursors, and how often the line was cut."""
        cursors: list[str] = []
        cuts = 0
        while len(cursors) < 50:
            async with engineer.socket() as socket:
                after = cursors[-1] if cursors else start
                events = socket.follow(BRANCHES, id=session_id, after=after)
                count = min(every, 50 - len(cursors))
                cursors += [(await anext(events))["branchChanged"]["cursor"] for _ in range(count)]
                socket.connection.transport.abort()
                cuts += 1
        return cursors, cuts

    async with asyncio.timeout(SOON):
        _, often, seldom = await asyncio.gather(keep_writing(), follow(3), follow(7))
    whole = [event["cursor"] for event in await branch_events(engineer, session_id, start, 50)]
    assert whole == sorted(set(whole))
    assert often == (whole, 17)
    assert seldom == (whole, 8)


async def test_each_event_counts_the_children_there_are_then(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url)
    session_id, branch = made["session"]["id"], made["branches"][0]
    fork = {"sessionId": session_id, "parentBranchId": branch["id"], "reason": "More causes"}
    start = await cursor_now(engineer)
    async with (
        asyncio.timeout(SOON),
        engineer.subscribe(BRANCHES, id=session_id, after=start) as events,
    ):
        await rename(engineer, branch, "Resolver")
        renamed = (await anext(events))["branchChanged"]
        assert renamed["branch"] == {"label": "Resolver", "children": []}
        forked = await engineer.mutate(
            "forkBranch",
            "forkPoint { id }",
            **fork,
            options=[{"label": label, "description": "A cause"} for label in ("One", "Two")],
        )
        labels = [{"label": "One"}, {"label": "Two"}]
        event = (await anext(events))["branchChanged"]
        assert event["branches"] == [{"parent": {"children": labels}}] * 2
        await engineer.mutate(
            "forkBranch",
            "forkPoint { id }",
            **fork,
            forkPointId=forked["forkPoint"]["id"],
            options=[{"label": "Three", "description": "A cause"}],
        )
        labels.append({"label": "Three"})
        event = (await anext(events))["branchChanged"]
        assert event["branches"] == [{"parent": {"children": labels}}]
        await rename(engineer, branch, "Resolvers")
        renamed = (await anext(events))["branchChanged"]
        assert renamed["branch"] == {"label": "Resolvers", "children": labels}


async def test_an_event_read_late_tells_its_own_status_and_the_branch_of_now(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url)
    session_id, branch = made["session"]["id"], made["branches"][0]
    await engineer.mutate("switchBranch", "branch { id }", branchId=branch["id"])
    start = await cursor_now(engineer)
    for status, reason in (("SOLVED", "The cache was cold"), ("ACTIVE", None)):
        marked = await engineer.mutate(
            "markBranchStatus",
            "branch { version }",
            branchId=branch["id"],
            status=status,
            reason=reason,
            expectedVersion=branch["version"],
        )
        branch["version"] = marked["branch"]["version"]
    now = {"label": "DNS", "status": "ACTIVE", "statusReason": None}
    events = await branch_events(engineer, session_id, start, 2)
    assert [(event["previousStatus"], event["status"]) for event in events] == [
        ("ACTIVE", "SOLVED"),
        ("SOLVED", "ACTIVE"),
    ]
    assert [event["branch"] for event in events] == [now, now]


async def test_colleagues_who_hear_the_same_event_read_about_it_once(
    client: Client, colleagues: Colleagues, database_url: str, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url)
    session_id, branch = made["session"]["id"], made["branches"][0]
    start = await cursor_now(engineer)
    async with AsyncExitStack() as stack:
        hearers = [
            await stack.enter_async_context(
                client.as_(person).subscribe(BRANCHES, id=session_id, after=start)
            )
            for person in (colleagues.engineer, colleagues.engineer2) * 10
        ]
        hearing = [asyncio.ensure_future(anext(hearer)) for hearer in hearers]
        for _ in range(2):
            await rename(engineer, branch, f"Name {branch['version']}")
            heard = await asyncio.gather(*hearing)
            assert len(heard) == 20
            assert all(event == heard[0] for event in heard)
            statements.clear()
            hearing = [asyncio.ensure_future(anext(hearer)) for hearer in hearers]
        await rename(engineer, branch, "The last")
        await asyncio.gather(*hearing)
        reads = [statement for statement in statements if statement.startswith("SELECT")]
        about = [statement for statement in reads if "JOIN events" not in statement]
    # Six by the rename itself; the twenty hearers read a user, a branch and its tree.
    assert len(about) == 6 + 3


async def test_an_event_costs_two_statements_however_many_there_are(
    client: Client, colleagues: Colleagues, database_url: str, statements: list[str]
) -> None:
    """The reader's own are not counted: they are one for all followers, and depend on the clock."""
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url)
    session_id, branch = made["session"]["id"], made["branches"][0]
    document = """
      subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
        ... on BranchUpdated { actor { displayName } branch { label } }
      } }"""
    for count in (1, 6):
        start = await cursor_now(engineer)
        for number in range(count):
            await rename(engineer, branch, f"Name {number}")
        now = {"label": f"Name {number}"}
        statements.clear()
        async with engineer.subscribe(document, id=session_id, after=start) as events:
            for _ in range(count):
                assert (await anext(events))["branchChanged"]["branch"] == now
            costs = [statement for statement in statements if "JOIN events" not in statement]
        # The session and the log's end, then a branch and a user for each.
        assert len(costs) == 2 + 2 * count


async def test_operations_on_one_socket_are_independent(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = [await opened(engineer, colleagues, database_url) for _ in range(2)]
    start = await cursor_now(engineer)
    async with asyncio.timeout(SOON), engineer.socket() as socket:

        async def begin(operation: str, document: str, **variables: Any) -> None:
            payload = {"query": document, "variables": variables}
            await socket.send({"id": operation, "type": "subscribe", "payload": payload})

        for operation, session in zip(("one", "two"), made, strict=True):
            await begin(operation, BRANCHES, id=session["session"]["id"], after=start)
        await rename(engineer, made[0]["branches"][0], "First")
        assert label_of(await socket.receive()) == ("one", "First")
        await rename(engineer, made[1]["branches"][0], "Second")
        assert label_of(await socket.receive()) == ("two", "Second")

        await begin("bad", "subscription { nothingOfTheKind }")
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("bad", "error")
        await begin("none", BRANCHES, id="se_nothing")
        assert {(await socket.receive())["id"] for _ in range(2)} == {"none"}
        await begin("query", "{ viewer { user { id } } }")
        assert (await socket.receive())["payload"]["data"] == {
            "viewer": {"user": {"id": colleagues.engineer.id}}
        }
        assert await socket.receive() == {"id": "query", "type": "complete"}

        await socket.send({"id": "one", "type": "complete"})
        await begin("again", BRANCHES, id=made[0]["session"]["id"], after=start)
        assert label_of(await socket.receive()) == ("again", "First")
        await rename(engineer, made[0]["branches"][0], "Third")
        await rename(engineer, made[1]["branches"][0], "Fourth")
        assert sorted([label_of(await socket.receive()) for _ in range(2)]) == [
            ("again", "Third"),
            ("two", "Fourth"),
        ]
        assert await nothing_waits(socket)


async def test_a_query_on_a_socket_reads_nothing_that_an_earlier_one_has_loaded(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    branch = (await opened(engineer, colleagues, database_url))["branches"][0]
    document = "query($id: ID!) { branch(id: $id) { label } }"
    async with asyncio.timeout(SOON), engineer.socket() as socket:
        for label in ("Resolver", "Cache"):
            await rename(engineer, branch, label)
            (answer,) = [data async for data in socket.follow(document, id=branch["id"])]
            assert answer == {"branch": {"label": label}}


def label_of(message: dict[str, Any]) -> tuple[str, str]:
    """The operation and the label of the branch that its event is about."""
    event = message["payload"]["data"]["branchChanged"]
    return message["id"], event["branch"]["label"]


async def nothing_waits(socket: Socket) -> bool:
    """Whether the answer to a ping is the next message."""
    await socket.send({"type": "ping"})
    return (await socket.receive())["type"] == "pong"


@pytest.mark.parametrize(
    ("document", "name"),
    [("{ viewer { scopes } }", "missing"), ("fragment a on Account { id }", None), ("", None)],
)
async def test_no_such_operation_is_told_and_hurts_no_other(
    client: Client, colleagues: Colleagues, document: str, name: str | None
) -> None:
    async with client.as_(colleagues.engineer).socket() as socket:
        payload = {"query": document, "operationName": name}
        await socket.send({"id": "x", "type": "subscribe", "payload": payload})
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("x", "error")
        assert refused["payload"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
        async for answer in socket.follow("{ viewer { scopes } }"):
            assert answer == {"viewer": {"scopes": ["READ", "WRITE"]}}


async def test_one_operation_too_many_is_refused_alone(
    client: Client, colleagues: Colleagues
) -> None:
    async with client.as_(colleagues.engineer).socket() as socket:
        payload = {"query": "subscription { queueChanged { __typename } }"}
        for place in range(101):
            await socket.send({"id": f"s{place}", "type": "subscribe", "payload": payload})
        refused = await socket.receive()
        assert (refused["id"], refused["type"]) == ("s100", "error")
        assert refused["payload"][0]["extensions"] == {"code": "RATE_LIMITED"}
        await socket.send({"id": "s0", "type": "complete"})
        async for answer in socket.follow("{ viewer { scopes } }"):
            assert answer == {"viewer": {"scopes": ["READ", "WRITE"]}}


async def test_a_caller_has_so_many_sockets_and_another_has_their_own(
    client: Client, colleagues: Colleagues
) -> None:
    engineer, lead = client.as_(colleagues.engineer), client.as_(colleagues.lead)
    async with AsyncExitStack() as held:
        for _ in range(50):
            await held.enter_async_context(engineer.socket())
        with pytest.raises(ConnectionClosed) as caught:
            await held.enter_async_context(engineer.socket())
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1013
        await held.enter_async_context(lead.socket())
    async with asyncio.timeout(SOON), engineer.socket() as socket:
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
