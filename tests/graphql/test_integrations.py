"""Connecting systems outside: what is taken, what is refused, and that no secret comes back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from services import integrations
from services.ids import Kind, uuid_of
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.fakes.far_ends import autotask, connectwise, halopsa, hudu, it_glue
from tests.fakes.far_ends.serving import FarEnds
from tests.tables import as_owner, event_seq, snapshot

FIELDS = """integration {
  id provider name baseUrl isEnabled lastSuccessAt lastFailure pausedUntil version
}"""
CONNECTIONS: dict[str, dict[str, str]] = {
    "connectwise": connectwise.LOGIN,
    "halopsa": halopsa.LOGIN,
    "autotask": autotask.LOGIN,
    "hudu": {"apiKey": hudu.KEY, "companyId": "5"},
    "itGlue": {"apiKey": it_glue.KEY, "organizationId": "7"},
}
SECRETS = (
    connectwise.PUBLIC,
    connectwise.PRIVATE,
    halopsa.CLIENT,
    halopsa.SECRET,
    autotask.SECRET,
    autotask.CODE,
    hudu.KEY,
    it_glue.KEY,
)
PATHS = {"itGlue": "it_glue"}
PROVIDERS = {"itGlue": "IT_GLUE"}


@pytest.fixture
async def untouched(colleagues: Colleagues, database_url: str) -> AsyncIterator[None]:
    """Nothing is written, and nothing published."""

    async def state() -> tuple[int, Any]:
        async with as_owner(database_url) as db:
            account_id = colleagues.account_id
            return await event_seq(db, account_id), await snapshot(db, account_id)

    before = await state()
    yield
    assert await state() == before


async def add(admin: Client, url: str, vendor: str = "connectwise", **given: Any) -> dict[str, Any]:
    return await admin.mutate(
        "saveIntegration",
        FIELDS,
        **{
            "idempotencyKey": str(uuid4()),
            "name": "Tickets",
            "baseUrl": f"{url}/{PATHS.get(vendor, vendor)}",
            "connection": {vendor: CONNECTIONS[vendor]},
            **given,
        },
    )


@pytest.mark.parametrize("vendor", CONNECTIONS)
async def test_it_is_added_tested_and_never_shows_its_secrets(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str, vendor: str
) -> None:
    admin = client.as_(colleagues.admin)
    added = await add(admin, far_ends.url, vendor)
    integration = added["integration"]
    assert integration == {
        "id": integration["id"],
        "provider": PROVIDERS.get(vendor, vendor.upper()),
        "name": "Tickets",
        "baseUrl": f"{far_ends.url}/{PATHS.get(vendor, vendor)}",
        "isEnabled": True,
        "lastSuccessAt": None,
        "lastFailure": None,
        "pausedUntil": None,
        "version": 1,
    }
    tested = await admin.mutate("testIntegration", FIELDS, integrationId=integration["id"])
    assert tested["integration"].pop("lastSuccessAt") is not None
    assert tested["integration"] == {k: v for k, v in integration.items() if k != "lastSuccessAt"}
    listed = await client.as_(colleagues.engineer).run("{ integrations { id name } }")
    assert listed["integrations"] == [{"id": integration["id"], "name": "Tickets"}]
    async with as_owner(database_url) as db:
        rows = await snapshot(db, colleagues.account_id)
    assert rows["integrations"]
    for secret in SECRETS:
        assert secret not in str(rows)
        assert secret.encode().hex() not in str(rows)
        assert secret not in str([added, tested])


WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "connectwise": (
        "connectwise",
        {**connectwise.LOGIN, "privateKey": "wrong"},
        (
            "ConnectWise: It did not accept the credentials. It says: Verify that your credentials are "
            "correct."
        ),
    ),
    "halopsa": (
        "halopsa",
        {**halopsa.LOGIN, "clientSecret": "wrong"},
        "HaloPSA: It did not accept the credentials.",
    ),
    "autotask": (
        "autotask",
        {**autotask.LOGIN, "secret": "wrong"},
        (
            "Autotask: It did not accept the credentials. It says: The logon username or password is "
            "incorrect."
        ),
    ),
    "an unknown user": (
        "autotask",
        {**autotask.LOGIN, "userName": "nobody@first.example"},
        "Autotask: It did not accept what was sent. It says: Zone information could not be determined",
    ),
    "hudu": ("hudu", {"apiKey": "wrong"}, "Hudu: It did not accept the credentials."),
    "it glue": (
        "itGlue",
        {"apiKey": "wrong", "organizationId": "7"},
        "IT Glue: It did not accept the credentials. It says: The API key is invalid.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_test_tells_what_is_wrong_and_changes_nothing(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str, case: str
) -> None:
    vendor, login, sentence = WRONG[case]
    admin = client.as_(colleagues.admin)
    added = await add(admin, far_ends.url, vendor, connection={vendor: login})
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
    refused = await admin.mutate(
        "testIntegration", FIELDS, integrationId=added["integration"]["id"]
    )
    assert refused == {
        "__typename": "ServiceUnavailableError",
        "message": sentence,
        "service": sentence.partition(":")[0],
        "retryable": False,
    }
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before


PRIVATE = "Leads into a private network, where this server does not call."
ADDRESSES = {
    "http://api-na.myconnectwise.net": "Must begin with https://.",
    "ftp://127.0.0.1": "Must be an address as https://psa.example.com.",
    "nonsense": "Must be an address as https://psa.example.com.",
    "https://": "Must be an address as https://psa.example.com.",
    "https://[::1": "Must be an address as https://psa.example.com.",
    "https://psa.example.com:99999": "Must be an address as https://psa.example.com.",
    "https://psä.example.com": "Must be an address as https://psa.example.com.",
    "https://user:secret@psa.example.com": (
        "Must hold neither user nor password; they have fields of their own."
    ),
    "https://psa.example.com/?a=b": "Must have neither a query nor a fragment.",
    "https://psa.example.com/#a": "Must have neither a query nor a fragment.",
    "https://psa.example.com/a b": "Must have no spaces and at most 2,000 characters.",
    f"https://psa.example.com/{'x' * 2000}": "Must have no spaces and at most 2,000 characters.",
    "https://10.0.0.1": PRIVATE,
    "https://192.168.1.1/psa": PRIVATE,
    "https://169.254.169.254/latest/meta-data": PRIVATE,
    "https://100.64.0.1": PRIVATE,
    "https://0.0.0.0": PRIVATE,
    "https://224.0.0.1": PRIVATE,
    "https://[::1]": PRIVATE,
    "https://[fe80::1]": PRIVATE,
    "https://[fd00::1]": PRIVATE,
    "https://[::ffff:10.0.0.1]": PRIVATE,
    "https://[64:ff9b::a00:1]": PRIVATE,
    "https://[2002:a00:1::]": PRIVATE,
}


@pytest.mark.parametrize("url", ADDRESSES)
async def test_an_address_that_leads_astray_is_refused(
    client: Client, colleagues: Colleagues, untouched: None, url: str
) -> None:
    refused = await add(client.as_(colleagues.admin), "", baseUrl=url)
    assert refused["fields"] == [{"path": ["baseUrl"], "message": ADDRESSES[url]}]


NEEDED = "A new integration needs it."
INCOMPLETE: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nothing": (
        {"idempotencyKey": None, "name": None, "baseUrl": None, "connection": None},
        [(name, NEEDED) for name in ("idempotencyKey", "name", "baseUrl", "connection")],
    ),
    "a part of the login": (
        {"connection": {"connectwise": {"companyId": "first", "publicKey": "x"}}},
        [
            ("connection.connectwise.clientId", NEEDED),
            ("connection.connectwise.privateKey", NEEDED),
        ],
    ),
    "what breaks a header": (
        {"connection": {"hudu": {"apiKey": "a\r\nHost: b", "companyId": "x"}}},
        [
            (
                "connection.hudu.apiKey",
                "Must have nothing but letters, digits and signs of ASCII.",
            ),
            ("connection.hudu.companyId", "Must be a number."),
        ],
    ),
    "blank": (
        {"name": " ", "connection": {"itGlue": {"apiKey": " ", "organizationId": "7"}}},
        [
            ("name", "Must have 1 to 200 characters, not counting outer space."),
            (
                "connection.itGlue.apiKey",
                "Must have 1 to 1,000 characters, not counting outer space.",
            ),
        ],
    ),
    "too long": (
        {"connection": {"hudu": {"apiKey": "x" * 1001}}},
        [
            (
                "connection.hudu.apiKey",
                "Must have 1 to 1,000 characters, not counting outer space.",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", INCOMPLETE)
async def test_what_is_missing_or_wrong_is_told_at_once(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, untouched: None, case: str
) -> None:
    given, problems = INCOMPLETE[case]
    refused = await add(client.as_(colleagues.admin), far_ends.url, **given)
    told = [(".".join(each["path"]), each["message"]) for each in refused["fields"]]
    assert told == problems
    assert "Host: b" not in str(refused)


async def test_a_change_keeps_what_is_not_entered(
    client: Client, colleagues: Colleagues, far_ends: FarEnds
) -> None:
    admin = client.as_(colleagues.admin)
    added = await add(admin, far_ends.url)
    id = added["integration"]["id"]
    for version, change in enumerate(
        (
            {"name": "Renamed"},
            {"baseUrl": f"{far_ends.url}/connectwise/"},
            {"connection": {"connectwise": {"privateKey": connectwise.PRIVATE}}},
            {"connection": {"connectwise": {"companyId": connectwise.COMPANY}}},
        ),
        1,
    ):
        changed = await admin.mutate(
            "saveIntegration", FIELDS, integrationId=id, expectedVersion=version, **change
        )
        assert changed["integration"]["version"] == version + 1, changed
        tested = await admin.mutate("testIntegration", FIELDS, integrationId=id)
        assert tested["__typename"] == "TestIntegrationSuccess"
    assert tested["integration"]["name"] == "Renamed"
    await admin.mutate(
        "saveIntegration",
        FIELDS,
        integrationId=id,
        expectedVersion=5,
        connection={"connectwise": {"privateKey": "wrong"}},
    )
    tested = await admin.mutate("testIntegration", FIELDS, integrationId=id)
    assert tested["__typename"] == "ServiceUnavailableError"


async def test_secrets_do_not_follow_to_another_address(
    client: Client, colleagues: Colleagues, far_ends: FarEnds
) -> None:
    """Whoever may change the address need not know them, and would be sent them."""
    admin = client.as_(colleagues.admin)
    id = (await add(admin, far_ends.url))["integration"]["id"]
    elsewhere = "https://psa.invalid"
    again = "Must be entered again for another address."
    refused = await admin.mutate(
        "saveIntegration", FIELDS, integrationId=id, expectedVersion=1, baseUrl=elsewhere
    )
    assert [(each["path"][-1], each["message"]) for each in refused["fields"]] == [
        ("publicKey", again),
        ("privateKey", again),
    ]
    refused = await admin.mutate(
        "saveIntegration",
        FIELDS,
        integrationId=id,
        expectedVersion=1,
        baseUrl=elsewhere,
        connection={"connectwise": {"publicKey": "new"}},
    )
    assert [(each["path"][-1], each["message"]) for each in refused["fields"]] == [
        ("privateKey", again)
    ]
    moved = await admin.mutate(
        "saveIntegration",
        FIELDS,
        integrationId=id,
        expectedVersion=1,
        baseUrl=elsewhere,
        connection={"connectwise": {"publicKey": "new", "privateKey": "new"}},
    )
    assert moved["integration"]["baseUrl"] == elsewhere
    away = await admin.mutate("testIntegration", FIELDS, integrationId=id)
    assert (away["message"], away["retryable"]) == (
        "ConnectWise: The name of its host cannot be resolved.",
        True,
    )


async def test_a_change_that_does_not_fit_is_refused(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    id = (await add(admin, far_ends.url))["integration"]["id"]
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
    given = {"integrationId": id, "expectedVersion": 1}
    hudu_key = {"hudu": {"apiKey": hudu.KEY}}
    for change, fields in (
        ({"expectedVersion": None}, [(["expectedVersion"], "A change needs it.")]),
        (
            {"idempotencyKey": str(uuid4())},
            [(["idempotencyKey"], "Is for a new integration.")],
        ),
        ({"connection": hudu_key}, [(["connection"], "It is one of CONNECTWISE.")]),
    ):
        refused = await admin.mutate("saveIntegration", FIELDS, **{**given, **change})
        assert [(each["path"], each["message"]) for each in refused["fields"]] == fields
    stale = await admin.mutate(
        "saveIntegration", FIELDS, integrationId=id, expectedVersion=2, name="Late"
    )
    assert (stale["__typename"], stale["currentVersion"]) == ("StaleVersionError", 1)
    async with as_owner(database_url) as db:
        assert await snapshot(db, colleagues.account_id) == before


async def test_of_many_changes_at_once_one_is_made(
    client: Client, colleagues: Colleagues, far_ends: FarEnds
) -> None:
    admin = client.as_(colleagues.admin)
    id = (await add(admin, far_ends.url))["integration"]["id"]
    answers = await asyncio.gather(
        *(
            admin.mutate(
                "saveIntegration", FIELDS, integrationId=id, expectedVersion=1, name=f"Name {n}"
            )
            for n in range(8)
        )
    )
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["SaveIntegrationSuccess"] + ["StaleVersionError"] * 7


async def test_a_repeat_with_the_same_key_is_the_same_integration(
    client: Client, colleagues: Colleagues, far_ends: FarEnds
) -> None:
    admin = client.as_(colleagues.admin)
    key = str(uuid4())
    answers = await asyncio.gather(
        *(add(admin, far_ends.url, idempotencyKey=key) for _ in range(8))
    )
    assert len({answer["integration"]["id"] for answer in answers}) == 1
    other = {**connectwise.LOGIN, "privateKey": "another"}
    refused = await add(admin, far_ends.url, idempotencyKey=key, connection={"connectwise": other})
    assert [each["path"] for each in refused["fields"]] == [["idempotencyKey"]]
    assert len((await admin.run("{ integrations { id } }"))["integrations"]) == 1


async def test_an_account_has_room_for_so_many(
    client: Client,
    colleagues: Colleagues,
    far_ends: FarEnds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(integrations, "OF_ACCOUNT", 3)
    admin = client.as_(colleagues.admin)
    answers = await asyncio.gather(*(add(admin, far_ends.url) for _ in range(8)))
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["InvalidInputError"] * 5 + ["SaveIntegrationSuccess"] * 3


async def test_what_is_removed_is_gone_with_its_secrets(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    id = (await add(admin, far_ends.url))["integration"]["id"]
    removed = await admin.mutate("removeIntegration", "integration { name }", integrationId=id)
    assert removed["integration"] == {"name": "Tickets"}
    seen = await admin.run("query($id: ID!) { integrations { id } node(id: $id) { id } }", id=id)
    assert seen == {"integrations": [], "node": None}
    for name in ("removeIntegration", "testIntegration"):
        again = await admin.mutate(name, "integration { id }", integrationId=id)
        assert (again["__typename"], again["id"]) == ("NotFoundError", id)
    async with as_owner(database_url) as db:
        row = text("SELECT credentials, removed_at FROM integrations WHERE id = :id")
        (kept,) = (await db.execute(row, {"id": uuid_of(Kind.INTEGRATION, id)})).all()
    assert kept.credentials is None
    assert kept.removed_at is not None


async def test_only_admins_connect(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, database_url: str
) -> None:
    admin = client.as_(colleagues.admin)
    id = (await add(admin, far_ends.url))["integration"]["id"]
    secrets = [
        (await admin.mutate("createApiKey", "secret", name=name, scopes=[name]))["secret"]
        for name in ("READ", "WRITE")
    ]
    async with as_owner(database_url) as db:
        before = await snapshot(db, colleagues.account_id)
    callers = [client.as_(colleagues.engineer), client.as_(colleagues.lead)]
    for caller in [*callers, *map(client.with_token, secrets)]:
        for name, given in (
            ("saveIntegration", {"integrationId": id, "name": "x", "expectedVersion": 1}),
            ("testIntegration", {"integrationId": id}),
            ("removeIntegration", {"integrationId": id}),
        ):
            refused = await caller.mutate(name, "integration { id }", **given)
            assert refused["__typename"] == "PermissionDeniedError"
        assert (await add(caller, far_ends.url))["__typename"] == "PermissionDeniedError"
        assert (await caller.run("{ integrations { id } }"))["integrations"] == [{"id": id}]
    async with as_owner(database_url) as db:
        assert rows_without_use(await snapshot(db, colleagues.account_id)) == rows_without_use(
            before
        )


def rows_without_use(rows: Any) -> dict[str, str]:
    """A key remembers when it was used last."""
    return {name: text for name, text in rows.items() if name != "api_keys"}


async def test_exactly_one_connection_is_given(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, untouched: None
) -> None:
    admin = client.as_(colleagues.admin)
    both = {"hudu": CONNECTIONS["hudu"], "itGlue": CONNECTIONS["itGlue"]}
    for connection in ({}, both, {"hudu": None}):
        with pytest.raises(GraphQLFailure) as caught:
            await add(admin, far_ends.url, connection=connection)
        assert caught.value.code == "GRAPHQL_VALIDATION_FAILED"
        assert hudu.KEY not in str(caught.value.errors)


async def test_a_list_costs_the_same_for_one_and_for_twenty(
    client: Client, colleagues: Colleagues, far_ends: FarEnds, statements: list[str]
) -> None:
    admin = client.as_(colleagues.admin)
    counts = []
    for more in (1, 19):
        for _ in range(more):
            await add(admin, far_ends.url)
        statements.clear()
        await admin.run("{ integrations { id name lastFailure } }")
        counts.append(len(statements))
    assert counts == [1, 1]
