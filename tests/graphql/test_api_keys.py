"""Keys for programs: made once, shown once, as strong as their scopes, ended at once."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from models.account import ApiKey, User
from services.authentication import authenticate
from services.database import transaction
from services.ids import Kind, new_id, node_id, uuid_of
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues

KEY = "apiKey { id name prefix scopes createdAt lastUsedAt expiresAt revokedAt }"
ONLY_ADMINS = {"__typename": "PermissionDeniedError", "message": "Only admins may do this."}


async def keys(client: Client, colleagues: Colleagues) -> list[dict[str, Any]]:
    answer = await client.as_(colleagues.admin).run(
        "{ apiKeys { id name prefix scopes createdAt lastUsedAt expiresAt revokedAt } }"
    )
    found: list[dict[str, Any]] = answer["apiKeys"]
    return found


async def make_key(client: Client, colleagues: Colleagues, *scopes: str) -> dict[str, Any]:
    return await client.as_(colleagues.admin).mutate(
        "createApiKey", KEY + " secret", name="Robot", scopes=list(scopes)
    )


async def code_of(client: Client, document: str) -> str:
    with pytest.raises(GraphQLFailure) as caught:
        await client.run(document)
    return caught.value.code


async def test_a_key_is_made_and_speaks_for_the_account(
    client: Client, colleagues: Colleagues
) -> None:
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made = await client.as_(colleagues.admin).mutate(
        "createApiKey",
        KEY + " secret",
        name=" Robot ",
        scopes=["WRITE", "READ"],
        expiresAt=expires_at.isoformat(),
    )
    key, secret = made["apiKey"], made["secret"]
    assert (key["name"], key["scopes"]) == ("Robot", ["READ", "WRITE"])
    assert (key["lastUsedAt"], key["revokedAt"]) == (None, None)
    assert datetime.fromisoformat(key["expiresAt"]) == expires_at
    assert len(key["prefix"]) == 8
    start, prefix, rest = secret.split("_", 2)
    assert (start, prefix, len(rest)) == ("fp", key["prefix"], 43)
    answer = await client.with_token(secret).run(
        "{ viewer { scopes user { id } account { id } } members { id } }"
    )
    assert answer["viewer"] == {
        "scopes": ["READ", "WRITE"],
        "user": None,
        "account": {"id": node_id(Kind.ACCOUNT, colleagues.account_id)},
    }
    assert len(answer["members"]) == 4
    assert await code_of(client.with_token(secret), "{ apiKeys { id } }") == "FORBIDDEN"


async def test_only_a_hash_of_the_secret_is_kept_and_a_service_user_is_made(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    made = await make_key(client, colleagues, "READ")
    key_id = uuid_of(Kind.API_KEY, made["apiKey"]["id"])
    async with transaction(runtime.engine, colleagues.account_id) as db:
        key = (await db.execute(select(ApiKey).where(ApiKey.id == key_id))).one()
        user = (await db.execute(select(User).where(User.id == key.user_id))).one()
    assert key.secret_hash == hashlib.sha256(made["secret"].encode()).digest()
    assert key.created_by == colleagues.admin.key
    assert (user.display_name, user.is_service, user.password_hash) == ("Robot", True, None)


@pytest.mark.parametrize(
    ("scopes", "role"),
    [
        (["READ"], "ENGINEER"),
        (["READ", "WRITE"], "LEAD"),
        (["WRITE"], "LEAD"),
        (["ADMIN"], "ADMIN"),
        (["READ", "WRITE", "ADMIN"], "ADMIN"),
    ],
)
async def test_a_key_acts_with_the_role_of_its_scopes_for_the_one_who_made_it(
    client: Client, colleagues: Colleagues, runtime: Runtime, scopes: list[str], role: str
) -> None:
    made = await make_key(client, colleagues, *scopes)
    actor = await authenticate(runtime, made["secret"])
    assert (actor.account_id, actor.role.name) == (colleagues.account_id, role)
    assert {scope.name for scope in actor.scopes} == set(scopes)
    assert actor.is_key
    assert actor.stands_for == colleagues.admin.key
    assert actor.expires_at is None


async def test_a_key_with_admin_makes_keys_that_stand_for_the_same_person(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    robot = client.with_token((await make_key(client, colleagues, "ADMIN"))["secret"])
    made = await robot.mutate("createApiKey", "secret", name="Child", scopes=["READ"])
    assert (await authenticate(runtime, made["secret"])).stands_for == colleagues.admin.key


async def test_the_same_idempotency_key_shows_the_same_secret_once_more(
    client: Client, colleagues: Colleagues
) -> None:
    admin, key = client.as_(colleagues.admin), str(uuid4())
    wanted = {"idempotencyKey": key, "name": "Robot", "scopes": ["READ", "WRITE"]}
    answers = await asyncio.gather(
        *(admin.mutate("createApiKey", KEY + " secret", **wanted) for _ in range(5))
    )
    assert answers == [answers[0]] * 5
    again = {**wanted, "scopes": ["WRITE", "READ"]}
    assert await admin.mutate("createApiKey", KEY + " secret", **again) == answers[0]
    for other in ({"name": "Other"}, {"scopes": ["READ"]}):
        refused = await admin.mutate("createApiKey", KEY, **{**wanted, **other})
        assert [field["path"] for field in refused["fields"]] == [["idempotencyKey"]]
    assert await keys(client, colleagues) == [answers[0]["apiKey"]]


async def test_a_secret_is_shown_again_for_ten_minutes_and_not_after(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    admin = client.as_(colleagues.admin)
    wanted = {"idempotencyKey": str(uuid4()), "name": "Robot", "scopes": ["READ"]}
    made = await admin.mutate("createApiKey", KEY + " secret", **wanted)

    async def repeated(age: timedelta) -> dict[str, Any]:
        this = ApiKey.id == uuid_of(Kind.API_KEY, made["apiKey"]["id"])
        async with transaction(runtime.engine, colleagues.account_id) as db:
            await db.execute(update(ApiKey).where(this).values(created_at=datetime.now(UTC) - age))
        return await admin.mutate("createApiKey", KEY + " secret", **wanted)

    assert (await repeated(timedelta(minutes=9)))["secret"] == made["secret"]
    before = await keys(client, colleagues)
    refused = await repeated(timedelta(minutes=10, seconds=1))
    assert refused["__typename"] == "InvalidInputError"
    assert refused["fields"] == [
        {
            "path": ["idempotencyKey"],
            "message": "Has made an API key before, whose secret is shown no more. Revoke that "
            "one and make another.",
        }
    ]
    assert [key["id"] for key in await keys(client, colleagues)] == [key["id"] for key in before]


async def test_every_key_reads_and_neither_write_nor_admin_implies_the_other(
    client: Client, colleagues: Colleagues
) -> None:
    case = {"idempotencyKey": str(uuid4()), "intake": {"text": "The VPN drops"}}
    worked = {}
    for scope in ("READ", "WRITE", "ADMIN"):
        robot = client.with_token((await make_key(client, colleagues, scope))["secret"])
        assert len((await robot.run("{ members { id } }"))["members"]) == 4
        started = await robot.mutate("startSession", "session { id }", **case)
        made = await robot.mutate("createApiKey", "secret", name="Child", scopes=["READ"])
        worked[scope] = (started["__typename"], made["__typename"])
    assert worked == {
        "READ": ("PermissionDeniedError", "PermissionDeniedError"),
        "WRITE": ("StartSessionSuccess", "PermissionDeniedError"),
        "ADMIN": ("PermissionDeniedError", "CreateApiKeySuccess"),
    }


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "x\0"}, ["name"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": ["READ", "READ"]}, ["scopes"]),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, ["expiresAt"]),
        (
            {"name": "", "scopes": [], "expiresAt": "2020-01-01T00:00:00Z"},
            ["name", "scopes", "expiresAt"],
        ),
    ],
)
async def test_what_is_wrong_with_a_new_key_is_named(
    client: Client, colleagues: Colleagues, changes: dict[str, Any], wrong: list[str]
) -> None:
    wanted = {"name": "Robot", "scopes": ["READ"], **changes}
    answer = await client.as_(colleagues.admin).mutate("createApiKey", KEY, **wanted)
    assert answer["__typename"] == "InvalidInputError"
    assert [field["path"] for field in answer["fields"]] == [[name] for name in wrong]
    assert await keys(client, colleagues) == []


async def test_only_admins_see_and_change_keys(client: Client, colleagues: Colleagues) -> None:
    made = await make_key(client, colleagues, "READ", "WRITE")
    before = await keys(client, colleagues)
    key_id = made["apiKey"]["id"]
    for caller in (client.as_(colleagues.engineer), client.as_(colleagues.lead)):
        assert await code_of(caller, "{ apiKeys { id } }") == "FORBIDDEN"
        answer = await caller.mutate("createApiKey", KEY, name="Mine", scopes=["ADMIN"])
        assert answer == ONLY_ADMINS
        assert await caller.mutate("revokeApiKey", KEY, apiKeyId=key_id) == ONLY_ADMINS
        assert await caller.run("query($id: ID!) { node(id: $id) { id } }", id=key_id) == {
            "node": None
        }
    assert await keys(client, colleagues) == before


async def test_another_accounts_keys_do_not_exist(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    made = await make_key(client, colleagues, "READ")
    before = await keys(client, colleagues)
    assert await keys(client, strangers) == []
    admin = client.as_(strangers.admin)
    for key_id in (made["apiKey"]["id"], node_id(Kind.API_KEY, new_id()), colleagues.lead.id, ""):
        answer = await admin.mutate("revokeApiKey", KEY, apiKeyId=key_id)
        assert (answer["__typename"], answer["id"]) == ("NotFoundError", key_id)
    assert await keys(client, colleagues) == before
    assert (await client.with_token(made["secret"]).run("{ viewer { scopes } }"))["viewer"]


async def test_a_revoked_key_ends_at_once_and_a_repeat_changes_nothing(
    client: Client, colleagues: Colleagues
) -> None:
    made, other = (
        await make_key(client, colleagues, "READ"),
        await make_key(client, colleagues, "READ"),
    )
    admin, key_id = client.as_(colleagues.admin), made["apiKey"]["id"]
    answer = await admin.mutate("revokeApiKey", KEY, apiKeyId=key_id)
    assert answer["apiKey"] == {**made["apiKey"], "revokedAt": answer["apiKey"]["revokedAt"]}
    assert answer["apiKey"]["revokedAt"] is not None
    assert await admin.mutate("revokeApiKey", KEY, apiKeyId=key_id) == answer
    code = await code_of(client.with_token(made["secret"]), "{ viewer { scopes } }")
    assert code == "UNAUTHENTICATED"
    assert await client.with_token(other["secret"]).run("{ viewer { scopes } }")
    assert [key["id"] for key in await keys(client, colleagues)] == [other["apiKey"]["id"], key_id]


async def test_a_key_ends_when_it_says(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    made = await make_key(client, colleagues, "READ")
    this = ApiKey.id == uuid_of(Kind.API_KEY, made["apiKey"]["id"])
    soon = datetime.now(UTC) + timedelta(hours=1)
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(update(ApiKey).where(this).values(expires_at=soon))
    assert (await authenticate(runtime, made["secret"])).expires_at == soon
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(update(ApiKey).where(this).values(expires_at=datetime.now(UTC)))
    code = await code_of(client.with_token(made["secret"]), "{ viewer { scopes } }")
    assert code == "UNAUTHENTICATED"


async def test_last_use_is_kept_to_about_a_minute(
    client: Client, colleagues: Colleagues, runtime: Runtime, statements: list[str]
) -> None:
    made = await make_key(client, colleagues, "READ")
    robot = client.with_token(made["secret"])

    async def last_used_at() -> datetime:
        await robot.run("{ viewer { scopes } }")
        (key,) = await keys(client, colleagues)
        return datetime.fromisoformat(key["lastUsedAt"])

    first = await last_used_at()
    assert timedelta() <= datetime.now(UTC) - first < timedelta(minutes=1)
    statements.clear()
    assert await last_used_at() == first
    assert not [statement for statement in statements if "UPDATE" in statement]
    earlier = first - timedelta(seconds=61)
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(update(ApiKey).values(last_used_at=earlier))
    assert await last_used_at() > first


async def test_many_keys_made_in_one_moment_differ_by_prefix(
    client: Client, colleagues: Colleagues
) -> None:
    made = [await make_key(client, colleagues, "READ") for _ in range(5)]
    assert len({one["apiKey"]["prefix"] for one in made}) == 5
    assert len({one["secret"] for one in made}) == 5
