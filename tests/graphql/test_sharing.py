"""Subscribers who ask the same: told by one execution what each would be told alone, and nothing else."""

import asyncio
import itertools
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from schema import sharing
from schema.transport import encoding
from services import feed
from services.runtime import Runtime
from tests.client import Client, Socket
from tests.factories import Colleagues
from tests.graphql.test_live_sockets import NEVER_AWAITED, cursor_now, opened, rename

SOON = 30
"""Seconds after which a test gives up; nothing takes so long when it works."""

BRANCHES = """
subscription($id: ID!, $after: String) { branchChanged(sessionId: $id, after: $after) {
  __typename ... on Event { cursor actor { displayName } } ... on BranchUpdated { branch { label } }
} }"""
THE_SAME_ALONE = BRANCHES.replace("__typename", "__typename ")
"""Another text, so that it is nobody else's."""


class Told(list[dict[str, Any]]):
    """What one subscriber was told, in order."""

    def __init__(self, socket: Socket, events: AsyncIterator[dict[str, Any]]) -> None:
        super().__init__()
        self.socket = socket
        self.events = events

    async def next(self, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(SOON):
            for _ in range(count):
                self.append((await anext(self.events))["branchChanged"])
        return self[-count:]


class Story:
    """A branch that is renamed, and those who follow it."""

    def __init__(
        self, engineer: Client, made: dict[str, Any], start: str, stack: AsyncExitStack
    ) -> None:
        self.engineer = engineer
        self.session_id = made["session"]["id"]
        self.branch = made["branches"][0]
        self.start = start
        self.stack = stack
        self.names = (f"Name {number}" for number in itertools.count())
        self.labels: list[str] = []
        """All that it was given, in order."""

    async def rename(self, count: int = 1) -> None:
        for _ in range(count):
            self.labels.append(next(self.names))
            await rename(self.engineer, self.branch, self.labels[-1])

    async def follow(
        self, client: Client, document: str = BRANCHES, after: str | None = None, **more: Any
    ) -> Told:
        """From the beginning on if `after` is not given."""
        variables = {"id": self.session_id, "after": after or self.start, **more}
        opened = await self.stack.enter_async_context(client.socket())
        return Told(opened, opened.follow(document, **variables))

    async def until_shared(
        self, everybody: Sequence[Told], encoded: list[bytes], audiences: int = 1
    ) -> None:
        """Events go on until the newest was written once for each audience."""
        async with asyncio.timeout(SOON):
            while len(encoded) < audiences:
                encoded.clear()
                await self.rename()
                await asyncio.gather(*(one.next() for one in everybody))
        encoded.clear()


@pytest.fixture
async def story(client: Client, colleagues: Colleagues, database_url: str) -> AsyncIterator[Story]:
    engineer = client.as_(colleagues.engineer)
    made = await opened(engineer, colleagues, database_url, "It fails. " * 2_000)
    async with AsyncExitStack() as stack:
        yield Story(engineer, made, await cursor_now(engineer), stack)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The answers that were written for an audience."""
    written: list[bytes] = []

    def encode(data: object) -> bytes:
        written.append(encoding.encode(data))
        return written[-1]

    monkeypatch.setattr(sharing, "encode", encode)
    return written


def narrow_line(host: str) -> socket.socket:
    """It takes in little that is not read."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    name, _, port = host.partition(":")
    line.connect((name, int(port)))
    return line


def labels(told: Sequence[dict[str, Any]]) -> list[str]:
    """Those of the moment in which it was told: an event that is told late has the newest."""
    return [event["branch"]["label"] for event in told]


def cursors(told: Sequence[dict[str, Any]]) -> list[str]:
    return [event["cursor"] for event in told]


async def test_many_are_told_by_one_execution_what_one_is_told_alone(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    people = (colleagues.engineer, colleagues.engineer2) * 4
    everybody = [await story.follow(client.as_(person)) for person in people]
    alone = await story.follow(client.as_(colleagues.lead), THE_SAME_ALONE)
    await story.until_shared([*everybody, alone], encoded)
    for _ in range(3):
        await story.rename()
        told = [await one.next() for one in (*everybody, alone)]
        assert all(one == told[0] for one in told)
    assert labels(alone) == story.labels
    assert len(encoded) == 3
    assert all(list(one) == list(alone) for one in everybody)


async def test_the_shortest_answer_is_framed_as_well(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    """Frames of less than 126 bytes have another head."""
    document = """subscription($id: ID!, $after: String) {
      branchChanged(sessionId: $id, after: $after) { __typename } }"""
    everybody = [await story.follow(client.as_(colleagues.engineer), document) for _ in range(2)]
    await story.until_shared(everybody, encoded)
    for _ in range(3):
        await story.rename()
        told = [await one.next() for one in everybody]
        assert told == [[{"__typename": "BranchUpdated"}]] * 2
    assert len(encoded) == 3


async def test_another_account_hears_nothing_though_it_asks_the_same(
    client: Client,
    colleagues: Colleagues,
    strangers: Colleagues,
    database_url: str,
    encoded: list[bytes],
) -> None:
    document = """subscription($after: String) { queueChanged(after: $after) { __typename
      ... on HandoffCreated { handoff { session { id } } }
      ... on HandoffCancelled { handoff { session { id } } } } }"""

    async def put_down_and_take_up(engineer: Client, session_id: str) -> None:
        made = await engineer.mutate(
            "handOffSession", "handoff { id }", sessionId=session_id, intent="PARK"
        )
        await engineer.mutate("cancelHandoff", "handoff { id }", handoffId=made["handoff"]["id"])

    async def sessions_until_it_is_taken_up(events: AsyncIterator[dict[str, Any]]) -> set[str]:
        seen = set()
        async with asyncio.timeout(SOON):
            async for event in events:
                if "handoff" in event["queueChanged"]:
                    seen.add(event["queueChanged"]["handoff"]["session"]["id"])
                if event["queueChanged"]["__typename"] == "HandoffCancelled":
                    return seen
        raise AssertionError("the events ended")

    async with AsyncExitStack() as stack:
        crowds = []
        for people in (colleagues, strangers):
            engineer = client.as_(people.engineer)
            session_id = (await opened(engineer, people, database_url))["session"]["id"]
            start = await cursor_now(engineer)
            followers = [
                await stack.enter_async_context(client.as_(person).subscribe(document, after=start))
                for person in (people.engineer, people.engineer2)
            ]
            crowds.append((engineer, session_id, followers))
        shared = 0
        async with asyncio.timeout(SOON):
            while shared < 8:
                for engineer, session_id, followers in crowds:
                    await put_down_and_take_up(engineer, session_id)
                    for follower in followers:
                        assert await sessions_until_it_is_taken_up(follower) == {session_id}
                shared = len(encoded)


async def test_who_comes_late_is_told_all_and_then_with_the_others(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    person = client.as_(colleagues.engineer2)
    everybody = [await story.follow(person) for _ in range(3)]
    await story.until_shared(everybody, encoded)
    await story.rename(2)
    for one in everybody:
        await one.next(2)
    late = await story.follow(person)
    later = await story.follow(person, after=everybody[0][-2]["cursor"])
    await late.next(len(story.labels))
    await later.next(1)
    encoded.clear()
    await story.until_shared([*everybody, late, later], encoded)
    assert cursors(late) == cursors(everybody[0])
    assert cursors(later) == cursors(everybody[0])[-len(later) :]
    assert all(list(one) == list(everybody[0]) for one in everybody)


async def back_after_three(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> tuple[Told, Told]:
    """Somebody who missed three events, which two others were told; and one of those."""
    person = client.as_(colleagues.engineer2)
    leaves, *others = [await story.follow(person) for _ in range(3)]
    await story.until_shared([leaves, *others], encoded)
    leaves.socket.connection.transport.abort()
    for _ in range(3):
        await story.rename()
        for one in others:
            await one.next()
    back = await story.follow(person, after=leaves[-1]["cursor"])
    await back.next(3)
    await story.rename()
    await asyncio.gather(*(one.next() for one in (back, *others)))
    assert cursors(back) == cursors(others[0])[-4:]
    assert labels(others[0]) == story.labels
    return back, others[0]


async def test_who_comes_back_is_told_what_the_others_were_told(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    back, other = await back_after_three(story, client, colleagues, encoded)
    assert list(back) == other[-4:]
    assert len(encoded) == 4  # one for each event, for whoever was told


@pytest.mark.parametrize(("cap", "value"), [("FRESH", 0.0), ("LARGEST", 10), ("KEPT", 0)])
async def test_what_is_old_or_large_or_too_much_is_not_kept(
    story: Story,
    client: Client,
    colleagues: Colleagues,
    encoded: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    cap: str,
    value: float,
) -> None:
    monkeypatch.setattr(sharing, cap, value)
    back, _ = await back_after_three(story, client, colleagues, encoded)
    assert labels(back) == [story.labels[-2]] * 3 + [story.labels[-1]]


async def test_all_who_come_back_at_once_are_told_by_one_execution(
    story: Story, client: Client, colleagues: Colleagues, runtime: Runtime, encoded: list[bytes]
) -> None:
    people = [client.as_(person) for person in (colleagues.engineer, colleagues.engineer2)]
    crowd = [await story.follow(people[number % 2]) for number in range(10)]
    await story.until_shared(crowd, encoded)
    for one in crowd:
        one.socket.connection.transport.abort()
    async with asyncio.timeout(SOON):
        while runtime.audiences:
            await story.engineer.run("{ viewer { user { id } } }")
    await story.rename(20)
    after = crowd[0][-1]["cursor"]
    backs = await asyncio.gather(
        *(story.follow(people[number % 2], after=after) for number in range(10))
    )
    await asyncio.gather(*(one.next(20) for one in backs))
    alone = await story.follow(people[0], THE_SAME_ALONE, after=after)
    await alone.next(20)
    assert all(list(one) == list(alone) for one in backs)
    assert 0 < len(encoded) <= 20


async def test_each_is_told_of_their_own(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    """What depends on who asks is told to each alone."""
    document = BRANCHES.replace("label", "label unreadCount session { viewerBranch { id } }")
    engineer, colleague = client.as_(colleagues.engineer), client.as_(colleagues.engineer2)
    trunk = (await engineer.run("query($id: ID!) { session(id: $id) { rootBranch { id } } }",
             id=story.session_id))["session"]["rootBranch"]["id"]  # fmt: skip
    await engineer.mutate("lookAtBranch", "branch { id }", branchId=story.branch["id"])
    await colleague.mutate("lookAtBranch", "branch { id }", branchId=trunk)
    everybody = [await story.follow(person, document) for person in (engineer, colleague) * 2]
    for _ in range(4):
        await story.rename()
        told = [(await one.next())[0]["branch"]["session"] for one in everybody]
        assert [session["viewerBranch"]["id"] for session in told] == [
            story.branch["id"],
            trunk,
        ] * 2
    assert encoded == []


async def test_an_answer_with_errors_is_told_to_each_alone(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    document = BRANCHES.replace("label", 'label session { at(cursor: "of nothing") { cursor } }')
    person = client.as_(colleagues.engineer2)
    sockets = [await story.stack.enter_async_context(person.socket()) for _ in range(3)]
    payload = {"query": document, "variables": {"id": story.session_id, "after": story.start}}
    for one in sockets:
        await one.send({"id": "1", "type": "subscribe", "payload": payload})
    for _ in range(4):
        await story.rename()
        told = [(await one.receive())["payload"] for one in sockets]
        assert told == [told[0]] * 3
        shown = told[0]["data"]["branchChanged"]["branch"]
        assert shown == {"label": story.labels[-1], "session": {"at": None}}
        (error,) = told[0]["errors"]
        assert error["path"] == ["branchChanged", "branch", "session", "at"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert encoded == []


async def test_who_gets_another_role_is_told_on_and_who_is_shut_out_nothing_more(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    admin = client.as_(colleagues.admin)
    people = (colleagues.engineer, colleagues.engineer2, colleagues.lead)
    stays, leaves, rises = [
        [await story.follow(client.as_(person)) for _ in range(2)] for person in people
    ]
    await story.until_shared([*stays, *leaves, *rises], encoded, audiences=2)
    risen = await admin.mutate(
        "saveMember", "member { role }", userId=colleagues.lead.id, role="ADMIN", expectedVersion=1
    )
    assert risen["member"] == {"role": "ADMIN"}
    await admin.mutate("deactivateMember", "member { id }", userId=colleagues.engineer2.id)
    for _ in range(4):
        await story.rename()
        for one in (*stays, *rises):
            await one.next()
    for one in leaves:
        with pytest.raises(ConnectionClosed) as closed:
            await one.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
    assert all(labels(one) == story.labels[:-4] for one in leaves)
    assert all(labels(one) == story.labels for one in (*stays, *rises))


async def test_what_was_not_for_them_does_not_count_as_missed(
    story: Story,
    client: Client,
    colleagues: Colleagues,
    encoded: list[bytes],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long time with nothing for an audience, and then each must look after themselves."""
    monkeypatch.setattr(feed, "FAR_BEHIND", 20)
    document = """subscription($id: ID!, $after: String) { branchChanged: sessionChanged(
      sessionId: $id, after: $after) { __typename ... on Event { cursor }
      ... on BranchUpdated { branch { label } } } }"""
    colleague = client.as_(colleagues.engineer2)
    elsewhere = (await opened(colleague, colleagues, database_url))["branches"][0]
    story.start = await cursor_now(colleague)
    everybody = [await story.follow(client.as_(colleagues.engineer), document) for _ in range(3)]
    await story.until_shared(everybody, encoded)
    for number in range(30):
        await rename(colleague, elsewhere, f"Other {number}")
    await client.as_(colleagues.admin).mutate(
        "deactivateMember", "member { id }", userId=colleagues.lead.id
    )
    await story.rename()
    for one in everybody:
        await one.next()
    assert all(labels(one) == story.labels for one in everybody)


async def test_other_variables_are_another_question(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    document = BRANCHES.replace(
        "$after: String", "$after: String, $short: Boolean = false"
    ).replace("cursor", "cursor @skip(if: $short)")
    person = client.as_(colleagues.engineer)
    long = [await story.follow(person, document, short=False) for _ in range(2)]
    short = [await story.follow(person, document, short=True) for _ in range(2)]
    await story.until_shared([*long, *short], encoded)
    for _ in range(3):
        await story.rename()
        told = [(await one.next())[0] for one in (*long, *short)]
        assert [sorted(event) for event in told] == [
            *[["__typename", "actor", "branch", "cursor"]] * 2,
            *[["__typename", "actor", "branch"]] * 2,
        ]


async def test_a_place_that_is_asked_for_elsewhere_is_nobody_elses(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    """The variable that says where to begin is read by a field, too."""
    document = BRANCHES.replace("label", "label session { at(cursor: $after) { cursor } }").replace(
        "$after: String", "$after: String!"
    )
    person = client.as_(colleagues.engineer)
    await story.rename()
    first = await story.follow(person, document)
    early = (await first.next())[0]["cursor"]
    second = await story.follow(person, document, after=early)
    for _ in range(3):
        await story.rename()
        begun = [(await one.next())[0]["branch"]["session"]["at"] for one in (first, second)]
        assert [at["cursor"] for at in begun] == [story.start, early]
    assert encoded == []


@pytest.mark.filterwarnings(NEVER_AWAITED)
async def test_an_id_that_is_used_again_hears_nothing_of_its_former_use(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    person = client.as_(colleagues.engineer)
    others = [await story.follow(person) for _ in range(2)]
    async with person.socket() as again:
        last = story.start
        for _ in range(3):
            payload = {"query": BRANCHES, "variables": {"id": story.session_id, "after": last}}
            await again.send({"id": "1", "type": "subscribe", "payload": payload})
            await again.send({"type": "ping"})
            assert await again.receive() == {"type": "pong"}
            for _ in range(4):
                await story.rename()
                for one in others:
                    await one.next()
                message = await again.receive()
                told = message["payload"]["data"]["branchChanged"]
                assert told == others[0][-1]
                last = told["cursor"]
            await again.send({"id": "1", "type": "complete"})
    assert encoded


async def test_nothing_is_left_when_all_have_gone(
    story: Story, client: Client, colleagues: Colleagues, runtime: Runtime, encoded: list[bytes]
) -> None:
    async with AsyncExitStack() as stack:
        story.stack = stack
        everybody = [await story.follow(client.as_(colleagues.engineer)) for _ in range(3)]
        await story.until_shared(everybody, encoded)
        assert runtime.audiences
    async with asyncio.timeout(SOON):
        while runtime.audiences or any(
            task.get_name() == "audience" for task in asyncio.all_tasks()
        ):
            await story.engineer.run("{ viewer { user { id } } }")


@pytest.mark.filterwarnings(NEVER_AWAITED)
async def test_who_does_not_read_holds_nobody_up_and_misses_nothing(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes]
) -> None:
    """Each event is nearly a million bytes, and ten are more than a connection takes in."""
    much = " ".join(f"m{number}: body" for number in range(45))
    intake = (
        f"session {{ rootBranch {{ messages(first: 1) {{ edges {{ node {{ {much} }} }} }} }} }}"
    )
    document = BRANCHES.replace("label", f"label {intake}")
    person = client.as_(colleagues.engineer)
    readers = [await story.follow(person, document) for _ in range(2)]
    async with person.socket(narrow_line(person.host)) as deaf:
        payload = {"query": document, "variables": {"id": story.session_id, "after": story.start}}
        await deaf.send({"id": "1", "type": "subscribe", "payload": payload})
        await story.until_shared(readers, encoded)
        deaf.connection.transport.pause_reading()
        for _ in range(10):
            await story.rename()
            for one in readers:
                await one.next()
        deaf.connection.transport.resume_reading()
        heard = [(await deaf.receive())["payload"]["data"]["branchChanged"] for _ in story.labels]
    assert cursors(heard) == cursors(readers[0])
    assert all(labels(one) == story.labels for one in readers)


@pytest.mark.filterwarnings(NEVER_AWAITED)
@pytest.mark.parametrize("seed", range(3))
async def test_whoever_comes_and_goes_is_told_each_event_once_in_order(
    story: Story, client: Client, colleagues: Colleagues, encoded: list[bytes], seed: int
) -> None:
    chance = random.Random(seed)
    people = [client.as_(person) for person in (colleagues.engineer, colleagues.engineer2)]
    everybody = [await story.follow(people[number % 2]) for number in range(8)]
    for _ in range(25):
        await story.rename(chance.randint(1, 3))
        for number in chance.sample(range(8), 3):
            one = everybody[number]
            if chance.random() < 0.5:
                await one.next(chance.randint(0, len(story.labels) - len(one)))
            after = one[-1]["cursor"] if one else story.start
            one.socket.connection.transport.abort()
            back = await story.follow(people[chance.randint(0, 1)], after=after)
            back[:0] = one
            everybody[number] = back
        for one in chance.sample(everybody, 4):
            await one.next(len(story.labels) - len(one))
    for one in everybody:
        await one.next(len(story.labels) - len(one))
    alone = await story.follow(people[0], THE_SAME_ALONE)
    await alone.next(len(story.labels))
    assert all(cursors(one) == cursors(alone) for one in everybody)
    assert encoded
