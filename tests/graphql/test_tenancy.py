"""A second account sees nothing of the first and changes nothing of it, through any root field.

Each mutation has one input, made of a world's own ids. It succeeds for whoever owns them; with any of
its ids taken from another account it is refused as if that id named nothing.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_composite_type,
)

from app import create_app
from services import database
from services.ai.scripted import ScriptedProvider
from services.runtime import Runtime
from settings import Settings
from tests.client import Client, GraphQLFailure
from tests.conftest import OUTGOING, SECRET, UNTHROTTLED, served
from tests.factories import ROLES, Colleagues, make_account
from tests.tables import Snapshot, as_owner, event_seq, snapshot, until_idle
from tests.wall import Forgetful, forget_filters
from tests.worlds import (
    INPUTS,
    MEMBER_PASSWORD,
    MORE_INPUTS,
    Input,
    World,
    build_world,
    is_node_id,
    started,
)

SCHEMA = build_schema((Path(__file__).parents[2] / "schema" / "schema.graphql").read_text())

Path_ = tuple[str | int, ...]

# Arguments that name something in the world; every root field but those of Mutation.
READS: dict[str, Callable[[World], Input]] = {
    "viewer": lambda _: {},
    "members": lambda _: {},
    "apiKeys": lambda _: {},
    "node": lambda w: {"id": w.session},
    "nodes": lambda w: {"ids": w.ids},
    "session": lambda w: {"id": w.session},
    "branch": lambda w: {"id": w.active},
    "messagePrompt": lambda w: {"messageId": w.answer},
    "sessions": lambda w: {
        "filter": {"assigneeId": w.admin, "teamId": w.team, "search": w.mark},
        "after": w.session_page,
    },
    "kbArticles": lambda w: {"search": w.mark, "after": w.library_page},
    "integrations": lambda _: {},
    "deliveryPreview": lambda w: {"handoffId": w.claimable},
    "outputDeliveryPreview": lambda w: {
        "outputId": w.approved_notes,
        "destination": "PSA",
        "integrationId": w.integration,
    },
    "queue": lambda w: {"filter": {"teamId": w.team, "domain": w.mark}, "after": w.queue_page},
}
FOLLOWS: dict[str, Callable[[World], Input]] = {
    "sessionsChanged": lambda w: {
        "filter": {"assigneeId": w.admin, "teamId": w.team},
        "after": w.event_cursor,
    },
    "sessionChanged": lambda w: {"sessionId": w.session, "after": w.event_cursor},
    "branchChanged": lambda w: {"sessionId": w.session, "after": w.event_cursor},
    "queueChanged": lambda w: {"filter": {"teamId": w.team}, "after": w.event_cursor},
    "messageStreamed": lambda w: {"messageId": w.pending},
    "presenceChanged": lambda w: {"sessionId": w.session},
}
NEEDS_NO_TOKEN = {"signIn", "refreshTokens"}

SESSION_WITH_ALL = """
  id viewerBranch { id } presence { user { id } branch { id } }
  intake { text } problemSummary eventCursor assignee { id email } openedBy { id } team { id }
  branches(includeArchived: true) {
    id label unreadCount description statusReason findings { claim }
    revivals { description evidence { body } }
    messages(scope: LINEAGE, first: 41) {
      edges { node {
        id body author { id } attachments { id filename } suggestedArticles { id title }
      } }
    }
    rankings { why } merges { id findings { claim } }
  }
  ruleOutMatrix { hypotheses { id } rows { finding { id } cells } }
  revivalProposals { id why reason } secondOpinions { id state }
  forkPoints { id reason options { similarOutcomes { branch { id } session { id } } } }
  integration { id name }
  handoffs {
    id engineerNotes snapshot { branchMap { label } }
    deliveries { id content attempts { detail } requests { body } integration { id } }
  }
  findings { id claim evidence { body } }
  uploads { id filename extractedText url }
  resolutionOutputs {
    id content sentences { text sources { id } } revisions { content author { id } }
    deliveries { id content }
  }
  similarSessions { session { id problemSummary } solvedBy { id } }
  steps { edges { node { id content { ... on NoteStep { text } } } } }
  export(format: ARCHIVE) { url filename }
  timeline(first: 20) { edges { cursor node { actor { id } ... on MessageAdded { message { id body } } } } }
"""
EVERYTHING = f"""{{
  viewer {{
    account {{
      id name teams {{ id members {{ id email }} }}
      auditEntries(first: 100) {{
        edges {{ node {{ target {{ id }} actor {{ id }} changes {{ before after }} }} }}
      }}
    }}
    user {{ id email }}
  }}
  members {{ id email displayName }}
  apiKeys {{ id name prefix }}
  sessions(first: 100) {{ edges {{ cursor node {{ {SESSION_WITH_ALL} }} }} }}
  queue(first: 100) {{ totalCount edges {{ node {{ id session {{ id }} }} }} }}
  integrations {{ id name baseUrl }}
  kbArticles(first: 100) {{
    edges {{ node {{ id title content {{ tags }} sourceSession {{ id }} }} }}
  }}
}}"""


# ------------------------------------------------------------------ one wall or two


@pytest.fixture(scope="module")
async def forgetful(
    database_url: str, provider: ScriptedProvider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Forgetful]]:
    """A server that filters nothing by account, in requests, jobs and the feed."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("forgetful"), secret_key=SECRET, outgoing_allowed=OUTGOING
    )
    app = create_app(settings, database_url, provider, limits=UNTHROTTLED)
    async with served(app) as host:
        yield host, forget_filters(app.state.runtime.engine)


@pytest.fixture(params=["both walls", "row-level security alone"])
async def client(
    request: pytest.FixtureRequest,
    address: tuple[str, Runtime],
    forgetful: tuple[str, Forgetful],
) -> AsyncIterator[Client]:
    """Every test here passes, too, where all services have forgotten whose what is."""
    host = address[0] if request.param == "both walls" else forgetful[0]
    async with Client(host) as stranger:
        yield stranger


# ------------------------------------------------------------------ two worlds


@dataclass(frozen=True)
class Pair:
    ours: World
    theirs: World


@pytest.fixture(scope="module")
async def worlds(address: tuple[str, Runtime], database_url: str) -> Pair:
    """What is refused changes nothing, so that every test may use the same two."""
    async with Client(address[0]) as client:
        built = [
            await build_world(client, database_url, await make_account(address[1], database_url))
            for _ in range(2)
        ]
    return Pair(*built)


@dataclass(frozen=True)
class State:
    seq: int
    rows: Snapshot


async def state(owner_url: str, world: World) -> State:
    account_id = world.people.account_id
    async with as_owner(owner_url) as db:
        return State(await event_seq(db, account_id), await snapshot(db, account_id))


@pytest.fixture
async def untouched(worlds: Pair, database_url: str) -> Any:
    """Neither account has another row, or another version of a row, than before."""
    before = [await state(database_url, world) for world in (worlds.ours, worlds.theirs)]
    yield
    after = [await state(database_url, world) for world in (worlds.ours, worlds.theirs)]
    assert after == before


def assert_silent(answer: object, world: World, *sent: str) -> None:
    """No text and no key of the world is in the answer, but for the ids that were sent."""
    text = str(answer)
    for id in sent:
        text = text.replace(id, "")
    assert world.mark not in text
    for key in (id[3:] for id in world.ids):
        assert key not in text
    assert world.people.account_id.hex not in text


# ------------------------------------------------------------------ what the schema has


def root_fields(root: str) -> dict[str, Any]:
    kind = SCHEMA.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    return kind.fields


def id_places(arguments: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Where an input holds node ids, cursors or keys of its world."""
    for name, argument in arguments.items():
        assert isinstance(argument, GraphQLArgument | GraphQLInputField)
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            for place in id_places(kind.fields):
                yield (name, *place)
        elif kind.name == "ID" or name in {"after", "refreshToken"}:
            yield (name,)


def places_in(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The paths of the leaves."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*path, key))
    else:
        yield path


def names_of(path: Path_) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))


def test_every_root_field_is_tried(worlds: Pair) -> None:
    assert set(INPUTS) == set(root_fields("Mutation"))
    assert set(READS) == set(root_fields("Query"))
    assert set(FOLLOWS) == set(root_fields("Subscription"))


@pytest.mark.parametrize("root", ["Mutation", "Query", "Subscription"])
def test_every_id_is_tried(root: str, worlds: Pair) -> None:
    tried = set()
    for name, build in [*INPUTS.items(), *MORE_INPUTS, *READS.items(), *FOLLOWS.items()]:
        prefix: Path_ = ("input",) if name in INPUTS else ()
        given = build(worlds.theirs)
        tried.update({(name, *prefix, *names_of(path)) for path in places_in(given)})
    needed = {
        (name, *place)
        for name, field in root_fields(root).items()
        for place in id_places(field.args)
    }
    assert needed <= tried


# ------------------------------------------------------------------ mutations


def get(value: Any, path: Path_) -> Any:
    for part in path:
        value = value[part]
    return value


def put(value: Any, path: Path_, item: Any) -> Any:
    changed = deepcopy(value)
    get(changed, path[:-1])[path[-1]] = item
    return changed


CASES = [*INPUTS.items(), *MORE_INPUTS]


class AnyWorld:
    """Says only which places of an input hold ids."""

    versions: dict[str, int]

    def __getattr__(self, name: str) -> Any:
        if name == "versions":
            return _AnyVersion()
        return "xx_" + "0" * 32


class _AnyVersion(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 1


# A ticket is an object of the ticket system's, not of an account here.
FOREIGN = [
    (index, path)
    for index, (_, build) in enumerate(CASES)
    for path in places_in(build(AnyWorld()))  # type: ignore[arg-type]
    if names_of(path)[-1].endswith(("Id", "Ids")) and names_of(path)[-1] != "psaTicketId"
]


@pytest.mark.parametrize(
    ("case", "path"),
    FOREIGN,
    ids=[f"{CASES[case][0]}-{'.'.join(map(str, path))}" for case, path in FOREIGN],
)
async def test_one_foreign_id_among_our_own_is_not_found(
    client: Client, worlds: Pair, untouched: None, case: int, path: Path_
) -> None:
    name, build = CASES[case]
    foreign = get(build(worlds.theirs), path)
    sent = put(build(worlds.ours), path, foreign)
    if "idempotencyKey" in sent:
        sent["idempotencyKey"] = str(uuid4())
    refused = await client.as_(worlds.ours.people.admin).mutate(name, "__typename", **sent)
    assert refused == {
        "__typename": "NotFoundError",
        "message": "There is no such object, or you may not see it.",
        "id": foreign,
    }


@pytest.mark.parametrize("case", sorted({case for case, _ in FOREIGN}), ids=lambda i: CASES[i][0])
async def test_an_input_of_nothing_but_foreign_ids_is_not_found(
    client: Client, worlds: Pair, untouched: None, case: int
) -> None:
    name, build = CASES[case]
    sent = build(worlds.theirs)
    refused = await client.as_(worlds.ours.people.admin).mutate(name, "__typename", **sent)
    assert refused["__typename"] == "NotFoundError"
    assert refused["id"] in [get(sent, path) for path in places_in(sent)]
    assert_silent(refused, worlds.theirs, refused["id"])


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{i}-{CASES[i][0]}")
async def test_no_mutation_but_signing_in_works_without_a_token(
    client: Client, worlds: Pair, untouched: None, case: int
) -> None:
    name, build = CASES[case]
    if name in NEEDS_NO_TOKEN:
        key = next(iter(build(worlds.theirs)))
        answer = await client.mutate(name, "__typename", **{**build(worlds.theirs), key: "wrong"})
        assert answer["__typename"] == "PermissionDeniedError"
        return
    for stranger in (client, client.with_token("worthless")):
        with pytest.raises(GraphQLFailure) as caught:
            await stranger.mutate(name, "__typename", **build(worlds.theirs))
        assert [error["extensions"] for error in caught.value.errors] == [
            {"code": "UNAUTHENTICATED"}
        ]


async def test_what_is_no_id_opens_nothing_either(
    client: Client, worlds: Pair, database_url: str
) -> None:
    ours, theirs = worlds.ours, worlds.theirs
    admin = client.as_(ours.people.admin)
    before = await state(database_url, theirs)
    wrong = {**INPUTS["signIn"](theirs), "password": "correct horse batterx"}
    refused = await admin.mutate("signIn", "__typename", **wrong)
    assert refused["__typename"] == "PermissionDeniedError"
    left_alone = await admin.mutate("signOut", "__typename", refreshToken=theirs.refresh_token)
    assert left_alone["__typename"] == "SignOutSuccess"
    taken = await admin.mutate(
        "saveMember",
        "__typename",
        email=f"{theirs.mark}@desk.example",
        displayName="Twin",
        role="ENGINEER",
        password=MEMBER_PASSWORD,
    )
    assert taken["fields"] == [
        {"path": ["email"], "message": "This e-mail address cannot be used."}
    ]
    made = await admin.mutate(
        "createApiKey",
        "apiKey { id } secret",
        **{**INPUTS["createApiKey"](theirs), "name": "Ours"},
    )
    assert made["secret"] != theirs.secret
    assert_silent(made, theirs)
    after = await state(database_url, theirs)
    new = set(after.rows["audit_entries"].splitlines()) - set(
        before.rows["audit_entries"].splitlines()
    )
    assert ["sign_in_refused" in row for row in new] == [True]
    assert replace(after, rows={**after.rows, "audit_entries": ""}) == replace(
        before, rows={**before.rows, "audit_entries": ""}
    )


async def test_everything_refused_above_succeeds_for_its_owner(
    client: Client, runtime: Runtime, database_url: str
) -> None:
    """So none was refused for another reason than whose it is."""
    world = await build_world(client, database_url, await make_account(runtime, database_url))
    admin = client.as_(world.people.admin)
    last = {"signOut": 1, "deactivateMember": 2, "revokeApiKey": 3}
    for name, build in sorted(CASES, key=lambda case: last.get(case[0], 0)):
        if name == "refreshTokens":
            continue  # uses up what signOut ends
        answer = await admin.mutate(name, "__typename", **build(world))
        assert answer["__typename"].endswith("Success"), (name, answer)
    await until_idle(database_url, world.people.account_id)


# ------------------------------------------------------------------ queries


async def test_no_id_names_anything(client: Client, worlds: Pair, untouched: None) -> None:
    admin, theirs = client.as_(worlds.ours.people.admin), worlds.theirs
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await client.as_(theirs.people.admin).run(document, ids=theirs.ids))["nodes"] == [
        {"id": id} for id in theirs.ids
    ]
    assert (await admin.run(document, ids=theirs.ids))["nodes"] == [None] * len(theirs.ids)
    for field in ("node", "session", "branch"):
        one = f"query($id: ID!) {{ {field}(id: $id) {{ __typename }} }}"
        for id in theirs.ids:
            assert await admin.run(one, id=id) == {field: None}


async def test_lists_hold_only_our_own(client: Client, worlds: Pair, untouched: None) -> None:
    ours, theirs = worlds.ours, worlds.theirs
    seen = await client.as_(ours.people.admin).run(EVERYTHING)
    assert ours.mark in str(seen)
    assert_silent(seen, theirs)
    assert {edge["node"]["id"] for edge in seen["sessions"]["edges"]} == {
        ours.session,
        ours.waiting,
        ours.parked,
        ours.idle,
        ours.kept,
        ours.given_back,
        ours.given,
        ours.doubted,
        ours.resolved,
        ours.resolvable,
        ours.abandonable,
        ours.last_answer_in,
        ours.written_anew_in,
        ours.ended,
    }
    assert [edge["node"]["id"] for edge in seen["kbArticles"]["edges"]] == [ours.article]
    (waiting,) = [e["node"] for e in seen["sessions"]["edges"] if e["node"]["id"] == ours.waiting]
    assert [found["session"]["id"] for found in waiting["similarSessions"]] == [ours.resolved]
    assert {edge["node"]["id"] for edge in seen["queue"]["edges"]} == {
        ours.claimable,
        ours.cancellable,
    }


LIST = "edges { node { id } }"


@pytest.mark.parametrize(
    ("field", "kind", "wanted"),
    [
        ("sessions", "SessionFilter", lambda w: {"assigneeId": w.admin}),
        ("sessions", "SessionFilter", lambda w: {"teamId": w.team}),
        ("sessions", "SessionFilter", lambda w: {"search": w.mark}),
        ("queue", "QueueFilter", lambda w: {"teamId": w.team}),
        ("queue", "QueueFilter", lambda w: {"domain": w.mark}),
    ],
    ids=["assignee", "team", "search", "queue-team", "queue-domain"],
)
async def test_no_filter_finds_what_is_foreign(
    client: Client,
    worlds: Pair,
    untouched: None,
    field: str,
    kind: str,
    wanted: Callable[[World], Input],
) -> None:
    document = f"query($filter: {kind}) {{ {field}(filter: $filter) {{ {LIST} }} }}"
    given = wanted(worlds.theirs)
    assert (await client.as_(worlds.theirs.people.admin).run(document, filter=given))[field][
        "edges"
    ]
    seen = await client.as_(worlds.ours.people.admin).run(document, filter=given)
    assert seen == {field: {"edges": []}}


@pytest.mark.parametrize(
    ("field", "cursor"),
    [("sessions", "session_page"), ("queue", "queue_page"), ("kbArticles", "library_page")],
)
async def test_a_foreign_place_in_a_list_shows_only_our_own(
    client: Client, worlds: Pair, untouched: None, field: str, cursor: str
) -> None:
    document = f"query($after: String) {{ {field}(after: $after) {{ {LIST} }} }}"
    for reader, other in ((worlds.ours, worlds.theirs), (worlds.theirs, worlds.ours)):
        seen = await client.as_(reader.people.admin).run(document, after=getattr(other, cursor))
        assert_silent(seen, other)


# ------------------------------------------------------------------ subscriptions


@pytest.mark.parametrize("field", ["sessionsChanged", "queueChanged"])
async def test_a_foreign_cursor_resets_a_list(
    client: Client, worlds: Pair, untouched: None, field: str
) -> None:
    ours, theirs = worlds.ours, worlds.theirs
    given = FOLLOWS[field](theirs)
    seen = [event async for event in _followed(client.as_(ours.people.admin), field, given)]
    assert [event[field]["__typename"] for event in seen] == ["FeedReset"]
    assert seen[0][field]["cursor"] == ours.event_cursor
    assert_silent(seen, theirs)


@pytest.mark.parametrize("field", ["sessionChanged", "branchChanged"])
async def test_a_foreign_cursor_resets_our_own_session(
    client: Client, worlds: Pair, untouched: None, field: str
) -> None:
    given = {"sessionId": worlds.ours.session, "after": worlds.theirs.event_cursor}
    admin = client.as_(worlds.ours.people.admin)
    seen = [event async for event in _followed(admin, field, given)]
    reset = {"__typename": "FeedReset", "cursor": worlds.ours.event_cursor}
    assert seen == [{field: reset}]


@pytest.mark.parametrize(
    "field", ["sessionChanged", "branchChanged", "messageStreamed", "presenceChanged"]
)
async def test_what_is_foreign_cannot_be_followed(
    client: Client, worlds: Pair, untouched: None, field: str
) -> None:
    given = {**FOLLOWS[field](worlds.theirs)}
    given.pop("after", None)
    with pytest.raises(GraphQLFailure) as caught:
        async for _ in _followed(client.as_(worlds.ours.people.admin), field, given):
            pass
    assert caught.value.code == "NOT_FOUND"
    assert_silent(caught.value.errors, worlds.theirs)


async def test_what_a_foreign_account_does_is_not_heard(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    """They act, then we act: the first that a follower hears is ours."""
    ours, theirs = client.as_(colleagues.admin), client.as_(strangers.admin)
    opened = await started(ours, "ours")
    document = "{ sessions(first: 1) { eventCursor } }"
    cursor = (await ours.run(document))["sessions"]["eventCursor"]
    followers: dict[str, Input] = {
        "sessionsChanged": {"after": cursor},
        "queueChanged": {"after": cursor},
        "sessionChanged": {"sessionId": opened["id"], "after": cursor},
    }
    foreign = await started(theirs, "theirs")
    for actor, session in ((theirs, foreign), (ours, opened)):
        await actor.mutate(
            "handOffSession", "__typename", sessionId=session["id"], intent="ESCALATE"
        )
    for field, given in followers.items():
        async for event in _followed(ours, field, given):
            first = event[field]
            break
        hexes = colleagues.account_id.hex, strangers.account_id.hex
        assert first["cursor"][3:35] == hexes[0]
        assert int(first["cursor"][35:], 16) - int(cursor[35:], 16) in {1, 2}


def _arguments(root: str, field: str, given: Input) -> tuple[str, str]:
    """Declarations of the variables, and their use."""
    arguments = root_fields(root)[field].args
    declared = ", ".join(f"${name}: {arguments[name].type}" for name in given)
    used = ", ".join(f"{name}: ${name}" for name in given)
    return (f"({declared})", f"({used})") if given else ("", "")


def _document(root: str, field: str, given: Input) -> str:
    declared, used = _arguments(root, field, given)
    composite = is_composite_type(get_named_type(root_fields(root)[field].type))
    selection = "{ __typename ... on Event { cursor } }" if root == "Subscription" else ""
    if field in {"messageStreamed", "presenceChanged"} or (composite and not selection):
        selection = "{ __typename }"
    return f"{root.lower()}{declared} {{ {field}{used} {selection} }}"


async def _followed(client: Client, field: str, given: Input) -> Any:
    async with client.subscribe(_document("Subscription", field, given), **given) as events:
        async for event in events:
            yield event


# ------------------------------------------------------------------ nobody


@pytest.mark.parametrize("field", READS)
async def test_no_query_works_without_a_token(
    client: Client, worlds: Pair, untouched: None, field: str
) -> None:
    for given in (READS[field](worlds.theirs), _malformed(READS[field](worlds.theirs))):
        for stranger in (client, client.with_token("worthless")):
            with pytest.raises(GraphQLFailure) as caught:
                await stranger.run(_document("Query", field, given), **given)
            assert {error["extensions"]["code"] for error in caught.value.errors} == {
                "UNAUTHENTICATED"
            }
            assert_silent(caught.value.errors, worlds.theirs)


@pytest.mark.parametrize("field", FOLLOWS)
async def test_no_subscription_works_without_a_token(
    client: Client, worlds: Pair, untouched: None, field: str
) -> None:
    for given in (FOLLOWS[field](worlds.theirs), _malformed(FOLLOWS[field](worlds.theirs))):
        with pytest.raises(GraphQLFailure) as caught:
            async for _ in _followed(client, field, given):
                pass
        assert caught.value.code == "UNAUTHENTICATED"


def _malformed(given: Input) -> Input:
    """Whoever has not signed in is not told that an id is none."""
    for path in list(places_in(given)):
        if is_node_id(get(given, path)):
            given = put(given, path, "none")
    return given


def test_the_two_worlds_have_nothing_in_common(worlds: Pair) -> None:
    keys = [UUID(id[3:]) for world in (worlds.ours, worlds.theirs) for id in world.ids]
    assert len(set(keys)) == 2 * len(set(worlds.ours.ids))


# ------------------------------------------------------------------ whether the wall is what holds


async def test_the_forgetful_server_filters_nothing(
    forgetful: tuple[str, Forgetful], worlds: Pair
) -> None:
    host, memory = forgetful
    removed = memory.removed
    async with Client(host) as stranger:
        seen = await stranger.as_(worlds.ours.people.admin).run(EVERYTHING)
    assert_silent(seen, worlds.theirs)
    assert memory.removed - removed > 50
    assert memory.kept == []


async def test_without_any_wall_the_other_account_is_seen(
    database_url: str, worlds: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So it is row-level security that hides it above, and nothing that the tests overlook."""
    monkeypatch.setattr(database, "APP_ROLE", "none")  # as the owner, whom no policy binds
    settings = Settings(data_dir=tmp_path, secret_key=SECRET, worker_concurrency=0)
    app = create_app(settings, database_url, limits=UNTHROTTLED)
    theirs = worlds.theirs
    async with served(app) as host, Client(host) as stranger:
        forget_filters(app.state.runtime.engine)
        admin = stranger.as_(worlds.ours.people.admin)
        # Sessions and the queue ask for the account's newest event, and now there are many accounts.
        ids = [id for id in theirs.ids if not id.startswith("se_")]
        seen = await admin.run("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
        assert seen["nodes"] == [{"id": id} for id in ids]
        members = (await admin.run("{ members { id } }"))["members"]
        assert len(members) > len([worlds.ours.member, *ROLES])
        given = {"messageId": theirs.answer}
        pieces = [piece async for piece in _followed(admin, "messageStreamed", given)]
        assert pieces[-1] == {"messageStreamed": {"__typename": "MessageEnded"}}
