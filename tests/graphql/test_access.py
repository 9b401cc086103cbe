"""Coming in and going: sign-in, rotating refresh tokens, access tokens, and what `viewer` says."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select, update

from models.account import Plan, RefreshToken, Role, User
from models.usage import AccountUsage
from services.accounts import NewPerson, create_account
from services.database import transaction
from services.errors import InvalidInput
from services.ids import Kind, new_id, node_id, uuid_of
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues, make_account
from tests.locks import until_waiting

PASSWORD = "correct horse battery"
WRONG = {
    "__typename": "PermissionDeniedError",
    "message": "The e-mail address or the password is wrong.",
}
ENDED = {"__typename": "PermissionDeniedError", "message": "This sign-in has ended. Sign in again."}
TOKENS = "tokens { accessToken refreshToken expiresAt }"


async def newcomer(
    client: Client, colleagues: Colleagues, role: str = "ENGINEER"
) -> dict[str, Any]:
    """A colleague who has a password."""
    made = await client.as_(colleagues.admin).mutate(
        "saveMember",
        "member { id email version }",
        email=f"{uuid4().hex}@desk.example",
        displayName="Newcomer",
        role=role,
        password=PASSWORD,
    )
    member: dict[str, Any] = made["member"]
    return member


async def signed_in(client: Client, email: str) -> dict[str, str]:
    answer = await client.mutate("signIn", TOKENS, email=email, password=PASSWORD)
    tokens: dict[str, str] = answer["tokens"]
    return tokens


async def refresh(client: Client, token: str) -> dict[str, Any]:
    return await client.mutate("refreshTokens", TOKENS, refreshToken=token)


async def refusal(client: Client, document: str) -> dict[str, Any]:
    with pytest.raises(GraphQLFailure) as caught:
        await client.run(document)
    (error,) = caught.value.errors
    return {"message": error["message"], "code": error["extensions"]["code"]}


async def count_tokens(runtime: Runtime, account_id: UUID, user_id: str) -> int:
    mine = select(RefreshToken.id).where(RefreshToken.user_id == uuid_of(Kind.USER, user_id))
    async with transaction(runtime.engine, account_id) as db:
        return len((await db.execute(mine)).all())


# ------------------------------------------------------------------ signing in


async def test_a_person_signs_in_and_is_the_viewer(client: Client, colleagues: Colleagues) -> None:
    member = await newcomer(client, colleagues, "LEAD")
    before = datetime.now(UTC)
    answer = await client.mutate(
        "signIn",
        TOKENS + "viewer { scopes user { id email role isActive } account { id name plan } }",
        email=f"  {member['email'].upper()} ",
        password=PASSWORD,
    )
    expires_at = datetime.fromisoformat(answer["tokens"]["expiresAt"])
    lifetime = timedelta(minutes=15)
    assert before.replace(microsecond=0) + lifetime <= expires_at <= datetime.now(UTC) + lifetime
    viewer = {
        "scopes": ["READ", "WRITE"],
        "user": {"id": member["id"], "email": member["email"], "role": "LEAD", "isActive": True},
        "account": {
            "id": node_id(Kind.ACCOUNT, colleagues.account_id),
            "name": "MSP",
            "plan": "TEAM",
        },
    }
    assert answer["viewer"] == viewer
    again = await client.with_token(answer["tokens"]["accessToken"]).run(
        "{ viewer { scopes user { id email role isActive } account { id name plan } } }"
    )
    assert again["viewer"] == viewer


async def test_a_worthless_token_does_not_keep_anybody_from_signing_in(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    assert (await signed_in(client.with_token("worthless"), member["email"]))["accessToken"]


async def test_what_does_not_fit_is_refused_alike(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    member, gone = await newcomer(client, colleagues), await newcomer(client, colleagues)
    admin = client.as_(colleagues.admin)
    await admin.mutate("deactivateMember", "member { id }", userId=gone["id"])
    for email, password in (
        (member["email"], "correct horse batterx"),
        (member["email"], f" {PASSWORD}"),
        ("nobody@desk.example", PASSWORD),
        (gone["email"], PASSWORD),
        (f"engineer@{colleagues.account_id.hex}.example", PASSWORD),  # has no password
    ):
        assert await client.mutate("signIn", TOKENS, email=email, password=password) == WRONG
    assert await count_tokens(runtime, colleagues.account_id, member["id"]) == 0


@pytest.mark.parametrize(
    ("email", "password", "wrong"),
    [
        ("", "", ["email", "password"]),
        (" ", "x", ["email"]),
        ("a" * 321, "x", ["email"]),
        ("a\0@desk.example", "x", ["email"]),
        ("a@desk.example", "x" * 201, ["password"]),
        ("a@desk.example", "x\0", ["password"]),
    ],
)
async def test_what_cannot_be_an_address_or_password_is_named(
    client: Client, email: str, password: str, wrong: list[str]
) -> None:
    answer = await client.mutate("signIn", TOKENS, email=email, password=password)
    assert answer["__typename"] == "InvalidInputError"
    assert [field["path"] for field in answer["fields"]] == [[name] for name in wrong]


async def test_a_password_hashed_more_weakly_is_hashed_anew(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    member = await newcomer(client, colleagues)
    weak = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
    this = User.id == uuid_of(Kind.USER, member["id"])
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(update(User).where(this).values(password_hash=weak))
    await signed_in(client, member["email"])
    async with transaction(runtime.engine, colleagues.account_id) as db:
        kept = (await db.execute(select(User.password_hash).where(this))).scalar_one()
    assert kept is not None
    assert kept != weak
    assert not PasswordHasher().check_needs_rehash(kept)
    await signed_in(client, member["email"])


async def test_a_password_that_changes_while_it_is_checked_lets_nobody_in(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    member = await newcomer(client, colleagues)
    this = User.id == uuid_of(Kind.USER, member["id"])
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(update(User).where(this).values(password_hash="another"))
        signing_in = asyncio.create_task(
            client.mutate("signIn", TOKENS, email=member["email"], password=PASSWORD)
        )
        await until_waiting(db, 1)
    assert await signing_in == WRONG
    assert await count_tokens(runtime, colleagues.account_id, member["id"]) == 0


async def test_an_account_made_at_the_command_line_lets_its_people_in(
    client: Client, database_url: str
) -> None:
    name = uuid4().hex
    people = [
        NewPerson(f"ada@{name}.example", "Ada", Role.ADMIN, PASSWORD),
        NewPerson(f"bob@{name}.example", "Bob", Role.ENGINEER, PASSWORD, team="Night"),
    ]
    made = await create_account(
        database_url, name="Acme", plan=Plan.FREE, people=people, teams=["Night", "Day"]
    )
    tokens = await signed_in(client, f"bob@{name}.example")
    answer = await client.with_token(tokens["accessToken"]).run(
        """{ viewer {
            user { id team { name members { displayName } } }
            account { id name plan branchLimit teams { id name members { displayName } }
                      usage { input output cacheRead cacheWrite } } } }"""
    )
    bob = {"displayName": "Bob"}
    assert answer["viewer"] == {
        "user": {
            "id": node_id(Kind.USER, made.user_ids[f"bob@{name}.example"]),
            "team": {"name": "Night", "members": [bob]},
        },
        "account": {
            "id": node_id(Kind.ACCOUNT, made.account_id),
            "name": "Acme",
            "plan": "FREE",
            "branchLimit": 2,
            "teams": [
                {"id": node_id(Kind.TEAM, made.team_ids["Day"]), "name": "Day", "members": []},
                {
                    "id": node_id(Kind.TEAM, made.team_ids["Night"]),
                    "name": "Night",
                    "members": [bob],
                },
            ],
            "usage": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        },
    }
    with pytest.raises(InvalidInput) as caught:
        await create_account(database_url, name="Acme", plan=Plan.FREE, people=people[:1])
    assert [problem.path for problem in caught.value.problems] == [("people",)]
    wrong = [NewPerson("ada", " ", Role.LEAD, "short", team="Day")]
    with pytest.raises(InvalidInput) as caught:
        await create_account(database_url, name="", plan=Plan.FREE, people=wrong)
    assert [problem.path for problem in caught.value.problems] == [
        ("name",),
        ("people", "0", "email"),
        ("people", "0", "displayName"),
        ("people", "0", "password"),
        ("people", "0", "team"),
        ("people",),
    ]


@pytest.mark.parametrize(
    ("plan", "limit"), [(Plan.FREE, 2), (Plan.PRO, 5), (Plan.TEAM, 10), (Plan.ENTERPRISE, None)]
)
async def test_a_plan_says_how_many_hypotheses_it_holds(
    client: Client, runtime: Runtime, database_url: str, plan: Plan, limit: int | None
) -> None:
    people = await make_account(runtime, database_url, plan)
    answer = await client.as_(people.engineer).run("{ viewer { account { branchLimit } } }")
    assert answer == {"viewer": {"account": {"branchLimit": limit}}}


async def test_usage_is_the_sum_over_the_accounts_months_within_an_int(
    client: Client, colleagues: Colleagues, strangers: Colleagues, runtime: Runtime
) -> None:
    for month in (date(2025, 12, 1), date(2026, 1, 1)):
        async with transaction(runtime.engine, colleagues.account_id) as db:
            await db.execute(
                insert(AccountUsage).values(
                    account_id=colleagues.account_id,
                    month=month,
                    input_tokens=5,
                    output_tokens=2_000_000_000,
                    cache_read_tokens=1,
                )
            )
    document = "{ viewer { account { usage { input output cacheRead cacheWrite } } } }"
    answer = await client.as_(colleagues.lead).run(document)
    assert answer["viewer"]["account"]["usage"] == {
        "input": 10,
        "output": 2_147_483_647,
        "cacheRead": 2,
        "cacheWrite": 0,
    }
    answer = await client.as_(strangers.lead).run(document)
    assert set(answer["viewer"]["account"]["usage"].values()) == {0}


# ------------------------------------------------------------------ access tokens


async def test_without_a_token_nobody_is_the_viewer(client: Client) -> None:
    for document in ("{ viewer { scopes } }", "{ members { id } }", "{ apiKeys { id } }"):
        assert await refusal(client, document) == {
            "message": "Sign in, or send an API key.",
            "code": "UNAUTHENTICATED",
        }


async def test_a_token_that_is_not_ours_or_not_whole_names_nobody(
    client: Client, colleagues: Colleagues, strangers: Colleagues, runtime: Runtime
) -> None:
    now = datetime.now(UTC)
    claims = {
        "sub": colleagues.admin.key.hex,
        "acc": colleagues.account_id.hex,
        "iat": now,
        "exp": now + timedelta(hours=1),
    }

    def signed(secret: bytes = runtime.secret, **changes: Any) -> str:
        kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(kept, secret, "HS256")

    assert (await client.with_token(signed()).run("{ viewer { scopes } }"))["viewer"]
    for token in (
        "x",
        "a.b.c",
        signed()[:-3],
        signed(secret=b"another secret of sufficient length"),
        jwt.encode(claims, None, "none"),
        jwt.encode(claims, runtime.secret + b"-" * 64, "HS512"),
        signed(sub=None),
        signed(acc=None),
        signed(iat=None),
        signed(exp=None),
        signed(exp=now - timedelta(seconds=1)),
        signed(sub="admin"),
        signed(sub=strangers.admin.key.hex),
        signed(acc=strangers.account_id.hex),
        signed(sub=new_id().hex),
        "fp_",
        "fp_12345678_nothing",
    ):
        assert await refusal(client.with_token(token), "{ viewer { scopes } }") == {
            "message": "The token or key that was sent is not valid, or not any more.",
            "code": "UNAUTHENTICATED",
        }


GUESSES: list[tuple[str, dict[str, Any], str]] = [
    ("{ sesions { id } }", {}, "Cannot query field 'sesions' on type 'Query'."),
    ("{ ... on Querry { __typename } }", {}, "Unknown type 'Querry'."),
    (
        "mutation($i: SignInInput!) { signIn(input: $i) { __typename } }",
        {"i": {"emial": "x", "email": "x", "password": "x"}},
        "Variable '$i' has invalid value: ",
    ),
]


@pytest.mark.parametrize(("document", "variables", "message"), GUESSES, ids=range(len(GUESSES)))
async def test_strangers_are_told_no_names(
    client: Client,
    colleagues: Colleagues,
    document: str,
    variables: dict[str, Any],
    message: str,
) -> None:
    hint = " Did you mean "
    (told,) = (await client.post(document, variables)).json()["errors"]
    assert told["message"].startswith(message)
    assert hint not in told["message"]
    async with client.socket() as socket:
        payload = {"query": document, "variables": variables}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        assert hint not in str((await socket.receive())["payload"])
    known = client.as_(colleagues.engineer)
    (told,) = (await known.post(document, variables)).json()["errors"]
    assert hint in told["message"]


async def test_a_changed_role_holds_at_once(client: Client, colleagues: Colleagues) -> None:
    member = await newcomer(client, colleagues, "ADMIN")
    person = client.with_token((await signed_in(client, member["email"]))["accessToken"])
    assert (await person.run("{ apiKeys { id } }")) == {"apiKeys": []}
    await client.as_(colleagues.admin).mutate(
        "saveMember",
        "member { id }",
        userId=member["id"],
        role="ENGINEER",
        expectedVersion=member["version"],
    )
    assert await refusal(person, "{ apiKeys { id } }") == {
        "message": "Only admins may do this.",
        "code": "FORBIDDEN",
    }
    answer = await person.run("{ viewer { scopes user { role } } }")
    assert answer["viewer"] == {"scopes": ["READ", "WRITE"], "user": {"role": "ENGINEER"}}


async def test_a_deactivated_persons_tokens_end_at_once(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    tokens = await signed_in(client, member["email"])
    person = client.with_token(tokens["accessToken"])
    assert (await person.run("{ viewer { user { id } } }"))["viewer"]["user"]["id"] == member["id"]
    await client.as_(colleagues.admin).mutate(
        "deactivateMember", "member { id }", userId=member["id"]
    )
    assert (await refusal(person, "{ viewer { scopes } }"))["code"] == "UNAUTHENTICATED"
    assert await refresh(client, tokens["refreshToken"]) == ENDED
    assert await client.mutate("signIn", TOKENS, email=member["email"], password=PASSWORD) == WRONG


# ------------------------------------------------------------------ refresh tokens


async def test_tokens_are_renewed_and_each_refresh_token_serves_once(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    first = await signed_in(client, member["email"])
    second = (await refresh(client, first["refreshToken"]))["tokens"]
    assert second["refreshToken"] != first["refreshToken"]
    answer = await client.with_token(second["accessToken"]).run("{ viewer { user { id } } }")
    assert answer["viewer"]["user"]["id"] == member["id"]
    third = (await refresh(client, second["refreshToken"]))["tokens"]
    assert third["refreshToken"] != second["refreshToken"]


async def test_a_used_refresh_token_ends_the_whole_sign_in_and_no_other(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    first, other = (
        await signed_in(client, member["email"]),
        await signed_in(client, member["email"]),
    )
    second = (await refresh(client, first["refreshToken"]))["tokens"]
    assert await refresh(client, first["refreshToken"]) == ENDED
    assert await refresh(client, second["refreshToken"]) == ENDED
    assert (await refresh(client, other["refreshToken"]))["__typename"] == "RefreshTokensSuccess"


async def test_of_twenty_at_once_one_is_served_and_the_sign_in_ends(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    member = await newcomer(client, colleagues)
    first = await signed_in(client, member["email"])
    answers = await asyncio.gather(*(refresh(client, first["refreshToken"]) for _ in range(20)))
    served = [answer for answer in answers if answer["__typename"] == "RefreshTokensSuccess"]
    assert len(served) == 1
    assert [answer for answer in answers if answer not in served] == [ENDED] * 19
    assert await refresh(client, served[0]["tokens"]["refreshToken"]) == ENDED
    assert await count_tokens(runtime, colleagues.account_id, member["id"]) == 2


async def test_a_refresh_token_that_ran_out_is_refused(
    client: Client, colleagues: Colleagues, runtime: Runtime
) -> None:
    member = await newcomer(client, colleagues)
    tokens = await signed_in(client, member["email"])
    async with transaction(runtime.engine, colleagues.account_id) as db:
        await db.execute(
            update(RefreshToken)
            .where(RefreshToken.user_id == uuid_of(Kind.USER, member["id"]))
            .values(expires_at=datetime.now(UTC))
        )
    assert await refresh(client, tokens["refreshToken"]) == ENDED
    assert await count_tokens(runtime, colleagues.account_id, member["id"]) == 1
    await signed_in(client, member["email"])
    assert await count_tokens(runtime, colleagues.account_id, member["id"]) == 1


async def test_what_is_no_refresh_token_is_refused(client: Client) -> None:
    assert await refresh(client, "unknown") == ENDED
    for text in ("", "x" * 201, "x\0"):
        answer = await refresh(client, text)
        assert answer["__typename"] == "InvalidInputError"
        assert [field["path"] for field in answer["fields"]] == [["refreshToken"]]


async def test_a_new_password_ends_the_sign_ins_and_is_the_one_that_works(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    tokens = await signed_in(client, member["email"])
    await client.as_(colleagues.admin).mutate(
        "saveMember",
        "member { id }",
        userId=member["id"],
        password="another long password",
        expectedVersion=member["version"],
    )
    assert await refresh(client, tokens["refreshToken"]) == ENDED
    assert await client.mutate("signIn", TOKENS, email=member["email"], password=PASSWORD) == WRONG
    answer = await client.mutate(
        "signIn", TOKENS, email=member["email"], password="another long password"
    )
    assert answer["__typename"] == "SignInSuccess"


# ------------------------------------------------------------------ signing out


async def test_signing_out_ends_that_sign_in_for_good_and_may_be_repeated(
    client: Client, colleagues: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    first, other = (
        await signed_in(client, member["email"]),
        await signed_in(client, member["email"]),
    )
    person = client.with_token(first["accessToken"])
    second = (await refresh(client, first["refreshToken"]))["tokens"]
    token = second["refreshToken"]
    answer = await person.mutate("signOut", "signedOutAt", refreshToken=token)
    assert answer["__typename"] == "SignOutSuccess"
    assert await person.mutate("signOut", "signedOutAt", refreshToken=token) == answer
    assert await refresh(client, token) == ENDED
    assert (await refresh(client, other["refreshToken"]))["__typename"] == "RefreshTokensSuccess"


async def test_nobody_signs_out_another(
    client: Client, colleagues: Colleagues, strangers: Colleagues
) -> None:
    member = await newcomer(client, colleagues)
    tokens = await signed_in(client, member["email"])
    for other in (colleagues.admin, strangers.admin):
        answer = await client.as_(other).mutate(
            "signOut", "signedOutAt", refreshToken=tokens["refreshToken"]
        )
        assert answer["__typename"] == "SignOutSuccess"
    assert (await refresh(client, tokens["refreshToken"]))["__typename"] == "RefreshTokensSuccess"
    answer = await client.as_(colleagues.admin).mutate("signOut", "signedOutAt", refreshToken="")
    assert [field["path"] for field in answer["fields"]] == [["refreshToken"]]
