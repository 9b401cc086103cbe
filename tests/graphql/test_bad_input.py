"""What is refused: with the exact member or code, with nothing changed, published or given away."""

import re
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import Base
from services.ids import new_id
from services.runtime import Runtime
from tests.client import KEYED, Client, GraphQLFailure
from tests.factories import Colleagues, make_account
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.worlds import INPUTS, Input, World, build_world, is_node_id

TABLES = "|".join(
    {*Base.metadata.tables, "procrastinate"} - {"accounts", "events", "findings", "teams", "users"}
)
INSIDE = re.compile(
    rf"Traceback|File \"|\.py|object has no|NoneType|<class|sqlalchemy|asyncpg|psycopg|strawberry"
    rf"|\b(SELECT|INSERT|UPDATE|DELETE) |relation|constraint|Error\(|KeyError|ValueError|TypeError"
    rf"|DataError|{TABLES}"
)


def assert_tells_nothing_of_the_inside(answer: object) -> None:
    found = INSIDE.search(str(answer))
    assert found is None, found


# ------------------------------------------------------------------ one world, which stays as it is


@pytest.fixture(scope="module")
async def world(address: tuple[str, Runtime], database_url: str) -> World:
    async with Client(address[0]) as client:
        people = await make_account(address[1], database_url)
        built = await build_world(client, database_url, people)
        await client.as_(people.admin).mutate(
            "forkBranch",
            "__typename",
            sessionId=built.session,
            forkPointId=built.fork_point,
            reason="It has the label of the archived one",
            options=[{"label": f"{built.mark} ARCHIVED", "description": "And Ünicode"}],
        )
    return built


@pytest.fixture
async def untouched(world: World, database_url: str) -> AsyncIterator[None]:
    account_id = world.people.account_id
    async with as_owner(database_url) as db:
        before = await event_seq(db, account_id), await snapshot(db, account_id)
    yield
    async with as_owner(database_url) as db:
        assert (await event_seq(db, account_id), await snapshot(db, account_id)) == before


@pytest.fixture
def admin(client: Client, world: World) -> Client:
    return client.as_(world.people.admin)


async def refused(client: Client, name: str, given: Input) -> dict[str, Any]:
    """The member, after a look that it tells nothing of the inside."""
    given = deepcopy(given)
    if name in KEYED:
        given.setdefault("idempotencyKey", str(uuid4()))
    answer = await client.mutate(name, "__typename", **given)
    assert_tells_nothing_of_the_inside(answer)
    assert answer["message"]
    return answer


def put(given: Input, path: str, value: object) -> Input:
    changed: Any = deepcopy(given)
    here = changed
    *parts, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parts:
        if isinstance(here, dict):
            here.setdefault(part, {})
        here = here[part]
    here[last] = value
    return dict(changed)


def valid(name: str, world: World) -> Input:
    given = INPUTS[name](world)
    if name == "createApiKey":
        del given["idempotencyKey"]
    if name == "handOffSession":
        given["watchOut"] = ["The third line"]
    if name == "startSession":
        del given["integrationId"]  # which would look for the ticket
    return given


# ------------------------------------------------------------------ texts

REQUIRED = [
    ("startSession", "intake.text", 1, 20_000),
    ("forkBranch", "reason", 5, 2000),
    ("resolveSession", "summary", 5, 4000),
    ("abandonSession", "reason", 5, 4000),
    ("forkBranch", "options.0.label", 1, 200),
    ("forkBranch", "options.1.description", 1, 500),
    ("reviveBranch", "description", 5, 2000),
    ("renameBranch", "label", 1, 200),
    ("renameBranch", "description", 1, 500),
    ("sendBranchMessage", "body", 1, 8000),
    ("sendMessage", "body", 1, 8000),
    ("handOffSession", "watchOut.0", 1, 500),
    ("saveMember", "displayName", 1, 200),
    ("createApiKey", "name", 1, 200),
    ("saveIntegration", "name", 1, 200),
]
LOOKED_UP = [("linkTicket", "psaTicketId", 1, 100)]
"""What is within its limits may still name nothing."""
OPTIONAL = [
    ("startSession", "intake.reference", 1, 200),
    ("startSession", "psaTicketId", 1, 100),
    ("markBranchStatus", "reason", 5, 2000),
    ("handOffSession", "engineerNotes", 1, 4000),
    ("handOffSession", "nextStep", 1, 1000),
    ("handOffSession", "waitingOn", 1, 1000),
    ("releaseHandoff", "engineerNotes", 1, 4000),
    ("reassignSession", "note", 1, 2000),
]
AS_TYPED = [
    ("signIn", "password", 1, 200),
    ("refreshTokens", "refreshToken", 1, 200),
    ("signOut", "refreshToken", 1, 200),
    ("saveMember", "password", 12, 200),
    ("changePassword", "currentPassword", 1, 200),
    ("changePassword", "newPassword", 12, 200),
]
ADDRESSES = [("signIn", "email", 1, 320), ("saveMember", "email", 6, 320)]
TEXTS = [*REQUIRED, *LOOKED_UP, *OPTIONAL, *AS_TYPED, *ADDRESSES]


def beyond(field: tuple[str, str, int, int]) -> list[str]:
    """Values that are just not allowed."""
    _, _, low, high = field
    values = ["x" * (high + 1), "😀" * (high + 1), "x" * low + "\0"]
    if low > 1:
        values.append("x" * (low - 1))
    if field in AS_TYPED:
        return [*values, ""]
    if field in (*REQUIRED, *LOOKED_UP, *ADDRESSES):
        values += ["", " ", "\t\n\u3000\u00a0"]
    return [*values, f" {'x' * (high + 1)} "]


@pytest.mark.parametrize("field", TEXTS, ids=lambda field: f"{field[0]}-{field[1]}")
async def test_a_text_beyond_its_limits_is_refused(
    admin: Client, world: World, untouched: None, field: tuple[str, str, int, int]
) -> None:
    name, path, *_ = field
    for value in beyond(field):
        answer = await refused(admin, name, put(valid(name, world), path, value))
        assert answer["__typename"] == "InvalidInputError", repr(value[:20])
        assert [problem["path"] for problem in answer["fields"]] == [path.split(".")]


@pytest.mark.parametrize("at", ["low", "high"])
async def test_a_text_at_its_limits_is_taken(
    client: Client, runtime: Runtime, database_url: str, at: str
) -> None:
    """Outer white space does not count, and a character is one, however many bytes it has."""
    world = await build_world(client, database_url, await make_account(runtime, database_url))
    admin = client.as_(world.people.admin)
    inputs: dict[str, Input] = {}
    for name, path, low, high in [*REQUIRED, *OPTIONAL]:
        value = f" {'😀' * (low if at == 'low' else high)}\n"
        inputs[name] = put(inputs.get(name, valid(name, world)), path, value)
    inputs["saveMember"]["password"] = "p" * (12 if at == "low" else 200)
    tail = f"{uuid4().hex}@desk.example"
    inputs["saveMember"]["email"] = tail if at == "low" else "a" * (320 - len(tail)) + tail
    for name, given in inputs.items():
        answer = await admin.mutate(name, "__typename", **given)
        assert answer["__typename"].endswith("Success"), (name, answer)
    await until_idle(database_url, world.people.account_id)


async def test_all_problems_are_told_at_once(admin: Client, world: World, untouched: None) -> None:
    given = {**valid("forkBranch", world), "reason": "x"}
    given["options"] = [
        {"label": "", "description": ""},
        {"label": "Straße", "description": "x" * 501},
        {"label": "STRASSE", "description": "x"},
        {"label": "straße", "description": "x"},
    ]
    answer = await refused(admin, "forkBranch", given)
    assert answer["fields"] == [
        {"path": ["reason"], "message": TEXT.format("5", "2,000")},
        {"path": ["options", "0", "label"], "message": TEXT.format("1", "200")},
        {"path": ["options", "0", "description"], "message": TEXT.format("1", "500")},
        {"path": ["options", "1", "description"], "message": TEXT.format("1", "500")},
        {"path": ["options", "2", "label"], "message": "Is the label of another option, too."},
        {"path": ["options", "3", "label"], "message": "Is the label of another option, too."},
    ]


TEXT = "Must have {} to {} characters, not counting outer space."


# ------------------------------------------------------------------ lists


def options(count: int) -> list[Input]:
    return [{"label": f"Option {place}", "description": "x"} for place in range(count)]


@pytest.mark.parametrize(
    ("name", "path", "build"),
    [
        ("forkBranch", "options", lambda _: []),
        ("forkBranch", "options", lambda _: options(1)),
        ("forkBranch", "options", lambda _: options(11)),
        ("forkBranch", "options", lambda _: options(500)),
        ("reviveBranch", "evidenceMessageIds", lambda _: [f"me_{new_id().hex}" for _ in range(21)]),
        ("reviveBranch", "evidenceMessageIds", lambda w: [w.evidence, w.evidence]),
        ("handOffSession", "watchOut", lambda _: ["x"] * 11),
        ("createApiKey", "scopes", lambda _: []),
        ("createApiKey", "scopes", lambda _: ["READ", "READ"]),
        ("createApiKey", "scopes", lambda _: ["READ"] * 500),
        ("createApiKey", "expiresAt", lambda _: "2020-01-01T00:00:00Z"),
    ],
)
async def test_a_list_or_an_instant_beyond_its_limits_is_refused(
    admin: Client,
    world: World,
    untouched: None,
    name: str,
    path: str,
    build: Callable[[World], Any],
) -> None:
    answer = await refused(admin, name, put(valid(name, world), path, build(world)))
    assert answer["__typename"] == "InvalidInputError"
    assert [problem["path"] for problem in answer["fields"]] == [[path]]


async def test_an_existing_fork_takes_exactly_one_option(
    admin: Client, world: World, untouched: None
) -> None:
    given = {**valid("forkBranch", world), "forkPointId": world.fork_point}
    del given["parentBranchId"], given["afterMessageId"]
    for count in (0, 2):
        answer = await refused(admin, "forkBranch", {**given, "options": options(count)})
        assert answer["fields"] == [{"path": ["options"], "message": "Must have exactly 1 entry."}]


INVISIBLE = [
    "\u200b" * 12,  # zero-width spaces
    "\u2066\u2069\u202e\ufeff\u00ad\u2060",
    "\u3164\u115f\u1160\uffa0\u2800",  # letters and a sign that show nothing
    "\ufe0f\u034f\u180e\U000e0041\U000e0100",
    " \u00a0\t\u2003\u2028 \u200d",
]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(("name", "path", "low", "high"), REQUIRED)
async def test_a_text_of_which_nothing_is_seen_is_empty(
    admin: Client,
    world: World,
    untouched: None,
    name: str,
    path: str,
    low: int,
    high: int,
    text: str,
) -> None:
    answer = await refused(admin, name, put(valid(name, world), path, text))
    wanted = f"Must have {low:,} to {high:,} characters, not counting outer space."
    assert answer["fields"] == [{"path": path.split("."), "message": wanted}]


async def test_a_dead_end_needs_a_reason_that_is_seen(
    admin: Client, world: World, untouched: None
) -> None:
    for text in INVISIBLE:
        given = {
            "branchId": world.active,
            "status": "DEAD_END",
            "reason": text,
            "expectedVersion": world.versions[world.active],
        }
        answer = await refused(admin, "markBranchStatus", given)
        assert answer["fields"] == [{"path": ["reason"], "message": "A dead end needs a reason."}]


@pytest.mark.parametrize(
    "text",
    ["\U0001f469\u200d\U0001f4bb", "\u05d0\u200f", "\u0627\u0644", "\u2764\ufe0f", "e\u0301"],
    ids=ascii,
)
async def test_what_shows_something_is_kept_with_its_joiners(
    client: Client, colleagues: Colleagues, text: str
) -> None:
    opened = await client.as_(colleagues.engineer).mutate(
        "startSession", "session { intake { text } }", intake={"text": text}
    )
    assert opened["session"] == {"intake": {"text": text}}


@pytest.mark.parametrize("name", sorted(KEYED))
async def test_a_key_that_was_never_made_is_refused(
    admin: Client, world: World, untouched: None, name: str
) -> None:
    answer = await refused(admin, name, {**valid(name, world), "idempotencyKey": str(UUID(int=0))})
    assert answer["fields"] == [
        {"path": ["idempotencyKey"], "message": "Must be a UUID of your making, not the nil one."}
    ]


# ------------------------------------------------------------------ ids

WRONG_IDS = [
    "",
    " ",
    "br",
    "br_",
    "xx_0192f3c1a5f07d3ab1c2d3e4f5061728",
    "ro_0192f3c1a5f07d3ab1c2d3e4f5061728",
    "0192f3c1a5f07d3ab1c2d3e4f5061728",
    "0192f3c1-a5f0-7d3a-b1c2-d3e4f5061728",
    "' OR 1=1 --",
    "br_0192f3c1a5f07d3ab1c2d3e4f506172'",
    "br_\0" + "0" * 31,
    "br_" + "٣" * 32,
    "b" * 5000,
]


def id_places(given: Any, path: str = "") -> list[str]:
    if isinstance(given, dict | list):
        items = given.items() if isinstance(given, dict) else enumerate(given)
        return [place for key, item in items for place in id_places(item, f"{path}.{key}")]
    return [path[1:]] if is_node_id(given) else []


@pytest.mark.parametrize(
    "name", sorted(set(INPUTS) - {"signIn", "signOut", "refreshTokens", "changePassword"})
)
async def test_what_is_no_id_of_its_kind_is_not_found(
    admin: Client, world: World, untouched: None, name: str
) -> None:
    given = valid(name, world)
    for place in id_places(given):
        known: Any = given
        for part in place.split("."):
            known = known[int(part) if part.isdigit() else part]
        other_kind = world.trunk if not known.startswith("br") else world.session
        for wrong in [
            *WRONG_IDS,
            known.upper(),
            known + "0",
            known + "\n",
            f" {known}",
            known[:3] + new_id().hex,
            known[:3] + "0" * 32,
            f"{other_kind[:3]}{known[3:]}",
            other_kind,
        ]:
            answer = await refused(admin, name, put(given, place, wrong))
            assert answer == {
                "__typename": "NotFoundError",
                "message": "There is no such object, or you may not see it.",
                "id": wrong,
            }


async def test_queries_find_nothing_by_what_is_no_id(
    admin: Client, world: World, untouched: None
) -> None:
    wrong = [*WRONG_IDS, world.session.upper(), world.session + "0", f"se_{new_id().hex}"]
    for id in wrong:
        document = "query($id: ID!) { node(id: $id) { id } session(id: $id) { id } "
        seen = await admin.run(
            document + "branch(id: $id) { id } nodes(ids: [$id]) { id } }", id=id
        )
        assert seen == {"node": None, "session": None, "branch": None, "nodes": [None]}
    assert await admin.run("{ session(id: 5) { id } }") == {"session": None}


# ------------------------------------------------------------------ states


def transition(source: str, target: str) -> Input:
    return {"__typename": "InvalidTransitionError", "from": source, "to": target}


def invalid(*path: str) -> Input:
    return {"__typename": "InvalidInputError", "fields": [list(path)]}


def not_found(id: str) -> Input:
    return {"__typename": "NotFoundError", "id": id}


def stale(version: int) -> Input:
    return {"__typename": "StaleVersionError", "currentVersion": version}


Case = tuple[str, str, Callable[[World], Input], Callable[[World], Input]]


def forks_after(message: str, state: str) -> Case:
    return (
        f"fork after {state}",
        "forkBranch",
        lambda w: {"afterMessageId": getattr(w, message)},
        lambda _: transition(state, "FORKED"),
    )


def on_closed(name: str, field: str, branch: str, source: str) -> Case:
    return (
        f"{name} on {branch}",
        name,
        lambda w: (
            {field: getattr(w, branch), "afterMessageId": None}
            if name == "forkBranch"
            else {field: getattr(w, branch)}
        ),
        lambda _: transition(source, "ACTIVE"),
    )


def marks(branch: str, source: str, target: str, reason: str | None = None) -> Case:
    return (
        f"mark {branch} {target}",
        "markBranchStatus",
        lambda w: {
            "branchId": getattr(w, branch),
            "status": target,
            "reason": reason,
            "expectedVersion": w.versions[getattr(w, branch)],
        },
        lambda _: transition(source, target),
    )


def revives(branch: str, source: str) -> Case:
    target = "ACTIVE" if source == "ARCHIVED" else "REVIVED"
    evidence = "renamed" if branch == "active" else "active"
    return (
        f"revive {branch}",
        "reviveBranch",
        lambda w: {
            "branchId": getattr(w, branch),
            "evidenceFromBranchId": getattr(w, evidence),
            "evidenceMessageIds": [],
        },
        lambda _: transition(source, target),
    )


def relabels(title: str, name: str, change: Callable[[World], Input], *path: str) -> Case:
    return (title, name, change, lambda _: invalid(*path))


def outdates(name: str, branch: str) -> Case:
    return (
        f"stale {name}",
        name,
        lambda _: {"expectedVersion": 2_000_000_000},
        lambda w: stale(w.versions[getattr(w, branch)]),
    )


def two_options(first: str, second: str = "Two") -> Input:
    return {
        "parentBranchId": None,
        "afterMessageId": None,
        "options": [{"label": first, "description": "x"}, {"label": second, "description": "x"}],
    }


def under_trunk(w: World, first: str, second: str = "Two") -> Input:
    return {**two_options(first, second), "parentBranchId": w.trunk}


IN_A_YEAR = (datetime.now(UTC) + timedelta(days=366)).isoformat()

CASES: list[Case] = [
    forks_after("pending", "PENDING"),
    forks_after("failed", "FAILED"),
    forks_after("cancelled", "CANCELLED"),
    (
        "fork after a message of another branch",
        "forkBranch",
        lambda w: {"afterMessageId": w.intake},
        lambda w: not_found(w.intake),
    ),
    (
        "fork of another session's branch",
        "forkBranch",
        lambda w: {"parentBranchId": w.idle_trunk, "afterMessageId": None},
        lambda w: not_found(w.idle_trunk),
    ),
    (
        "add to a fork that is on another branch",
        "forkBranch",
        lambda w: {"forkPointId": w.fork_point, "options": options(1)},
        lambda _: invalid("parentBranchId"),
    ),
    *(
        on_closed(name, field, branch, source)
        for name, field in (("forkBranch", "parentBranchId"), ("sendBranchMessage", "branchId"))
        for branch, source in (
            ("dead", "DEAD_END"),
            ("solved", "SOLVED"),
            ("archived", "ARCHIVED"),
        )
    ),
    ("switch to archived", "switchBranch", lambda w: {"branchId": w.archived},
     lambda _: transition("ARCHIVED", "ACTIVE")),
    revives("active", "ACTIVE"),
    revives("untried", "UNTRIED"),
    revives("solved", "SOLVED"),
    revives("revived", "REVIVED"),
    revives("archived", "ARCHIVED"),
    ("revive by itself", "reviveBranch",
     lambda w: {"evidenceFromBranchId": w.dead, "evidenceMessageIds": []},
     lambda _: invalid("evidenceFromBranchId")),
    ("revive by a third branch's message", "reviveBranch",
     lambda w: {"evidenceFromBranchId": w.revived}, lambda w: not_found(w.evidence)),
    ("revive by another session's branch", "reviveBranch",
     lambda w: {"evidenceFromBranchId": w.idle_trunk, "evidenceMessageIds": []},
     lambda w: not_found(w.idle_trunk)),
    marks("untried", "UNTRIED", "UNTRIED"),
    marks("untried", "UNTRIED", "ACTIVE"),
    marks("untried", "UNTRIED", "SOLVED"),
    marks("untried", "UNTRIED", "REVIVED"),
    marks("active", "ACTIVE", "UNTRIED"),
    marks("active", "ACTIVE", "ACTIVE"),
    marks("active", "ACTIVE", "REVIVED"),
    marks("dead", "DEAD_END", "REVIVED"),
    marks("dead", "DEAD_END", "ACTIVE"),
    marks("dead", "DEAD_END", "DEAD_END", "once more"),
    marks("solved", "SOLVED", "DEAD_END", "not at all"),
    marks("trunk", "ACTIVE", "DEAD_END", "not at all"),
    ("mark archived", "markBranchStatus",
     lambda w: {"branchId": w.archived, "status": "SOLVED",
                "expectedVersion": w.versions[w.archived]},
     lambda _: transition("ARCHIVED", "ACTIVE")),
    ("dead without reason", "markBranchStatus",
     lambda w: {"branchId": w.untried, "status": "DEAD_END"}, lambda _: invalid("reason")),
    ("dead for a blank", "markBranchStatus",
     lambda w: {"branchId": w.untried, "status": "DEAD_END", "reason": "      "},
     lambda _: invalid("reason")),
    ("archive the trunk", "archiveBranch",
     lambda w: {"branchId": w.trunk, "expectedVersion": w.versions[w.trunk]},
     lambda _: transition("UNARCHIVED", "ARCHIVED")),
    ("archive what the team works on", "archiveBranch",
     lambda w: {"branchId": w.active, "expectedVersion": w.versions[w.active]},
     lambda _: transition("UNARCHIVED", "ARCHIVED")),
    ("archive twice", "archiveBranch",
     lambda w: {"branchId": w.archived, "expectedVersion": w.versions[w.archived]},
     lambda _: transition("ARCHIVED", "ACTIVE")),
    ("restore what is there", "restoreBranch",
     lambda w: {"branchId": w.untried, "expectedVersion": w.versions[w.untried]},
     lambda _: transition("ARCHIVED", "UNARCHIVED")),
    relabels("restore a label that is taken", "restoreBranch", lambda _: {}, "label"),
    relabels("rename to a sibling's label", "renameBranch",
             lambda w: {"label": f"  {w.mark.upper()} DEAD "}, "label"),
    relabels("two options of one label", "forkBranch",
             lambda _: two_options("Same", " sAME "), "options", "1", "label"),
    relabels("two options of one label, with accents", "forkBranch",
             lambda _: two_options("École", "éCOLE"), "options", "1", "label"),
    relabels("an option with a sibling's label", "forkBranch",
             lambda w: under_trunk(w, "One", f"{w.mark} DEAD"), "options", "1", "label"),
    outdates("renameBranch", "renamed"),
    outdates("archiveBranch", "revived"),
    outdates("restoreBranch", "archived"),
    outdates("markBranchStatus", "solved"),
    ("stale saveMember", "saveMember", lambda _: {"expectedVersion": 99},
     lambda w: stale(w.member_version)),
    ("a change without version", "saveMember", lambda _: {"expectedVersion": None},
     lambda _: invalid("expectedVersion")),
    ("send to what is not active any more", "sendMessage",
     lambda w: {"sessionId": w.session, "expectedBranchId": w.trunk},
     lambda _: invalid("expectedBranchId")),
    ("send to another session's branch", "sendMessage",
     lambda w: {"expectedBranchId": w.trunk}, lambda w: not_found(w.trunk)),
    ("escalate until a time", "handOffSession",
     lambda _: {"intent": "ESCALATE", "wakeAt": IN_A_YEAR}, lambda _: invalid("wakeAt")),
    ("park for more than a year", "handOffSession", lambda _: {"wakeAt": IN_A_YEAR},
     lambda _: invalid("wakeAt")),
    ("heartbeat of what waits", "heartbeatHandoff", lambda w: {"handoffId": w.claimable},
     lambda _: transition("OPEN", "CLAIMED")),
    ("release what waits", "releaseHandoff", lambda w: {"handoffId": w.claimable},
     lambda _: transition("OPEN", "OPEN")),
    ("give to whom has it", "reassignSession", lambda w: {"assigneeId": w.admin},
     lambda _: invalid("assigneeId")),
    ("give away what is over", "reassignSession",
     lambda w: {"sessionId": w.ended, "expectedVersion": w.versions[w.ended]},
     lambda _: transition("ABANDONED", "ACTIVE")),
    ("stale reassignSession", "reassignSession", lambda _: {"expectedVersion": 99},
     lambda w: stale(w.versions[w.given])),
    ("stale saveSlaTargets", "saveSlaTargets", lambda _: {"expectedVersion": 0},
     lambda _: stale(1)),
    ("no minutes", "saveSlaTargets", lambda _: {"normalMinutes": 0},
     lambda _: invalid("normalMinutes")),
    ("more than 30 days", "saveSlaTargets", lambda _: {"elevatedMinutes": 43_201},
     lambda _: invalid("elevatedMinutes")),
    ("elevated park", "handOffSession", lambda _: {"priority": "ELEVATED"},
     lambda _: invalid("priority")),
    ("resolve what is over", "resolveSession",
     lambda w: {"sessionId": w.ended, "solvedBranchId": None, "expectedVersion": w.versions[w.ended]},
     lambda _: transition("ABANDONED", "RESOLVED")),
    ("abandon what is over", "abandonSession",
     lambda w: {"sessionId": w.ended, "expectedVersion": w.versions[w.ended]},
     lambda _: transition("ABANDONED", "ABANDONED")),
    ("reopen what goes on", "reopenSession",
     lambda w: {"sessionId": w.idle, "expectedVersion": w.versions[w.idle]},
     lambda _: transition("ACTIVE", "ACTIVE")),
    ("reopen what waits", "reopenSession",
     lambda w: {"sessionId": w.waiting, "expectedVersion": w.versions[w.waiting]},
     lambda _: transition("ESCALATED", "ACTIVE")),
    ("resolve by another session's branch", "resolveSession",
     lambda w: {"solvedBranchId": w.trunk}, lambda w: not_found(w.trunk)),
    ("resolve by a dead end", "resolveSession",
     lambda w: {"sessionId": w.session, "solvedBranchId": w.dead,
                "expectedVersion": w.versions[w.session]},
     lambda _: transition("DEAD_END", "SOLVED")),
    ("resolve by what is archived", "resolveSession",
     lambda w: {"sessionId": w.session, "solvedBranchId": w.archived,
                "expectedVersion": w.versions[w.session]},
     lambda _: transition("ARCHIVED", "ACTIVE")),
    ("stale resolveSession", "resolveSession", lambda _: {"expectedVersion": 99},
     lambda w: stale(w.versions[w.resolvable])),
    ("stale abandonSession", "abandonSession", lambda _: {"expectedVersion": 99},
     lambda w: stale(w.versions[w.abandonable])),
    ("stale reopenSession", "reopenSession", lambda _: {"expectedVersion": 99},
     lambda w: stale(w.versions[w.ended])),
    ("hand off twice", "handOffSession", lambda w: {"sessionId": w.waiting},
     lambda _: transition("ESCALATED", "PAUSED")),
    ("cancel what was claimed", "cancelHandoff", lambda w: {"handoffId": w.taken},
     lambda _: transition("CLAIMED", "CANCELLED")),
    ("cancel a complete answer", "cancelMessage", lambda w: {"messageId": w.answer},
     lambda _: transition("COMPLETE", "CANCELLED")),
    ("cancel what somebody typed", "cancelMessage", lambda w: {"messageId": w.intake},
     lambda _: transition("COMPLETE", "CANCELLED")),
    ("retry a complete answer", "retryMessage", lambda w: {"messageId": w.answer},
     lambda _: transition("COMPLETE", "PENDING")),
    ("retry what somebody typed", "retryMessage", lambda w: {"messageId": w.intake},
     lambda _: transition("COMPLETE", "PENDING")),
    ("write a pending answer anew", "regenerateMessage", lambda w: {"messageId": w.pending},
     lambda _: transition("PENDING", "PENDING")),
    ("write anew what somebody typed", "regenerateMessage", lambda w: {"messageId": w.intake},
     lambda _: transition("COMPLETE", "PENDING")),
    ("choose a text that there is not", "chooseAlternative",
     lambda w: {"messageId": w.written_anew, "number": 7}, lambda _: invalid("number")),
    ("choose for a pending answer", "chooseAlternative",
     lambda w: {"messageId": w.pending, "number": 1}, lambda _: transition("PENDING", "COMPLETE")),
    ("retry a pending answer", "retryMessage", lambda w: {"messageId": w.pending},
     lambda _: transition("PENDING", "PENDING")),
    ("key used with other content", "createApiKey",
     lambda w: {"idempotencyKey": w.idempotency_key, "name": "Other"},
     lambda _: invalid("idempotencyKey")),
    ("deactivate oneself", "deactivateMember", lambda w: {"userId": w.admin},
     lambda _: {"__typename": "PermissionDeniedError"}),
    ("demote the last admin", "saveMember",
     lambda w: {"userId": w.admin, "role": "LEAD", "expectedVersion": 1},
     lambda _: {"__typename": "PermissionDeniedError"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].replace(" ", "-"))
async def test_what_a_state_forbids_is_refused(
    admin: Client, world: World, untouched: None, case: Case
) -> None:
    _, name, change, expected = case
    answer = await refused(admin, name, {**valid(name, world), **change(world)})
    if "fields" in answer:
        answer["fields"] = [problem["path"] for problem in answer["fields"]]
    wanted = expected(world)
    assert {key: answer.get(key) for key in wanted} == wanted


async def test_a_partner_cannot_claim(
    client: Client, world: World, partner: Client, untouched: None
) -> None:
    answer = await refused(partner, "claimHandoff", {"handoffId": world.claimable})
    assert answer == {
        "__typename": "PermissionDeniedError",
        "message": "An API key cannot claim a session; a person must.",
    }


@pytest.fixture
async def partner(client: Client, world: World) -> Client:
    """A use of the key is noted once a minute: now, and not in the test."""
    partner = client.with_token(world.secret)
    await partner.run("{ viewer { scopes } }")
    return partner


async def test_what_somebody_claimed_cannot_be_claimed(
    client: Client, world: World, untouched: None
) -> None:
    late = client.as_(world.people.engineer2)
    answer = await refused(late, "claimHandoff", {"handoffId": world.taken})
    assert answer["__typename"] == "HandoffTakenError"
    assert answer["handoff"] == {"id": world.taken, "claimedBy": {"id": world.admin}}


async def test_a_key_used_again_with_other_content(
    client: Client, runtime: Runtime, database_url: str
) -> None:
    people = await make_account(runtime, database_url)
    world = await build_world(client, database_url, people)
    admin = client.as_(people.admin)
    other = {
        "createApiKey": {"scopes": ["READ"]},
        "forkBranch": {"reason": "Another reason"},
        "handOffSession": {"intent": "ESCALATE"},
        "mergeFindings": {"branchId": world.active},
        "pushHandoff": {"clientVisible": True},
        "pushResolutionOutput": {"clientVisible": True},
        "regenerateMessage": {"messageId": world.written_anew},
        "requestSecondOpinion": {"sessionId": world.session},
        "sendBranchMessage": {"body": "Another"},
        "sendMessage": {"body": "Another"},
        "startSession": {"psaTicketId": "T-1"},
        "uploadFile": {"file": ("other.log", b"Another")},
    }
    assert set(other) == KEYED
    for name, change in other.items():
        given = {**valid(name, world), "idempotencyKey": str(uuid4())}
        done = await admin.mutate(name, "__typename", **given)
        assert done["__typename"].endswith("Success")
        await until_idle(database_url, people.account_id)
        async with as_owner(database_url) as db:
            before = await snapshot(db, people.account_id)
            answer = await refused(admin, name, {**given, **change})
            assert answer["fields"] == [
                {"path": ["idempotencyKey"], "message": "Was used before, with other content."}
            ]
            assert await snapshot(db, people.account_id) == before


# ------------------------------------------------------------------ labels that databases see otherwise


@pytest.mark.parametrize(
    ("first", "second"),
    [("École", "éCOLE"), ("ΟΔΟΣ", "οδοσ"), ("Weg", "wEG"), ("ТЕСТ", "тест")],
)
async def test_labels_are_alike_whatever_the_case_and_the_script(
    client: Client, colleagues: Colleagues, first: str, second: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    opened = await engineer.mutate(
        "startSession", "session { id }", intake={"text": "Mail stopped."}
    )
    common = {"sessionId": opened["session"]["id"], "reason": "Two causes are possible"}
    forked = await engineer.mutate(
        "forkBranch", "branches { id version }", **common, **two_options(first, "Other")
    )
    answer = await refused(engineer, "forkBranch", {**common, **two_options("New", second)})
    assert [problem["path"] for problem in answer["fields"]] == [["options", "1", "label"]]
    other = forked["branches"][1]
    given = {"branchId": other["id"], "label": second, "expectedVersion": other["version"]}
    answer = await refused(engineer, "renameBranch", given)
    assert [problem["path"] for problem in answer["fields"]] == [["label"]]


@pytest.mark.parametrize("pair", ["İi", "ıi", "ſs", "Kk", "ẞß", "ǅǆ", "Σς"])
async def test_letters_that_are_hard_to_fold_are_no_fault(
    client: Client, colleagues: Colleagues, pair: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    opened = await engineer.mutate(
        "startSession", "session { id }", intake={"text": "Mail stopped."}
    )
    answer = await engineer.mutate(
        "forkBranch",
        "__typename",
        sessionId=opened["session"]["id"],
        reason="Two causes are possible",
        **two_options(*pair),
    )
    assert answer["__typename"] in {"ForkBranchSuccess", "InvalidInputError"}


# ------------------------------------------------------------------ pages and filters


async def failure(client: Client, document: str, **variables: Any) -> str:
    """The code of the only top-level error, which tells nothing of the inside."""
    with pytest.raises(GraphQLFailure) as caught:
        await client.run(document, **variables)
    assert_tells_nothing_of_the_inside([error["message"] for error in caught.value.errors])
    return caught.value.code


PAGED = {
    "sessions": "query($first: Int, $after: String) "
    "{ sessions(first: $first, after: $after) { edges { cursor } } }",
    "queue": "query($first: Int, $after: String) "
    "{ queue(first: $first, after: $after) { edges { cursor } } }",
    "steps": "query($first: Int, $after: String) "
    '{ session(id: "SESSION") { steps(first: $first, after: $after) { edges { cursor } } } }',
    "messages": "query($first: Int, $after: String) "
    '{ branch(id: "BRANCH") { messages(first: $first, after: $after) { edges { cursor } } } }',
    "last": "query($first: Int, $after: String) "
    '{ branch(id: "BRANCH") { messages(last: $first, before: $after) { edges { cursor } } } }',
}


def paged(world: World, name: str) -> str:
    document = PAGED[name].replace("SESSION", world.session).replace("BRANCH", world.active)
    nullable = name in {"messages", "last"}
    return document if nullable else document.replace("$first: Int,", "$first: Int!,")


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, -(2**31)])
async def test_a_page_has_1_to_100_entries(
    admin: Client, world: World, untouched: None, name: str, first: int
) -> None:
    assert await failure(admin, paged(world, name), first=first) == "BAD_USER_INPUT"


CURSORS = [
    "",
    "x",
    "====",
    "nonsense!",
    "ünsinn",
    "bnVsbA",
    "W10",
    "W251bGxd",
    "WzFd" * 500,
    "WyIyMDI2LTAxLTAxIiwgIjAxOTJmM2MxYTVmMDdkM2FiMWMyZDNlNGY1MDYxNzI4Il0",  # no zone
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwgIjAxOTJmM2MxYTVmMDdkM2FiMWMyZDNlNGY1MDYxNzI4Il0",
    "WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjU5IiwgIjAxOTJmM2MxYTVmMDdkM2FiMWMyZDNlNGY1MDYxNzI4Il0",
    "WzEsICIyMDI2LTAxLTAxIiwgIjAxOTJmM2MxYTVmMDdkM2FiMWMyZDNlNGY1MDYxNzI4Il0",
    "Wzk5OTk5OTk5OTldCg",
]


@pytest.mark.parametrize("name", PAGED)
async def test_what_is_no_cursor_of_the_connection_is_refused(
    admin: Client, world: World, untouched: None, name: str
) -> None:
    cursors = {*CURSORS, world.event_cursor}
    if name != "sessions":
        cursors.add(world.session_page)
    if name != "queue":
        cursors.add(world.queue_page)
    for cursor in sorted(cursors):
        code = await failure(admin, paged(world, name), first=5, after=cursor)
        assert code == "BAD_USER_INPUT", cursor


async def test_a_page_begins_at_one_end(admin: Client, world: World, untouched: None) -> None:
    messages = "messages(first: 1, last: 1) { edges { cursor } }"
    document = f'{{ branch(id: "{world.active}") {{ {messages} }} }}'
    assert await failure(admin, document) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "text", ["a\0b", "x" * 100_000, "a " * 100_000, '"' * 10_000, "' OR 1=1 --"]
)
async def test_no_search_text_is_a_fault(admin: Client, world: World, text: str) -> None:
    for document, given in (
        (
            "query($f: SessionFilter) { sessions(filter: $f) { edges { cursor } } }",
            {"search": text},
        ),
        ("query($f: QueueFilter) { queue(filter: $f) { totalCount } }", {"domain": text}),
    ):
        answer = (await admin.post(document, {"f": given})).json()
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        assert codes <= {"BAD_USER_INPUT"}
        assert_tells_nothing_of_the_inside(answer)


async def test_filters_by_what_is_no_id(admin: Client, world: World, untouched: None) -> None:
    sessions = "query($f: SessionFilter) { sessions(filter: $f) { edges { cursor } } }"
    queue = "query($f: QueueFilter) { queue(filter: $f) { totalCount } }"
    for wrong in WRONG_IDS:
        assert await failure(admin, sessions, f={"assigneeId": wrong}) == "NOT_FOUND"
        assert await failure(admin, sessions, f={"teamId": wrong}) == "NOT_FOUND"
        assert await failure(admin, queue, f={"teamId": wrong}) == "NOT_FOUND"
    unknown = f"te_{new_id().hex}"
    assert await admin.run(queue, f={"teamId": unknown}) == {"queue": {"totalCount": 0}}
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await failure(admin, document, ids=[world.session] * 101) == "BAD_USER_INPUT"
    assert len((await admin.run(document, ids=[world.session] * 100))["nodes"]) == 100


@pytest.mark.parametrize(
    "after", ["", "nonsense", "ev_", "ev_" + "0" * 47, "ev_" + "g" * 48, "ünsinn\0"]
)
async def test_what_is_no_event_cursor_resets(admin: Client, world: World, after: str) -> None:
    document = "subscription($after: String) { queueChanged(after: $after) { __typename } }"
    async with admin.subscribe(document, after=after) as events:
        assert [event async for event in events] == [{"queueChanged": {"__typename": "FeedReset"}}]


# ------------------------------------------------------------------ types

WRONG_TYPES = [
    ("startSession", "intake", None),
    ("startSession", "intake", "text"),
    ("startSession", "intake", {}),
    ("startSession", "intake.text", None),
    ("startSession", "intake.text", 5),
    ("startSession", "intake.text", ["a"]),
    ("startSession", "intake.type", "NONSENSE"),
    ("startSession", "intake.type", "free_text"),
    ("startSession", "intake.type", 1),
    ("startSession", "sessionType", None),
    ("startSession", "unknown", 1),
    ("startSession", "idempotencyKey", None),
    ("startSession", "idempotencyKey", ""),
    ("startSession", "idempotencyKey", "nonsense"),
    ("startSession", "idempotencyKey", 5),
    ("startSession", "idempotencyKey", ["x"]),
    ("startSession", "idempotencyKey", {"x": 1}),
    ("forkBranch", "options", None),
    ("forkBranch", "options", [None]),
    ("forkBranch", "options", ["x"]),
    ("forkBranch", "options.0.label", None),
    ("forkBranch", "sessionId", None),
    ("forkBranch", "sessionId", {"x": 1}),
    ("forkBranch", "sessionId", True),
    ("markBranchStatus", "status", "DEAD"),
    ("markBranchStatus", "status", None),
    ("renameBranch", "expectedVersion", None),
    ("renameBranch", "expectedVersion", "1"),
    ("renameBranch", "expectedVersion", 1.5),
    ("renameBranch", "expectedVersion", 2**31),
    ("renameBranch", "expectedVersion", 10**30),
    ("renameBranch", "expectedVersion", True),
    ("sendBranchMessage", "awaitReply", "yes"),
    ("handOffSession", "watchOut", [None]),
    ("handOffSession", "wakeAt", "tomorrow"),
    ("handOffSession", "wakeAt", "2030-01-01T00:00:00"),
    ("reassignSession", "assigneeId", None),
    ("saveSlaTargets", "normalMinutes", None),
    ("saveSlaTargets", "normalMinutes", 1.5),
    ("saveSlaTargets", "elevatedMinutes", 2**31),
    ("createApiKey", "expiresAt", "tomorrow"),
    ("createApiKey", "expiresAt", "2030-01-01T00:00:00"),
    ("createApiKey", "expiresAt", "0001-01-01T00:00:00+23:00"),
    ("createApiKey", "expiresAt", "9999-12-31T23:59:59-23:00"),
    ("createApiKey", "expiresAt", 5),
    ("createApiKey", "expiresAt", {}),
    ("createApiKey", "scopes", ["ROOT"]),
]


@pytest.mark.parametrize(("name", "path", "value"), WRONG_TYPES)
async def test_what_is_of_the_wrong_type_is_a_bad_document(
    admin: Client, world: World, untouched: None, name: str, path: str, value: object
) -> None:
    kind = name[0].upper() + name[1:]
    document = f"mutation($input: {kind}Input!) {{ {name}(input: $input) {{ __typename }} }}"
    given = put({"idempotencyKey": str(uuid4()), **valid(name, world)}, path, value)
    if name not in KEYED:
        given.pop("idempotencyKey")
    body = {"query": document, "variables": {"input": given}}
    answer = await admin.http.post(
        "/graphql", json=body, headers={"Authorization": f"Bearer {admin.token}"}
    )
    assert answer.status_code in {200, 400}
    errors = answer.json()["errors"]
    codes = {error["extensions"]["code"] for error in errors}
    assert codes == (
        {"BAD_REQUEST"} if answer.status_code == 400 else {"GRAPHQL_VALIDATION_FAILED"}
    )
    assert_tells_nothing_of_the_inside([error["message"] for error in errors])
