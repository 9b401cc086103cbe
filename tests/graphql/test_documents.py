"""Documents are read once, and asked for by their hashes; and an installation may trust some alone."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app import create_app
from schema.page import CONSOLE_DOCUMENTS
from services.runtime import Limits
from settings import Settings, WrongSetting
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import as_owner, event_seq, snapshot, until_idle

Serve = Callable[..., Awaitable[Client]]
Answer = dict[str, Any]

NOT_FOUND = {
    "message": "PersistedQueryNotFound",
    "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
}
MISMATCH = {
    "message": "provided sha does not match query",
    "extensions": {"code": "PERSISTED_QUERY_HASH_MISMATCH"},
}
NOT_TRUSTED = {
    "message": "This server runs the documents it trusts, and no other.",
    "extensions": {"code": "DOCUMENT_NOT_TRUSTED"},
}
SCOPES = {"viewer": {"scopes": ["READ", "WRITE"]}}
GRAPHQL_RESPONSE = "application/graphql-response+json"


def fresh(fields: str = "scopes") -> str:
    """A document that nobody has sent before."""
    return f"query N{uuid4().hex} {{ viewer {{ {fields} }} }}"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def called(hash: str) -> Answer:
    """As Apollo's clients and urql's do."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}}


def headers(client: Client, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token}", **more} if client.token else more


async def post(client: Client, params: Answer, accept: str) -> httpx.Response:
    written = headers(client, **{"Accept": accept, "Content-Type": "application/json"})
    return await client.http.post("/graphql", content=json.dumps(params), headers=written)


async def by_post(client: Client, **params: Any) -> Answer:
    answer: Answer = (await post(client, params, "application/json")).json()
    return answer


async def by_get(client: Client, **params: Any) -> Answer:
    written = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in params.items()
    }
    answer: Answer = (
        await client.http.get("/graphql", params=written, headers=headers(client))
    ).json()
    return answer


async def by_stream(client: Client, **params: Any) -> Answer:
    answer = await post(client, params, "text/event-stream")
    data = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    assert len(data) == 1
    found: Answer = json.loads(data[0].removeprefix("data: "))
    return found


async def by_socket(client: Client, **params: Any) -> Answer:
    async with client.socket() as socket:
        subscribe = {"id": "1", "type": "subscribe", "payload": params}
        await socket.connection.send(json.dumps(subscribe))
        message = await socket.receive()
        if message["type"] == "error":
            return {"errors": message["payload"]}
        assert await socket.receive() == {"id": "1", "type": "complete"}
        found: Answer = message["payload"]
        return found


WAYS = [by_post, by_get, by_stream, by_socket]
Way = Callable[..., Awaitable[Answer]]
every_way = pytest.mark.parametrize("ask", WAYS)


def start_session() -> str:
    return f"""mutation {{ startSession(input: {{idempotencyKey: "{uuid4()}",
      intake: {{text: "No mail"}}}}) {{ __typename }} }}"""


async def tables(owner_url: str, people: Colleagues) -> object:
    async with as_owner(owner_url) as db:
        return await event_seq(db, people.account_id), await snapshot(db, people.account_id)


# ------------------------------------------------------------------ read once


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a document was parsed, validated and measured."""
    counted: Counter[str] = Counter()

    def count(module: str, name: str) -> None:
        real = getattr(import_module(module), name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(f"{module}.{name}", counting)

    count("schema.limits", "parse")
    count("strawberry.schema.schema", "validate")
    count("schema.documents", "measure")
    return counted


async def test_what_comes_again_is_neither_parsed_nor_validated_nor_measured(
    client: Client, colleagues: Colleagues, strangers: Colleagues, done: Counter[str]
) -> None:
    """What comes once is not kept, so the second time is the last that costs anything."""
    document = fresh()
    for times in (1, 2):
        await by_post(client.as_(colleagues.engineer), query=document)
        assert done == {"parse": times, "validate": times, "measure": times}
    for person in (colleagues.engineer, colleagues.engineer2, strangers.engineer):
        for ask in WAYS:
            assert (await ask(client.as_(person), query=document))["data"] == SCOPES
            assert done == {"parse": 2, "validate": 2, "measure": 2}


async def test_lengths_of_lists_are_measured_each_once(
    client: Client, colleagues: Colleagues, done: Counter[str]
) -> None:
    document = fresh().replace(
        "{ viewer { scopes } }",
        "($first: Int!) { sessions(first: $first) { edges { node { id } } } }",
    )
    engineer = client.as_(colleagues.engineer)
    costs = [
        (await by_post(engineer, query=document, variables={"first": first}))["extensions"]["cost"][
            "requested"
        ]
        for first in (1, 1, 99, 1, 99, 1)
    ]
    assert costs == [4, 4, 298, 4, 298, 4]
    assert done == {"parse": 2, "validate": 2, "measure": 3}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ viewer {", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " __typename" * 51 + "}", "DOCUMENT_TOO_LARGE"),
    ],
)
async def test_what_is_no_good_is_not_kept(
    client: Client, colleagues: Colleagues, done: Counter[str], document: str, code: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    for times in (1, 2, 3, 4):
        answer = await by_post(engineer, query=document, **called(hash_of(document)))
        assert answer["errors"][0]["extensions"]["code"] == code
        assert done["parse"] == times
    assert await by_post(engineer, **called(hash_of(document))) == {"errors": [NOT_FOUND]}


async def test_strangers_leave_nothing_behind(client: Client, done: Counter[str]) -> None:
    document = fresh()
    for times in (1, 2, 3, 4):
        answer = await by_post(client, query=document, **called(hash_of(document)))
        assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert done["parse"] == times
    assert await by_post(client, **called(hash_of(document))) == {"errors": [NOT_FOUND]}


async def test_what_a_caller_may_see_of_the_schema_a_stranger_may_not(
    client: Client, colleagues: Colleagues
) -> None:
    document = f"query N{uuid4().hex} {{ __schema {{ queryType {{ name }} }} }}"
    for _ in range(4):
        seen = await by_post(client.as_(colleagues.engineer), query=document)
        assert seen["data"] == {"__schema": {"queryType": {"name": "Query"}}}
        refused = await by_post(client, query=document)
        assert refused["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "data" not in refused


async def test_a_flood_of_documents_takes_nothing_from_others(
    serve_also: Serve, colleagues: Colleagues, strangers: Colleagues, done: Counter[str]
) -> None:
    server = await serve_also()
    document = fresh()
    for _ in range(2):
        await by_post(server.as_(strangers.engineer), query=document)
    dense = " ".join(f"a{place}: scopes" for place in range(99))
    for flood in [fresh(dense) for _ in range(100)]:  # twice the memory, as they are counted
        for _ in range(2):
            assert "errors" not in await by_post(server.as_(colleagues.engineer), query=flood)
    done.clear()
    assert (await by_post(server.as_(strangers.engineer), query=document))["data"] == SCOPES
    assert done == {}


# ------------------------------------------------------------------ by a hash


@every_way
async def test_a_document_is_offered_once_and_then_asked_for_by_its_hash(
    client: Client, colleagues: Colleagues, ask: Way
) -> None:
    engineer, document = client.as_(colleagues.engineer), fresh()
    name = called(hash_of(document))
    assert await ask(engineer, **name) == {"errors": [NOT_FOUND]}
    assert (await ask(engineer, query=document, **name))["data"] == SCOPES
    for again in WAYS:
        assert (await again(engineer, **name))["data"] == SCOPES
        by_id = {"documentId": f"sha256:{hash_of(document)}"}
        assert (await again(engineer, **by_id))["data"] == SCOPES


async def test_the_status_is_that_of_a_document_that_does_not_run(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    for media, status in (("application/json", 200), (GRAPHQL_RESPONSE, 400)):
        answer = await post(engineer, called(hash_of(fresh())), media)
        assert (answer.status_code, answer.json()) == (status, {"errors": [NOT_FOUND]})


@every_way
async def test_what_was_sent_without_its_hash_has_no_name(
    client: Client, colleagues: Colleagues, ask: Way
) -> None:
    engineer, document = client.as_(colleagues.engineer), fresh()
    assert (await ask(engineer, query=document))["data"] == SCOPES
    assert await ask(engineer, **called(hash_of(document))) == {"errors": [NOT_FOUND]}


@every_way
async def test_no_account_finds_what_another_has_offered(
    client: Client, colleagues: Colleagues, strangers: Colleagues, ask: Way
) -> None:
    document = fresh()
    name = called(hash_of(document))
    assert "errors" not in await ask(client.as_(colleagues.engineer), query=document, **name)
    assert (await ask(client.as_(colleagues.engineer2), **name))["data"] == SCOPES
    for other in (client.as_(strangers.engineer), client):
        assert await ask(other, **name) == {"errors": [NOT_FOUND]}
    assert "errors" not in await ask(client.as_(strangers.engineer), query=document, **name)
    assert (await ask(client.as_(strangers.engineer2), **name))["data"] == SCOPES


@every_way
async def test_a_hash_of_something_else_runs_nothing(
    client: Client, colleagues: Colleagues, database_url: str, ask: Way
) -> None:
    engineer, known, mutation = client.as_(colleagues.engineer), fresh(), start_session()
    name = called(hash_of(known))
    await by_post(engineer, query=known, **name)
    before = await tables(database_url, colleagues)
    assert await ask(engineer, query=mutation, **name) == {"errors": [MISMATCH]}
    assert await ask(engineer, query=mutation, documentId="another") == {"errors": [MISMATCH]}
    assert await tables(database_url, colleagues) == before
    assert (await ask(engineer, **name))["data"] == SCOPES
    assert await ask(engineer, **called(hash_of(mutation))) == {"errors": [NOT_FOUND]}


@pytest.mark.parametrize("ask", [by_post, by_stream, by_socket])
async def test_a_mutation_may_be_called_by_its_hash(
    client: Client, colleagues: Colleagues, ask: Way
) -> None:
    engineer, mutation = client.as_(colleagues.engineer), start_session()
    name = called(hash_of(mutation))
    for params in ({"query": mutation, **name}, name):
        answer = await ask(engineer, **params)
        assert answer["data"] == {"startSession": {"__typename": "StartSessionSuccess"}}


async def test_a_mutation_called_by_get_changes_nothing(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer, mutation = client.as_(colleagues.engineer), start_session()
    name = called(hash_of(mutation))
    assert "errors" not in await by_post(engineer, query=mutation, **name)
    await until_idle(database_url, colleagues.account_id)
    before = await tables(database_url, colleagues)
    extensions = json.dumps(name["extensions"])
    answer = await client.http.get(
        "/graphql", params={"extensions": extensions}, headers=headers(engineer)
    )
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert await tables(database_url, colleagues) == before


@pytest.mark.parametrize(
    "named",
    [
        {"documentId": ""},
        {"documentId": "sha256:"},
        {"documentId": "x" * 5_000},
        called(""),
        called("\ud83d"),
        called("A" * 64),
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of("{ a }")}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": "x"}},
    ],
)
@pytest.mark.parametrize("ask", [by_post, by_stream, by_socket])
async def test_what_is_no_name_is_nobodys(
    client: Client, colleagues: Colleagues, named: Answer, ask: Way
) -> None:
    engineer = client.as_(colleagues.engineer)
    assert await ask(engineer, **named) == {"errors": [NOT_FOUND]}
    assert await ask(engineer, query=fresh(), **named) == {"errors": [MISMATCH]}


@pytest.mark.parametrize("only_trusted", [False, True])
async def test_what_is_too_long_is_refused_before_its_hash_is_looked_at(
    serve_also: Serve, colleagues: Colleagues, only_trusted: bool
) -> None:
    server = (await serve_also(only_trusted=only_trusted)).as_(colleagues.engineer)
    answer = await by_post(server, query="#" * 50_001, **called("0" * 64))
    assert answer["errors"][0]["extensions"] == {"code": "DOCUMENT_TOO_LARGE"}


@every_way
async def test_there_is_one_version_of_the_protocol(
    client: Client, colleagues: Colleagues, ask: Way
) -> None:
    document = fresh()
    later = {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of(document)}}}
    answer = await ask(client.as_(colleagues.engineer), query=document, **later)
    assert answer == {"errors": [MISMATCH]}


async def test_an_address_that_names_a_document_is_no_page(
    client: Client, colleagues: Colleagues
) -> None:
    engineer, document = client.as_(colleagues.engineer), fresh()
    name = called(hash_of(document))
    assert "errors" not in await by_post(engineer, query=document, **name)
    browser = headers(engineer, Accept="text/html, */*;q=0.8")
    for params in (
        {"documentId": hash_of(document)},
        {"extensions": json.dumps(name["extensions"])},
    ):
        answer = await client.http.get("/graphql", params=params, headers=browser)
        assert answer.json()["data"] == SCOPES


async def test_what_clients_say_besides_does_no_harm(
    client: Client, colleagues: Colleagues
) -> None:
    """urql's persistedExchange says `miss`, and the older protocol's clients send what is empty."""
    engineer, document = client.as_(colleagues.engineer), fresh()
    name = called(hash_of(document))
    name["extensions"]["persistedQuery"]["miss"] = True
    assert (await by_post(engineer, query=document, **name))["data"] == SCOPES
    assert (await by_post(engineer, query="", **name))["data"] == SCOPES
    assert (await by_post(engineer, query=None, **name))["data"] == SCOPES
    other = {"query": document, "documentId": None, "extensions": {"persistedQuery": None}}
    assert (await by_post(engineer, **other))["data"] == SCOPES


@pytest.mark.parametrize("named", [{}, {"query": None}, {"query": ""}, {"query": 5}])
async def test_a_request_without_a_document_and_a_name_is_none(
    client: Client, colleagues: Colleagues, named: Answer
) -> None:
    answer = await by_post(client.as_(colleagues.engineer), **named, extensions={"other": 1})
    assert answer["errors"] == [
        {
            "message": "Send the document as `query`, a text.",
            "extensions": {"code": "BAD_REQUEST"},
        }
    ]


async def test_a_subscription_is_followed_by_its_hash(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    cursor = (await engineer.run("{ sessions { eventCursor } }"))["sessions"]["eventCursor"]
    document = """subscription Hashed($after: String) {
      sessionsChanged(after: $after) { __typename } }"""
    event = {"data": {"sessionsChanged": {"__typename": "SessionStarted"}}}
    variables = {"after": cursor}
    name = called(hash_of(document))
    async with engineer.socket() as socket:
        offered = {"query": document, "variables": variables, **name}
        await socket.send({"id": "1", "type": "subscribe", "payload": offered})
        await engineer.mutate("startSession", "__typename", intake={"text": "No mail"})
        assert await socket.receive() == {"id": "1", "type": "next", "payload": event}
        again = {"variables": variables, **name}
        await socket.send({"id": "2", "type": "subscribe", "payload": again})
        assert await socket.receive() == {"id": "2", "type": "next", "payload": event}


async def test_a_form_with_a_file_may_name_its_document(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    document = """mutation($input: UploadFileInput!) {
      uploadFile(input: $input) { ... on UploadFileSuccess { upload { filename } } } }"""
    for params in ({"query": document, **called(hash_of(document))}, called(hash_of(document))):
        variables = {"input": {"idempotencyKey": str(uuid4()), "file": None}}
        answer = await client.http.post(
            "/graphql",
            headers=headers(engineer, **{"GraphQL-Require-Preflight": "1"}),
            data={
                "operations": json.dumps({**params, "variables": variables}),
                "map": '{"0": ["variables.input.file"]}',
            },
            files={"0": ("setup.log", b"all is well")},
        )
        assert answer.json()["data"] == {"uploadFile": {"upload": {"filename": "setup.log"}}}


# ------------------------------------------------------------------ trusted documents

OURS = "query Ours { viewer { scopes } }"


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"ours": OURS}))
    return path


@every_way
async def test_a_trusted_document_runs_by_any_name_and_by_its_text(
    serve_also: Serve, colleagues: Colleagues, strangers: Colleagues, trusted: Path, ask: Way
) -> None:
    server = await serve_also(trusted_documents=trusted, only_trusted=True)
    for person in (colleagues.engineer, strangers.engineer):
        caller = server.as_(person)
        for params in (
            {"query": OURS},
            {"documentId": "ours"},
            {"documentId": f"sha256:{hash_of(OURS)}"},
            called("ours"),
            called(hash_of(OURS)),
            {"query": OURS, **called("ours")},
        ):
            assert (await ask(caller, **params))["data"] == SCOPES
    stranger = await ask(server, documentId="ours")
    assert stranger["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@every_way
async def test_where_only_trusted_documents_run_no_other_does(
    serve_also: Serve, colleagues: Colleagues, trusted: Path, database_url: str, ask: Way
) -> None:
    server = await serve_also(trusted_documents=trusted, only_trusted=True)
    caller, mutation = server.as_(colleagues.engineer), start_session()
    before = await tables(database_url, colleagues)
    for document in (mutation, OURS + " ", "{ __schema { queryType { name } } }", "{"):
        name = called(hash_of(document))
        for params in ({"query": document}, {"query": document, **name}, name):
            assert await ask(caller, **params) == {"errors": [NOT_TRUSTED]}
            assert await ask(server, **params) == {"errors": [NOT_TRUSTED]}
    assert await ask(caller, query=mutation, **called("ours")) == {"errors": [MISMATCH]}
    assert await tables(database_url, colleagues) == before


async def test_a_trusted_document_keeps_to_the_limits(serve_also: Serve, tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_text(
        json.dumps({"a": "query($n: Int!) { sessions(first: $n) { edges { node { id } } } }"})
    )
    server = await serve_also(trusted_documents=path, max_cost=1_000)
    assert "errors" in await by_post(server, documentId="a", variables={"n": 1})


async def test_a_list_beside_it_forbids_nothing(
    serve_also: Serve, colleagues: Colleagues, trusted: Path
) -> None:
    server = (await serve_also(trusted_documents=trusted)).as_(colleagues.engineer)
    assert (await by_post(server, documentId="ours"))["data"] == SCOPES
    assert (await by_post(server, query=fresh()))["data"] == SCOPES


async def test_trusted_documents_are_read_at_the_start_and_checked_once_for_strangers_too(
    serve_also: Serve, done: Counter[str], trusted: Path
) -> None:
    server = await serve_also(trusted_documents=trusted)
    done.clear()
    for _ in range(3):
        await by_post(server, documentId="ours")
    assert done == {"validate": 1, "measure": 1}


async def test_the_console_is_trusted_from_the_start(
    serve_also: Serve, colleagues: Colleagues
) -> None:
    server = (await serve_also(only_trusted=True)).as_(colleagues.engineer)
    listed = json.loads(CONSOLE_DOCUMENTS.read_text())
    assert listed == {hash_of(text): text for text in listed.values()}
    who = next(text for text in listed.values() if text.startswith("query WhoAmI"))
    assert (await by_post(server, query=who))["data"]["viewer"]["scopes"] == SCOPES["viewer"][
        "scopes"
    ]
    assert (await by_post(server, documentId=hash_of(who)))["data"]["viewer"]
    assert await by_post(server, query=OURS) == {"errors": [NOT_TRUSTED]}


DEEP = "{ session(id: 1) { rootBranch { " + "children { " * 25 + "id" + " }" * 28
DEAR = "{ sessions(first: 100) { edges { node { branches { messages { edges { node { id } } } } } } } }"
BAD = {
    "no file": (None, "cannot be read: No such file or directory."),
    "no JSON": ("{", "must be a JSON object of documents by their names."),
    "a list": ("[]", "must be a JSON object of documents by their names."),
    "no text": ('{"a": {}}', "must be a JSON object of documents by their names."),
    "not GraphQL": (
        json.dumps({"good": OURS, "a": "{"}),
        "The document a cannot be run: Syntax Error: Expected Name, found <EOF>.",
    ),
    "an unknown field": (
        json.dumps({"a": "{ nothing }"}),
        "The document a cannot be run: Cannot query field 'nothing' on type 'Query'.",
    ),
    "no operation": (
        json.dumps({"a": "fragment b on Viewer { scopes }"}),
        "The document a cannot be run: It has no operation.",
    ),
    "too long": (
        json.dumps({"a": "{ a }" + " " * 50_000}),
        "The document a cannot be run: The document has more characters than allowed.",
    ),
    "too deep": (
        json.dumps({"a": DEEP}),
        "The document a cannot be run: The document has more levels than allowed. The cap is 25.",
    ),
    "too dear": (json.dumps({"a": DEAR}), "The document a cannot be run: The answer may have "),
}


@pytest.mark.parametrize("case", BAD)
def test_a_list_that_is_no_good_stops_the_start(tmp_path: Path, case: str) -> None:
    content, sentence = BAD[case]
    path = tmp_path / "documents.json"
    if content is not None:
        path.write_text(content)
    settings = Settings(data_dir=tmp_path, trusted_documents=path)
    with pytest.raises(WrongSetting) as refusal:
        create_app(settings, "postgresql://nowhere/none", limits=Limits())
    told = str(refusal.value)
    assert told.startswith("FLOWPILOT_TRUSTED_DOCUMENTS cannot be used: ")
    assert sentence in told
