"""The people of an account: who reads them, who changes them, and what may never happen."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from models.account import Role, User
from services.database import transaction
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.locks import until_waiting

MEMBER = "member { id email displayName role isActive version team { id } }"
ONLY_ADMINS = {"__typename": "PermissionDeniedError", "message": "Only admins may do this."}
LAST_ADMIN = {
    "__typename": "PermissionDeniedError",
    "message": "An account needs an active admin, and this is the last one.",
}


async def people(client: Client, colleagues: Colleagues) -> list[dict[str, Any]]:
    answer = await client.as_(colleagues.engineer).run(
        "{ members { id email displayName role isActive version team { id } } }"
    )
    found: list[dict[str, Any]] = answer["members"]
    return found


def details(**changes: Any) -> dict[str, Any]:
    return {
        "email": f"{uuid4().hex}@desk.example",
        "displayName": "Grace",
        "role": "ENGINEER",
        "password": "correct horse battery",
        **changes,
    }


def unknown(node: str) -> dict[str, Any]:
    return {
        "__typename": "NotFoundError",
        "message": "There is no such object, or you may not see it.",
        "id": node,
    }


async def test_everybody_reads_the_people_by_name_and_no_service_users(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    await admin.mutate("createApiKey", "secret", name="Aardvark", scopes=["READ"])
    found = await people(client, colleagues)
    assert [(person["displayName"], person["role"]) for person in found] == [
        ("Admin", "ADMIN"),
        ("Engineer", "ENGINEER"),
        ("Engineer2", "ENGINEER"),
        ("Lead", "LEAD"),
    ]
    assert {person["team"]["id"] for person in found} == {node_id(Kind.TEAM, colleagues.team_id)}
    theirs = {person["id"] for person in await people(client, strangers)}
    assert len(theirs) == 4
    assert not theirs & {person["id"] for person in found}


async def test_a_member_is_added(client: Client, colleagues: Colleagues) -> None:
    team = node_id(Kind.TEAM, colleagues.team_id)
    before = await people(client, colleagues)
    answer = await client.as_(colleagues.admin).mutate(
        "saveMember",
        MEMBER,
        **details(email=" Grace@Desk.Example ".replace("Desk", uuid4().hex), teamId=team),
    )
    member = answer["member"]
    assert member["email"].startswith("Grace@")
    assert {**member, "id": "", "email": ""} == {
        "id": "",
        "email": "",
        "displayName": "Grace",
        "role": "ENGINEER",
        "isActive": True,
        "version": 1,
        "team": {"id": team},
    }
    after = await people(client, colleagues)
    assert [person for person in after if person not in before] == [member]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (
            {"email": None, "displayName": None, "role": None, "password": None},
            ["email", "displayName", "role", "password"],
        ),
        ({"email": "grace"}, ["email"]),
        ({"email": "grace@desk"}, ["email"]),
        ({"email": "grace hopper@desk.example"}, ["email"]),
        ({"email": "grace@desk..example"}, ["email"]),
        ({"email": "g\0@desk.example"}, ["email"]),
        ({"email": "g" * 310 + "@desk.example"}, ["email"]),
        ({"displayName": "  "}, ["displayName"]),
        ({"displayName": "x" * 201}, ["displayName"]),
        ({"password": "x" * 11}, ["password"]),
        ({"password": "x" * 201}, ["password"]),
        ({"password": "x" * 12 + "\0"}, ["password"]),
    ],
)
async def test_what_a_new_member_lacks_is_named(
    client: Client, colleagues: Colleagues, changes: dict[str, Any], wrong: list[str]
) -> None:
    before = await people(client, colleagues)
    answer = await client.as_(colleagues.admin).mutate("saveMember", MEMBER, **details(**changes))
    assert answer["__typename"] == "InvalidInputError"
    assert [field["path"] for field in answer["fields"]] == [[name] for name in wrong]
    assert await people(client, colleagues) == before


async def test_an_address_is_unique_over_all_accounts_and_tells_nothing_of_its_owner(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    before = await people(client, colleagues)
    mine = before[1]
    for address in (
        f"ENGINEER2@{strangers.account_id.hex}.example",
        f"lead@{colleagues.account_id.hex}.example",
    ):
        taken = {
            "__typename": "InvalidInputError",
            "message": "email: This e-mail address cannot be used.",
            "fields": [{"path": ["email"], "message": "This e-mail address cannot be used."}],
        }
        assert await admin.mutate("saveMember", MEMBER, **details(email=address)) == taken
        edit = {"userId": mine["id"], "expectedVersion": mine["version"], "email": address}
        assert await admin.mutate("saveMember", MEMBER, **edit) == taken
    assert await people(client, colleagues) == before


async def test_of_two_who_take_an_address_at_once_one_gets_it(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    wanted = details()
    answers = await asyncio.gather(
        *(
            client.as_(account.admin).mutate("saveMember", "member { id }", **wanted)
            for account in (colleagues, strangers)
        )
    )
    assert sorted(answer["__typename"] for answer in answers) == [
        "InvalidInputError",
        "SaveMemberSuccess",
    ]


async def test_a_change_leaves_the_rest_as_it_is(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    team = {"id": node_id(Kind.TEAM, colleagues.team_id)}
    before = next(
        person for person in await people(client, colleagues) if person["id"] == colleagues.lead.id
    )

    async def change(version: int, **changes: Any) -> dict[str, Any]:
        answer = await admin.mutate(
            "saveMember", MEMBER, userId=before["id"], expectedVersion=version, **changes
        )
        member: dict[str, Any] = answer["member"]
        return member

    renamed = {**before, "displayName": "Grace", "version": 2}
    assert await change(1, displayName=" Grace ") == renamed
    alone = {**renamed, "team": None, "version": 3}
    assert await change(2, teamId=None) == alone
    assert await change(3, role="ADMIN") == {**alone, "role": "ADMIN", "version": 4}
    assert await change(4, role="ENGINEER", teamId=team["id"]) == {
        **renamed,
        "role": "ENGINEER",
        "version": 5,
    }


async def test_a_change_needs_the_version_it_was_made_on(
    client: Client, colleagues: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    before = await people(client, colleagues)
    stale = await admin.mutate(
        "saveMember", MEMBER, userId=colleagues.lead.id, displayName="Grace", expectedVersion=7
    )
    assert (stale["__typename"], stale["currentVersion"]) == ("StaleVersionError", 1)
    missing = await admin.mutate(
        "saveMember", MEMBER, userId=colleagues.lead.id, displayName="Grace"
    )
    assert [field["path"] for field in missing["fields"]] == [["expectedVersion"]]
    assert await people(client, colleagues) == before


async def test_of_two_changes_on_one_version_the_second_is_stale(
    client: Client, colleagues: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    answers = await asyncio.gather(
        *(
            admin.mutate(
                "saveMember",
                MEMBER,
                userId=colleagues.lead.id,
                displayName=name,
                expectedVersion=1,
            )
            for name in ("Ada", "Grace")
        )
    )
    assert sorted(answer["__typename"] for answer in answers) == [
        "SaveMemberSuccess",
        "StaleVersionError",
    ]


async def test_only_admins_change_people(client: Client, colleagues: Colleagues) -> None:
    before = await people(client, colleagues)
    for person in (colleagues.engineer, colleagues.lead):
        caller = client.as_(person)
        edit = {"userId": colleagues.engineer.id, "role": "ADMIN", "expectedVersion": 1}
        assert await caller.mutate("saveMember", MEMBER, **details()) == ONLY_ADMINS
        assert await caller.mutate("saveMember", MEMBER, **edit) == ONLY_ADMINS
        gone = await caller.mutate("deactivateMember", MEMBER, userId=colleagues.engineer2.id)
        assert gone == ONLY_ADMINS
    assert await people(client, colleagues) == before


async def test_another_accounts_people_and_teams_do_not_exist(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    before = await people(client, colleagues), await people(client, strangers)
    admin = client.as_(strangers.admin)
    for node in (colleagues.lead.id, node_id(Kind.USER, new_id()), "nonsense"):
        edit = {"userId": node, "displayName": "Mine", "expectedVersion": 1}
        assert await admin.mutate("saveMember", MEMBER, **edit) == unknown(node)
        assert await admin.mutate("deactivateMember", MEMBER, userId=node) == unknown(node)
    for node in (node_id(Kind.TEAM, colleagues.team_id), colleagues.lead.id):
        assert await admin.mutate("saveMember", MEMBER, **details(teamId=node)) == unknown(node)
        edit = {"userId": strangers.lead.id, "teamId": node, "expectedVersion": 1}
        assert await admin.mutate("saveMember", MEMBER, **edit) == unknown(node)
    assert (await people(client, colleagues), await people(client, strangers)) == before


async def test_a_deactivated_member_stays_and_a_repeat_changes_nothing(
    client: Client, colleagues: Colleagues
) -> None:
    admin = client.as_(colleagues.admin)
    before = await people(client, colleagues)
    answer = await admin.mutate("deactivateMember", MEMBER, userId=colleagues.lead.id)
    assert (answer["member"]["isActive"], answer["member"]["version"]) == (False, 2)
    assert await admin.mutate("deactivateMember", MEMBER, userId=colleagues.lead.id) == answer
    after = await people(client, colleagues)
    assert after[:3] == before[:3]
    assert after[3] == answer["member"] == {**before[3], "isActive": False, "version": 2}


async def test_the_last_active_admin_stays_one(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    added = await admin.mutate("saveMember", MEMBER, **details(role="ADMIN"))
    gone = added["member"]["id"]
    await admin.mutate("deactivateMember", MEMBER, userId=gone)  # is an admin, but no active one
    before = await people(client, colleagues)
    for role in ("ENGINEER", "LEAD"):
        edit = {"userId": colleagues.admin.id, "role": role, "expectedVersion": 1}
        assert await admin.mutate("saveMember", MEMBER, **edit) == LAST_ADMIN
    key = await admin.mutate("createApiKey", "secret", name="Robot", scopes=["ADMIN"])
    robot = client.with_token(key["secret"])
    refused = await robot.mutate("deactivateMember", MEMBER, userId=colleagues.admin.id)
    assert refused == LAST_ADMIN
    assert await people(client, colleagues) == before
    edit = {"userId": colleagues.admin.id, "displayName": "Ada", "expectedVersion": 1}
    assert (await admin.mutate("saveMember", MEMBER, **edit))["member"]["role"] == "ADMIN"


async def test_nobody_deactivates_themselves(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    await admin.mutate("saveMember", MEMBER, **details(role="ADMIN"))
    before = await people(client, colleagues)
    assert await admin.mutate("deactivateMember", MEMBER, userId=colleagues.admin.id) == {
        "__typename": "PermissionDeniedError",
        "message": "You cannot deactivate yourself; another admin can.",
    }
    assert await people(client, colleagues) == before


async def test_of_admins_who_depose_each_other_at_once_one_remains(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    rival = new_id()
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(
            insert(User).values(
                account_id=colleagues.account_id,
                id=rival,
                email=f"{rival.hex}@desk.example",
                display_name="Rival",
                role=Role.ADMIN,
            )
        )
    admin = client.as_(colleagues.admin)
    key = await admin.mutate("createApiKey", "secret", name="Robot", scopes=["ADMIN"])
    robot = client.with_token(key["secret"])
    demote = {"userId": colleagues.admin.id, "role": "LEAD", "expectedVersion": 1}
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(select(User.id).with_for_update())
        deposing = asyncio.gather(
            robot.mutate("saveMember", MEMBER, **demote),
            robot.mutate("deactivateMember", MEMBER, userId=node_id(Kind.USER, rival)),
        )
        await until_waiting(db, 2)
    answers = await deposing
    assert [answer for answer in answers if answer == LAST_ADMIN] == [LAST_ADMIN]
    left = [
        person
        for person in await people(client, colleagues)
        if person["role"] == "ADMIN" and person["isActive"]
    ]
    assert len(left) == 1


async def test_people_and_teams_cost_the_same_for_four_and_for_twenty(
    client: Client, colleagues: Colleagues, runtime: Runtime, statements: list[str]
) -> None:
    document = "{ members { team { name members { id team { id } } } } }"
    await client.as_(colleagues.engineer).run(document)
    few = len(statements)
    assert few == 3
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(
            insert(User),
            [
                {
                    "account_id": colleagues.account_id,
                    "id": new_id(),
                    "email": f"{uuid4().hex}@desk.example",
                    "display_name": f"Person {number}",
                    "role": Role.ENGINEER,
                    "team_id": colleagues.team_id,
                }
                for number in range(16)
            ],
        )
    statements.clear()
    answer = await client.as_(colleagues.engineer).run(document)
    assert len(answer["members"]) == len(answer["members"][0]["team"]["members"]) == 20
    assert len(statements) == few


# ------------------------------------------------------------------ leaving, and coming back

SIGN_IN = "tokens { accessToken refreshToken }"


async def joined(client: Client, colleagues: Colleagues, **changes: Any) -> dict[str, Any]:
    """A new member who is signed in: their details, id and tokens."""
    given = details(**changes)
    added = await client.as_(colleagues.admin).mutate("saveMember", MEMBER, **given)
    tokens = await signed_in(client, given)
    return {**given, "id": added["member"]["id"], **tokens["tokens"]}


async def signed_in(client: Client, person: dict[str, Any], **other: Any) -> dict[str, Any]:
    who = {"email": person["email"], "password": person["password"], **other}
    return await client.mutate("signIn", SIGN_IN, **who)


async def test_a_reactivated_member_comes_in_as_before_and_a_repeat_changes_nothing(
    client: Client, colleagues: Colleagues
) -> None:
    admin, grace = client.as_(colleagues.admin), await joined(client, colleagues, role="LEAD")
    await admin.mutate("deactivateMember", MEMBER, userId=grace["id"])
    assert (await signed_in(client, grace))["__typename"] == "PermissionDeniedError"
    back = await admin.mutate("reactivateMember", MEMBER, userId=grace["id"])
    assert (back["member"]["isActive"], back["member"]["role"]) == (True, "LEAD")
    assert back["member"]["version"] == 3
    assert await admin.mutate("reactivateMember", MEMBER, userId=grace["id"]) == back
    assert (await signed_in(client, grace))["__typename"] == "SignInSuccess"
    ended = await client.mutate("refreshTokens", "__typename", refreshToken=grace["refreshToken"])
    assert ended["__typename"] == "PermissionDeniedError"


async def test_only_admins_reactivate_and_only_their_own(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    gone = colleagues.engineer2.id
    await client.as_(colleagues.admin).mutate("deactivateMember", MEMBER, userId=gone)
    before = await people(client, colleagues)
    for person in (colleagues.engineer, colleagues.lead):
        refused = await client.as_(person).mutate("reactivateMember", MEMBER, userId=gone)
        assert refused == ONLY_ADMINS
    admin = client.as_(strangers.admin)
    for node in (gone, node_id(Kind.USER, new_id()), "nonsense"):
        assert await admin.mutate("reactivateMember", MEMBER, userId=node) == unknown(node)
    assert await people(client, colleagues) == before


async def test_a_deactivated_member_can_be_changed_which_lets_nobody_in(
    client: Client, colleagues: Colleagues
) -> None:
    admin, grace = client.as_(colleagues.admin), await joined(client, colleagues)
    await admin.mutate("deactivateMember", MEMBER, userId=grace["id"])
    nobody = {"email": f"{uuid4().hex}@gone.example", "password": "another long password"}
    changed = await admin.mutate(
        "saveMember",
        MEMBER,
        userId=grace["id"],
        displayName="Somebody who left",
        expectedVersion=2,
        **nobody,
    )
    assert (changed["member"]["displayName"], changed["member"]["isActive"]) == (
        "Somebody who left",
        False,
    )
    assert (await signed_in(client, nobody))["__typename"] == "PermissionDeniedError"


async def test_the_keys_of_whoever_leaves_are_named_and_end_if_so_wished(
    client: Client, colleagues: Colleagues
) -> None:
    admin, grace = client.as_(colleagues.admin), await joined(client, colleagues, role="ADMIN")
    theirs = client.with_token(grace["accessToken"])
    made = [
        await theirs.mutate("createApiKey", "secret apiKey { id }", name=name, scopes=["READ"])
        for name in ("First", "Second", "Third")
    ]
    await admin.mutate("revokeApiKey", "apiKey { id }", apiKeyId=made[0]["apiKey"]["id"])
    await admin.mutate("createApiKey", "secret", name="Admin's own", scopes=["READ"])
    named = "apiKeys { name createdBy { id isActive } }"
    by = {"id": grace["id"], "isActive": False}

    left = await admin.mutate("deactivateMember", named, userId=grace["id"])
    assert left["apiKeys"] == [
        {"name": "Third", "createdBy": by},
        {"name": "Second", "createdBy": by},
    ]
    robot = client.with_token(made[2]["secret"])
    assert (await robot.run("{ viewer { user { id } } }"))["viewer"] == {"user": None}
    ended = await admin.mutate("deactivateMember", named, userId=grace["id"], revokeApiKeys=True)
    assert ended["apiKeys"] == []
    for key in made:
        with pytest.raises(GraphQLFailure) as caught:
            await client.with_token(key["secret"]).run("{ viewer { scopes } }")
        assert caught.value.code == "UNAUTHENTICATED"
    answer = await admin.run("{ apiKeys { name revokedAt } }")
    assert [(key["name"], key["revokedAt"] is None) for key in answer["apiKeys"]] == [
        ("Admin's own", True),
        ("Third", False),
        ("Second", False),
        ("First", False),
    ]


# ------------------------------------------------------------------ a create that is repeated


async def test_the_same_key_adds_a_member_once(client: Client, colleagues: Colleagues) -> None:
    admin = client.as_(colleagues.admin)
    team = node_id(Kind.TEAM, colleagues.team_id)
    wanted = details(idempotencyKey=str(uuid4()), teamId=team)
    answers = await asyncio.gather(
        *(admin.mutate("saveMember", MEMBER, **wanted) for _ in range(4))
    )
    assert answers == [answers[0]] * 4
    assert answers[0]["__typename"] == "SaveMemberSuccess"
    before = await people(client, colleagues)
    assert len(before) == 5
    for other in ({"password": "another long password"}, {"role": "LEAD"}, {"teamId": None}):
        refused = await admin.mutate("saveMember", MEMBER, **{**wanted, **other})
        assert [field["path"] for field in refused["fields"]] == [["idempotencyKey"]]
    edit = {"userId": answers[0]["member"]["id"], "expectedVersion": 1, "displayName": "Ada"}
    refused = await admin.mutate("saveMember", MEMBER, **edit, idempotencyKey=str(uuid4()))
    assert [field["path"] for field in refused["fields"]] == [["idempotencyKey"]]
    assert await people(client, colleagues) == before


# ------------------------------------------------------------------ one's own password

NEW = "another long password"
WRONG = {"__typename": "PermissionDeniedError", "message": "The current password is wrong."}


async def test_who_changes_a_password_ends_all_other_sign_ins(
    client: Client, colleagues: Colleagues
) -> None:
    grace = await joined(client, colleagues)
    elsewhere = (await signed_in(client, grace))["tokens"]
    answer = await client.with_token(grace["accessToken"]).mutate(
        "changePassword", SIGN_IN, currentPassword=grace["password"], newPassword=NEW
    )
    tokens = answer["tokens"]
    for token in (grace["refreshToken"], elsewhere["refreshToken"]):
        ended = await client.mutate("refreshTokens", "__typename", refreshToken=token)
        assert ended["__typename"] == "PermissionDeniedError"
    assert await client.with_token(tokens["accessToken"]).run(
        "{ viewer { user { version } } }"
    ) == {"viewer": {"user": {"version": 2}}}
    renewed = await client.mutate(
        "refreshTokens", "__typename", refreshToken=tokens["refreshToken"]
    )
    assert renewed["__typename"] == "RefreshTokensSuccess"
    assert (await signed_in(client, grace))["__typename"] == "PermissionDeniedError"
    assert (await signed_in(client, grace, password=NEW))["__typename"] == "SignInSuccess"


async def test_a_password_changes_only_for_whoever_knows_it(
    client: Client, colleagues: Colleagues
) -> None:
    grace = await joined(client, colleagues)
    hers = client.with_token(grace["accessToken"])
    refused = await hers.mutate("changePassword", SIGN_IN, currentPassword="x", newPassword=NEW)
    assert refused == WRONG
    without = client.as_(colleagues.lead)
    assert (
        await without.mutate("changePassword", SIGN_IN, currentPassword="x", newPassword=NEW)
        == WRONG
    )
    same = await hers.mutate(
        "changePassword",
        SIGN_IN,
        currentPassword=grace["password"],
        newPassword=grace["password"],
    )
    assert same["fields"] == [
        {"path": ["newPassword"], "message": "Must be another than the current one."}
    ]
    key = await client.as_(colleagues.admin).mutate(
        "createApiKey", "secret", name="Robot", scopes=["READ", "WRITE", "ADMIN"]
    )
    robot = client.with_token(key["secret"])
    assert await robot.mutate("changePassword", SIGN_IN, currentPassword="x", newPassword=NEW) == {
        "__typename": "PermissionDeniedError",
        "message": "An API key has no password.",
    }
    assert (await signed_in(client, grace))["__typename"] == "SignInSuccess"
    renewed = await client.mutate("refreshTokens", "__typename", refreshToken=grace["refreshToken"])
    assert renewed["__typename"] == "RefreshTokensSuccess"


async def test_of_two_changes_of_a_password_at_once_one_is_made(
    client: Client, colleagues: Colleagues
) -> None:
    grace = await joined(client, colleagues)
    hers = client.with_token(grace["accessToken"])
    answers = await asyncio.gather(
        *(
            hers.mutate(
                "changePassword", SIGN_IN, currentPassword=grace["password"], newPassword=new
            )
            for new in (NEW, NEW + "!")
        )
    )
    assert sorted(answer["__typename"] for answer in answers) == [
        "ChangePasswordSuccess",
        "PermissionDeniedError",
    ]
    (made,) = (answer["tokens"] for answer in answers if "tokens" in answer)
    renewed = await client.mutate("refreshTokens", "__typename", refreshToken=made["refreshToken"])
    assert renewed["__typename"] == "RefreshTokensSuccess"
