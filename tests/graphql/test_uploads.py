"""Files: brought in over HTTP, described by a job, sent with messages, fetched by signed addresses."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from services.files.store import FileStore, StoreAway
from services.files.uploads import OF_SESSION, WAITING
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.pictures import picture
from tests.tables import as_owner, event_seq, snapshot, until_idle
from tests.talk import SOON, Conversation

LOG = (
    b"2026-01-13 09:23:45 ERROR login of user 7 from 10.0.0.7 failed: 0x80070005\r\n"
    b"2026-01-13 09:23:46 ERROR login of user 8 from 10.0.0.8 failed: 0x80070005\r\n"
)

ALL = """upload {
  id filename contentType byteSize sha256 state description summary extractedText failure url
  branch { id } step { id } uploadedBy { id }
}"""

UPLOAD = """
query($id: ID!) { node(id: $id) { ... on FileUpload {
  state description summary extractedText failure url
} } }
"""

EVENTS = """
subscription($id: ID!, $after: String) { sessionChanged(sessionId: $id, after: $after) {
  __typename
  ... on Event { cursor actor { id } }
  ... on UploadChanged { upload { id } }
} }
"""


async def bring(client: Client, name: str, content: bytes, **place: Any) -> dict[str, Any]:
    made = await client.mutate("uploadFile", ALL, file=(name, content), **place)
    assert made["__typename"] == "UploadFileSuccess", made
    upload: dict[str, Any] = made["upload"]
    return upload


async def now(client: Client, upload_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.run(UPLOAD, id=upload_id))["node"]
    return found


async def events_since(talk: Conversation, cursor: str) -> list[tuple[str, str | None]]:
    """What was told of the session, and by whom."""
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    last = (await talk.client.run(document, id=talk.id))["session"]["eventCursor"]
    told: list[tuple[str, str | None]] = []
    if last == cursor:
        return told
    async with (
        asyncio.timeout(SOON),
        talk.client.subscribe(EVENTS, id=talk.id, after=cursor) as events,
    ):
        async for data in events:
            event = data["sessionChanged"]
            told.append((event["__typename"], event["actor"] and event["actor"]["id"]))
            if event["cursor"] == last:
                return told
    raise AssertionError("the events ended")


async def cursor_of(talk: Conversation) -> str:
    document = "query($id: ID!) { session(id: $id) { eventCursor } }"
    return str((await talk.client.run(document, id=talk.id))["session"]["eventCursor"])


async def stored(runtime: Runtime, people: Colleagues) -> set[str]:
    """Of the account, by their keys in hex."""
    files = [one async for batch in runtime.files.files(people.account_id) for one in batch]
    return {one.upload_id.hex for one in files}


@asynccontextmanager
async def nothing_changes(
    runtime: Runtime, owner_url: str, *accounts: Colleagues
) -> AsyncIterator[None]:
    """No row, event or file of the accounts is another one afterwards."""

    async def state() -> list[Any]:
        async with as_owner(owner_url) as db:
            return [
                (
                    await snapshot(db, each.account_id),
                    await event_seq(db, each.account_id),
                    await stored(runtime, each),
                )
                for each in accounts
            ]

    before = await state()
    yield
    assert await state() == before


# ------------------------------------------------------------------ bringing in


async def test_a_log_is_stored_at_once_and_described_afterwards(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    cursor = await cursor_of(talk)
    made = await bring(talk.client, "C:\\logs\\auth.log", LOG, branchId=talk.trunk)
    assert {key: made[key] for key in made if key not in {"id", "url", "step"}} == {
        "filename": "auth.log",
        "contentType": "text/plain",
        "byteSize": len(LOG),
        "sha256": hashlib.sha256(LOG).hexdigest(),
        "state": "STORED",
        "description": None,
        "summary": None,
        "extractedText": None,
        "failure": None,
        "branch": {"id": talk.trunk},
        "uploadedBy": {"id": talk.people.engineer.id},
    }
    await until_idle(database_url, talk.people.account_id)
    described = await now(talk.client, made["id"])
    del described["url"]
    assert described == {
        "state": "DESCRIBED",
        "description": "Log of 2 lines from 2026-01-13 09:23:45 to 2026-01-13 09:23:46; 2 errors; "
        "with 0x80070005; most often “ERROR login of user <n> from <ip> failed: 0x80070005” "
        "(2 times).",
        "summary": (
            "Lines: 2\n"
            "Time: 2026-01-13 09:23:45 to 2026-01-13 09:23:46\n"
            "Levels: ERROR 2\n"
            "Codes: 0x80070005 (2)\n"
            "Hosts: 10.0.0.7 (1), 10.0.0.8 (1)\n"
            "Errors and warnings:\n"
            "  2x ERROR login of user <n> from <ip> failed: 0x80070005\n"
            "Repeated:\n"
            "  2x ERROR login of user <n> from <ip> failed: 0x80070005\n"
            "First lines:\n"
            "  2026-01-13 09:23:45 ERROR login of user 7 from 10.0.0.7 failed: 0x80070005\n"
            "  2026-01-13 09:23:46 ERROR login of user 8 from 10.0.0.8 failed: 0x80070005"
        ),
        "extractedText": LOG.decode().replace("\r\n", "\n"),
        "failure": None,
    }
    assert await events_since(talk, cursor) == [
        ("UploadChanged", talk.people.engineer.id),
        ("UploadChanged", None),
        ("UploadChanged", None),
    ]
    assert await stored(runtime, talk.people) == {made["id"][3:]}
    shown = await talk.client.run(
        """query($id: ID!) { session(id: $id) {
          uploads { id } rootBranch { uploads { id } }
        } }""",
        id=talk.id,
    )
    assert shown["session"] == {
        "uploads": [{"id": made["id"]}],
        "rootBranch": {"uploads": [{"id": made["id"]}]},
    }


@pytest.mark.parametrize(
    ("name", "content", "kind", "description"),
    [
        ("screen.tiff", picture("TIFF"), "image/tiff", "A file."),
        ("camera", b"\0\0\0\x18ftypheic" + bytes(8), "image/heic", "HEIC image of 20 bytes."),
        ("screen.png", b"no image\n", "text/plain", "Text of 1 line."),
        ("a.zip", b"PK\x03\x04" + bytes(2000), "application/zip",
         "ZIP archive or Office document of 2.0 kB, not unpacked."),
        ("x", bytes(range(256)), "application/octet-stream", "File of 256 bytes, of no known type."),
        ("a.txt", "Grüße\r\n".encode("utf-16"), "text/plain", "Text of 1 line, in UTF-16-LE."),
        ("a.txt", b"MZ" + b"\x90" * 300, "application/vnd.microsoft.portable-executable",
         "Windows program of 302 bytes."),
        ("cut.txt", b"2026-01-13 09:00:00 Error x\n" * 5 + bytes(512), "text/plain",
         ("Log of 5 lines at 2026-01-13 09:00:00; a gap of 512 NULs after line 5; 5 errors; "
         "most often “Error x” (5 times).")),
        ("notes.txt", b"one\n" + bytes(512) + b"two\n", "text/plain",
         "Text of 2 lines, with a gap of 512 NULs after line 1."),
        ("a.json", b'{"a": 1}', "application/json", "JSON document of 1 line."),
    ],
)  # fmt: skip
async def test_the_content_says_what_a_file_is(
    client: Client,
    colleagues: Colleagues,
    database_url: str,
    name: str,
    content: bytes,
    kind: str,
    description: str,
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await bring(engineer, name, content)
    assert (made["filename"], made["contentType"]) == (name, kind)
    await until_idle(database_url, colleagues.account_id)
    described = await now(engineer, made["id"])
    assert (described["state"], described["description"]) == ("DESCRIBED", description)


def pdf(words: str) -> bytes:
    """One page."""
    drawn = f"BT /F1 12 Tf 9 9 Td ({words}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 6\n0000000000 65535 f \n" + rows
    return body + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)


async def test_a_pdf_is_read(client: Client, colleagues: Colleagues, database_url: str) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await bring(engineer, "report", pdf("Relay denied"))
    assert made["contentType"] == "application/pdf"
    await until_idle(database_url, colleagues.account_id)
    described = await now(engineer, made["id"])
    assert (described["state"], described["description"], described["extractedText"]) == (
        "DESCRIBED",
        "PDF document of 1 page.",
        "Relay denied",
    )


async def test_what_cannot_be_read_fails_with_a_sentence_and_may_be_retried(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    cursor = await cursor_of(talk)
    made = await bring(talk.client, "report.pdf", b"%PDF-1.4\nnothing", sessionId=talk.id)
    await until_idle(database_url, talk.people.account_id)
    failed = await now(talk.client, made["id"])
    assert (failed["state"], failed["failure"], failed["description"]) == (
        "FAILED",
        "The PDF could not be read: it is damaged, too large or encrypted.",
        None,
    )
    upload_id = uuid_of(Kind.UPLOAD, made["id"])
    await runtime.files.put(talk.people.account_id, upload_id, pdf("Mended"))
    again = await talk.client.mutate("retryUpload", "upload { state failure }", uploadId=made["id"])
    assert again["upload"] == {"state": "STORED", "failure": None}
    await until_idle(database_url, talk.people.account_id)
    assert (await now(talk.client, made["id"]))["extractedText"] == "Mended"
    assert await events_since(talk, cursor) == [
        ("UploadChanged", talk.people.engineer.id),
        ("UploadChanged", None),
        ("UploadChanged", None),
        ("UploadChanged", talk.people.engineer.id),
        ("UploadChanged", None),
        ("UploadChanged", None),
    ]
    async with nothing_changes(runtime, database_url, talk.people):
        refused = await talk.client.mutate("retryUpload", "upload { id }", uploadId=made["id"])
    assert refused == {
        "__typename": "InvalidTransitionError",
        "message": "The file is DESCRIBED.",
        "from": "DESCRIBED",
        "to": "STORED",
        "allowed": [],
    }


async def test_a_file_that_is_gone_from_the_store_fails(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    made = await bring(talk.client, "a.pdf", b"%PDF-1.4\nnothing", sessionId=talk.id)
    await until_idle(database_url, talk.people.account_id)
    await runtime.files.delete(talk.people.account_id, [uuid_of(Kind.UPLOAD, made["id"])])
    await talk.client.mutate("retryUpload", "upload { id }", uploadId=made["id"])
    await until_idle(database_url, talk.people.account_id)
    failed = await now(talk.client, made["id"])
    assert failed["failure"] == "The file is no longer in the store."
    gone = await talk.client.http.get(failed["url"])
    assert (gone.status_code, gone.json()) == (
        404,
        {"message": "The file is no longer in the store."},
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\u200bb\x7f.log", "ab.log"),
        ("  .. ", "file"),
        ("x" * 300 + ".log", "x" * 251 + ".log"),
    ],
)
async def test_names_are_cleaned(
    client: Client, colleagues: Colleagues, given: str, kept: str
) -> None:
    made = await bring(client.as_(colleagues.engineer), given, b"text")
    assert made["filename"] == kept


async def test_the_same_key_brings_a_file_in_once(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    key = str(uuid4())
    first, second = await asyncio.gather(
        *(
            bring(talk.client, "auth.log", LOG, sessionId=talk.id, idempotencyKey=key)
            for _ in range(2)
        )
    )
    assert first["id"] == second["id"]
    assert await stored(runtime, talk.people) == {first["id"][3:]}
    await until_idle(database_url, talk.people.account_id)
    async with nothing_changes(runtime, database_url, talk.people):
        refused = await talk.client.mutate(
            "uploadFile", ALL, file=("auth.log", b"else"), sessionId=talk.id, idempotencyKey=key
        )
    assert refused["fields"] == [
        {"path": ["idempotencyKey"], "message": "Was used before, with other content."}
    ]


# ------------------------------------------------------------------ refusals


async def test_refused_files_leave_nothing_behind(
    talk: Conversation, client: Client, strangers: Colleagues, runtime: Runtime, database_url: str
) -> None:
    other = client.as_(talk.people.engineer2)
    theirs = client.as_(strangers.admin)
    file = ("auth.log", LOG)
    async with nothing_changes(runtime, database_url, talk.people, strangers):
        empty = await talk.client.mutate("uploadFile", ALL, file=("a", b""), sessionId=talk.id)
        assert empty["fields"] == [{"path": ["file"], "message": "Must not be empty."}]
        denied = await other.mutate("uploadFile", ALL, file=file, sessionId=talk.id)
        assert denied["__typename"] == "PermissionDeniedError"
        for place in ({"sessionId": talk.id}, {"branchId": talk.trunk}):
            unseen = await theirs.mutate("uploadFile", ALL, file=file, **place)
            assert (unseen["__typename"], unseen["id"]) == ("NotFoundError", *place.values())
        text_instead = await talk.client.mutate("uploadFile", ALL, file="auth.log")
        assert text_instead["fields"] == [
            {"path": ["file"], "message": "Must be a file of a multipart/form-data request."}
        ]


async def test_files_of_a_session_that_is_over_are_refused(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    async with as_owner(database_url) as db:
        await db.execute(
            text("UPDATE ai_sessions SET status = 'resolved', resolved_at = now() WHERE id = :id"),
            {"id": uuid_of(Kind.SESSION, talk.id)},
        )
    async with nothing_changes(runtime, database_url, talk.people):
        refused = await talk.client.mutate("uploadFile", ALL, file=("a", b"a"), sessionId=talk.id)
    assert refused["__typename"] == "InvalidTransitionError"
    assert refused["from"] == "RESOLVED"


FILL = text(
    """
    INSERT INTO file_uploads
           (account_id, id, session_id, filename, content_type, byte_size, sha256, uploaded_by)
    SELECT :account_id, gen_random_uuid(), :session_id, 'a', 'text/plain', 1, 'x', :user_id
      FROM generate_series(1, :count)
    """
)


async def test_of_two_for_the_last_place_one_is_refused(
    talk: Conversation, runtime: Runtime, database_url: str
) -> None:
    whose = {"account_id": talk.people.account_id, "user_id": talk.people.engineer.key}
    session_id = uuid_of(Kind.SESSION, talk.id)
    async with as_owner(database_url) as db:
        await db.execute(FILL, {**whose, "session_id": session_id, "count": OF_SESSION - 1})
        await db.execute(FILL, {**whose, "session_id": None, "count": WAITING - 1})
    for place, problem in (
        ({"sessionId": talk.id}, f"A session may have {OF_SESSION} files."),
        ({}, f"{WAITING} of your files wait for a session already."),
    ):
        before = await stored(runtime, talk.people)
        answers = await asyncio.gather(
            *(talk.client.mutate("uploadFile", ALL, file=("a", b"a"), **place) for _ in range(3))
        )
        made = [answer for answer in answers if answer["__typename"] == "UploadFileSuccess"]
        refused = [answer["fields"] for answer in answers if "fields" in answer]
        assert len(made) == 1
        assert refused == [[{"path": ["file"], "message": problem}]] * 2
        assert await stored(runtime, talk.people) == before | {made[0]["upload"]["id"][3:]}


MUTATION = "mutation($input: UploadFileInput!) { uploadFile(input: $input) { __typename } }"


def operations() -> dict[str, Any]:
    return {"input": {"idempotencyKey": str(uuid4())}}


async def test_a_form_needs_a_caller_and_a_header_that_other_sites_cannot_send(
    client: Client, colleagues: Colleagues, runtime: Runtime, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    async with nothing_changes(runtime, database_url, colleagues):
        bare = await engineer.post_file(
            MUTATION, operations(), ("a", b"a"), **{"GraphQL-Require-Preflight": ""}
        )
        assert (bare.status_code, bare.json()["errors"][0]["message"]) == (
            400,
            "Send the header `GraphQL-Require-Preflight: 1` with a form.",
        )
        nobody = await client.post_file(MUTATION, operations(), ("a", b"a"))
        assert (nobody.status_code, nobody.json()["errors"][0]["extensions"]) == (
            401,
            {"code": "UNAUTHENTICATED"},
        )


async def test_more_bytes_than_allowed_are_refused(
    serve_also: Any, colleagues: Colleagues, runtime: Runtime, database_url: str
) -> None:
    small = (await serve_also(max_upload=1_000, max_body=10_000)).as_(colleagues.engineer)
    async with nothing_changes(runtime, database_url, colleagues):
        over = await small.mutate("uploadFile", ALL, file=("a", b"a" * 1_001))
        assert over["fields"] == [{"path": ["file"], "message": "Must have at most 1,000 bytes."}]
        far_over = await small.post_file(MUTATION, operations(), ("a", b"a" * 12_000))
        assert (far_over.status_code, far_over.json()["errors"][0]["message"]) == (
            413,
            "A file may have at most 1,000 bytes.",
        )
    assert (await bring(small, "a", b"a" * 1_000))["byteSize"] == 1_000


@pytest.mark.parametrize(
    ("fields", "files", "message"),
    [
        ({}, [("0", b"a")], "Send `operations` as JSON, before the file."),
        ({"operations": "{"}, [("0", b"a")], "`operations` is not JSON."),
        (
            {"operations": "[]", "map": "{}"},
            [],
            "Send one operation as `operations`, a JSON object.",
        ),
        ({"operations": "{}", "map": "[]"}, [], "Send `map` as a JSON object."),
        (
            {"operations": "{}", "map": '{"0": ["variables.x"]}'},
            [],
            "Each name in `map` is that of a file, with a list of places.",
        ),
        (
            {"operations": "{}", "map": '{"0": ["query"]}'},
            [("0", b"a")],
            "A place in `map` is as `variables.input.file`.",
        ),
        (
            {"operations": '{"variables": {"x": 1}}', "map": '{"0": ["variables.x"]}'},
            [("0", b"a")],
            "What a place in `map` names must be null.",
        ),
        (
            {"operations": "{}", "map": "{}"},
            [("0", b"a"), ("1", b"b")],
            "Send a form with `operations`, `map` and one file, in this order.",
        ),
    ],
)
async def test_forms_that_are_none_of_ours(
    client: Client,
    colleagues: Colleagues,
    fields: dict[str, str],
    files: Sequence[tuple[str, bytes]],
    message: str,
) -> None:
    headers = {
        "Authorization": f"Bearer {colleagues.engineer.token}",
        "GraphQL-Require-Preflight": "1",
    }
    parts = [(name, (None, value)) for name, value in fields.items()]
    parts += [(name, ("a", content)) for name, content in files]  # type: ignore[misc]
    answer = await client.http.post("/graphql", headers=headers, files=parts)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)


class Away(FileStore):
    """A store whose server does not answer."""

    async def put(self, *_: object) -> None:
        raise StoreAway


async def test_without_a_store_nothing_is_brought_in(
    talk: Conversation, runtime: Runtime, database_url: str, tmp_path: Path
) -> None:
    store = runtime.files
    async with nothing_changes(runtime, database_url, talk.people):
        object.__setattr__(runtime, "files", Away(store.backend))
        try:
            refused = await talk.client.mutate("uploadFile", ALL, file=("a", b"a"))
        finally:
            object.__setattr__(runtime, "files", store)
    assert refused == {
        "__typename": "ServiceUnavailableError",
        "message": "The file could not be stored.",
        "service": "files",
        "retryable": True,
    }


# ------------------------------------------------------------------ sending with messages

SENT = "sentMessage { id body attachments { id filename } }"


async def test_files_go_with_a_message_in_order(
    talk: Conversation, database_url: str, runtime: Runtime
) -> None:
    mine = await bring(talk.client, "before.txt", b"before")
    of_session = await bring(talk.client, "during.txt", b"during", sessionId=talk.id)
    await until_idle(database_url, talk.people.account_id)
    cursor = await cursor_of(talk)
    ids = [of_session["id"], mine["id"]]
    sent = await talk.client.mutate(
        "sendBranchMessage", SENT, branchId=talk.trunk, body="See these", uploadIds=ids
    )
    assert sent["sentMessage"]["attachments"] == [
        {"id": of_session["id"], "filename": "during.txt"},
        {"id": mine["id"], "filename": "before.txt"},
    ]
    engineer = talk.people.engineer.id
    assert (await events_since(talk, cursor))[:3] == [
        ("UploadChanged", engineer),  # the one that had no session
        ("MessageAdded", engineer),
        ("MessageAdded", engineer),
    ]
    await until_idle(database_url, talk.people.account_id)
    shown = await talk.client.run(
        "query($id: ID!) { session(id: $id) { uploads { id branch { id } } } }", id=talk.id
    )
    assert shown["session"]["uploads"] == [
        {"id": mine["id"], "branch": {"id": talk.trunk}},
        {"id": of_session["id"], "branch": {"id": talk.trunk}},
    ]
    async with nothing_changes(runtime, database_url, talk.people):
        again = await talk.client.mutate(
            "sendMessage",
            SENT,
            sessionId=talk.id,
            expectedBranchId=talk.trunk,
            body="Once more",
            uploadIds=ids,
        )
    problem = "Was sent with another message already."
    assert again["fields"] == [
        {"path": ["uploadIds", str(place)], "message": problem} for place in range(2)
    ]


async def test_files_begin_a_session(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await bring(engineer, "auth.log", LOG)
    started = await engineer.mutate(
        "startSession",
        """session { uploads { id } rootBranch {
          messages { edges { node { attachments { id } } } }
        } }""",
        intake={"text": "Nobody can sign in.", "type": "UPLOAD"},
        uploadIds=[made["id"]],
    )
    assert started["session"]["uploads"] == [{"id": made["id"]}]
    edges = started["session"]["rootBranch"]["messages"]["edges"]
    assert [edge["node"]["attachments"] for edge in edges] == [[{"id": made["id"]}], []]


async def test_two_sessions_cannot_begin_with_one_file(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await bring(engineer, "auth.log", LOG)
    answers = await asyncio.gather(
        *(
            engineer.mutate(
                "startSession",
                "session { id }",
                intake={"text": "Nobody can sign in."},
                uploadIds=[made["id"]],
            )
            for _ in range(2)
        )
    )
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["InvalidInputError", "StartSessionSuccess"]
    refused = next(answer for answer in answers if "fields" in answer)
    assert refused["fields"] == [
        {"path": ["uploadIds", "0"], "message": "Belongs to another session."}
    ]
    listed = await engineer.run("{ sessions { edges { node { uploads { id } } } } }")
    assert [edge["node"]["uploads"] for edge in listed["sessions"]["edges"]] == [
        [{"id": made["id"]}]
    ]


async def test_other_peoples_files_cannot_be_sent(
    talk: Conversation, client: Client, strangers: Colleagues, runtime: Runtime, database_url: str
) -> None:
    foreign = await bring(client.as_(strangers.admin), "a", b"a")
    of_colleague = await bring(client.as_(talk.people.engineer2), "a", b"a")
    mine = await bring(talk.client, "a", b"a")
    for account in (talk.people, strangers):
        await until_idle(database_url, account.account_id)

    async def send(*ids: str) -> dict[str, Any]:
        return await talk.client.mutate(
            "sendBranchMessage", SENT, branchId=talk.trunk, body="See", uploadIds=list(ids)
        )

    async with nothing_changes(runtime, database_url, talk.people, strangers):
        unseen = await send(mine["id"], foreign["id"])
        assert (unseen["__typename"], unseen["id"]) == ("NotFoundError", foreign["id"])
        assert (await send(mine["id"], of_colleague["id"]))["fields"] == [
            {
                "path": ["uploadIds", "1"],
                "message": "Only whoever brought it in may use it in a session.",
            }
        ]
        assert (await send(mine["id"], mine["id"]))["fields"] == [
            {"path": ["uploadIds"], "message": "Must not name a file twice."}
        ]
        many = [f"up_{uuid4().hex}" for _ in range(11)]
        assert (await send(*many))["fields"] == [
            {"path": ["uploadIds"], "message": "Must have 0 to 10 entries."}
        ]


# ------------------------------------------------------------------ fetching


async def test_a_signed_address_gives_the_file_to_be_saved(
    client: Client, colleagues: Colleagues
) -> None:
    engineer = client.as_(colleagues.engineer)
    page = b"<html><script>alert(1)</script>"
    for name, content, kind in (
        ("scr\u00e4en.png", picture(), "image/png"),
        ("page.html", page, "application/octet-stream"),
    ):
        made = await bring(engineer, name, content)
        got = await client.http.get(made["url"])
        assert (got.status_code, got.content) == (200, content)
        headers = {
            name: got.headers[name]
            for name in (
                "content-type",
                "content-length",
                "content-disposition",
                "content-security-policy",
                "x-content-type-options",
                "cache-control",
            )
        }
        quoted = name.replace("\u00e4", "%C3%A4")
        assert headers == {
            "content-type": kind,
            "content-length": str(len(content)),
            "content-disposition": f"attachment; filename*=UTF-8''{quoted}",
            "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        }


async def test_no_other_address_gives_it(
    client: Client, colleagues: Colleagues, strangers: Colleagues, runtime: Runtime
) -> None:
    made = await bring(client.as_(colleagues.engineer), "a.txt", b"secret")
    theirs = await bring(client.as_(strangers.admin), "b.txt", b"other")
    good = httpx.URL(made["url"])
    other = httpx.URL(theirs["url"])
    forged = [
        good.copy_with(path=other.path),
        good.copy_set_param("account", other.params["account"]),
        other.copy_with(path=good.path),
        other.copy_set_param("account", good.params["account"]).copy_with(path=good.path),
        good.copy_set_param("viewer", colleagues.admin.id),
        good.copy_set_param("expires", str(int(good.params["expires"]) + 1)),
        good.copy_set_param("expires", "1"),
        good.copy_set_param("expires", "9" * 30),
        good.copy_set_param("expires", "now"),
        good.copy_set_param("signature", "é"),
        good.copy_remove_param("signature"),
        httpx.URL(good.path),
        httpx.URL("/uploads/..%2Fsecret.key"),
    ]
    for url in forged:
        refused = await client.http.get(url)
        assert refused.status_code == 404, url
        assert b"secret" not in refused.content.replace(b"secret.key", b"")
    assert (await client.http.get(good)).content == b"secret"
    assert await now(client.as_(strangers.admin), made["id"]) is None


async def test_an_address_ends_with_its_time_and_with_its_viewer(
    client: Client,
    colleagues: Colleagues,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engineer = client.as_(colleagues.engineer)
    made = await bring(engineer, "a.txt", b"a")
    with monkeypatch.context() as past:
        past.setattr("services.files.links.time", lambda: 1_000_000_000.0)
        old = (await now(engineer, made["id"]))["url"]
        assert (await client.http.get(old)).content == b"a"
    assert (await client.http.get(old)).status_code == 404
    fresh = (await now(engineer, made["id"]))["url"]
    await client.as_(colleagues.admin).mutate(
        "deactivateMember", "member { id }", userId=colleagues.engineer.id
    )
    assert (await client.http.get(fresh)).status_code == 404


async def test_an_address_is_no_token(client: Client, colleagues: Colleagues) -> None:
    made = await bring(client.as_(colleagues.engineer), "a.txt", b"a")
    signature = httpx.URL(made["url"]).params["signature"]
    with pytest.raises(GraphQLFailure):
        await client.with_token(signature).run("{ viewer { user { id } } }")
