"""A session as a file: all of it, nobody else's, and harmless whatever was written into it."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import orjson
import pytest
from markdown_it import MarkdownIt
from sqlalchemy import text

from models.finding import Bearing, FindingKind
from models.handoff import Confidence
from models.message import BranchMessage
from services.ai.scripted import ScriptedProvider
from services.ai.tasks import (
    AnalyseBranch,
    Analysis,
    FindingBearing,
    FoundFinding,
    HandoffDraft,
    HypothesisRank,
    PrepareHandoff,
)
from services.exports.archive import place_of
from services.exports.rows import MOST
from services.ids import Kind, uuid_of
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.tables import as_owner, until_idle
from tests.talk import Conversation, new_question

EXPORT = """query($id: ID!, $format: ExportFormat!) { session(id: $id) {
  export(format: $format) { url filename contentType expiresAt } } }"""
FORMS = ("MARKDOWN", "HTML", "JSON", "ARCHIVE")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
HASH = re.compile(r"[0-9a-f]{64}")

SAFE_TAGS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title style body h1 h2 h3 p ul ol li strong em code pre blockquote
        table thead tbody tr th td a br hr""",
    )
)


class Page(HTMLParser):
    """What a browser would make of it; headings that are not part of a quotation."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.headings: list[str] = []
        self.policies: list[str] = []
        self.title = ""
        self.text = ""
        self.path: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = dict(attrs)
        assert not any(name.startswith("on") for name in told)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(told["content"] or "")
        if tag not in {"meta", "br", "hr"}:
            self.path.append(tag)
        if tag in {"h1", "h2", "h3"} and "blockquote" not in self.path:
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.path[-1:] == ["title"]:
            self.title += data
        if {"h1", "h2", "h3"} & set(self.path) and "blockquote" not in self.path:
            self.headings[-1] += data


def parts(value: Any, path: str = "") -> Iterator[str]:
    """Its fields, and the fields below that hold lists of objects."""
    for name, item in value.items():
        if not path:
            yield name if not isinstance(item, list) or not item else f"{name}[]"
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield f"{path}{name}[]"
        if isinstance(item, list) and item and isinstance(item[0], dict):
            for one in item:
                yield from parts(one, f"{path}{name}[].")


async def export(client: Client, session: str, form: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.run(EXPORT, id=session, format=form))["session"]["export"]
    return found


async def fetched(client: Client, session: str, form: str) -> bytes:
    answer = await client.http.get((await export(client, session, form))["url"])
    assert answer.status_code == 200
    return answer.content


async def bring(talk: Conversation, name: str, content: bytes) -> str:
    made = await talk.client.mutate(
        "uploadFile", "upload { id }", file=(name, content), sessionId=talk.id
    )
    return str(made["upload"]["id"])


@dataclass(frozen=True)
class Told:
    talk: Conversation
    question: str


@pytest.fixture
async def told(talk: Conversation, provider: ScriptedProvider, database_url: str) -> Told:
    """A session with something of everything, parked and taken up again, and resolved."""
    dns, quota = await talk.fork()
    question = new_question()
    analysis = Analysis(
        tried=["telnet to port 25"],
        concluded="Nothing listens.",
        artifacts=["mx1"],
        findings=[
            FoundFinding(
                kind=FindingKind.OBSERVED,
                claim="Port 25 is closed.",
                subject="port 25",
                evidence=[4, 3],
                bearings=[FindingBearing(hypothesis="H1", bearing=Bearing.CONTRADICTS)],
            )
        ],
        ranking=[
            HypothesisRank(
                hypothesis="H1", likelihood=0.2, why="Closed.", next_check="Look.", minutes=5
            )
        ],
    )
    provider.script_task(AnalyseBranch, question, analysis)
    upload = await bring(talk, "mail.log", b"refused\n")
    sent = await talk.client.mutate(
        "sendBranchMessage", "reply { id }", branchId=dns, body=question, uploadIds=[upload]
    )
    await talk.client.answered(sent["reply"]["id"])
    await until_idle(database_url, talk.people.account_id)
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota,
        status="DEAD_END",
        reason="Half of it is free.",
        expectedVersion=1,
    )
    await talk.client.mutate(
        "reviveBranch",
        "branch { id }",
        branchId=quota,
        evidenceFromBranchId=dns,
        description="The log speaks of a quota.",
    )
    draft = HandoffDraft(
        briefing="Take the log.",
        next_step="Raise the quota.",
        text="It is likely full.",
        likely_cause="A quota",
        suggested_steps=["Ask for its size"],
        confidence=Confidence.LOW,
    )
    provider.script_task(PrepareHandoff, "Mail stopped arriving.", draft)
    parked = await talk.client.mutate(
        "handOffSession",
        "handoff { id }",
        sessionId=talk.id,
        intent="ESCALATE",
        priority="ELEVATED",
        engineerNotes="Back on Monday.",
        waitingOn="The client.",
    )
    await until_idle(database_url, talk.people.account_id)
    await talk.client.mutate("cancelHandoff", "handoff { id }", handoffId=parked["handoff"]["id"])
    version = "query($id: ID!) { session(id: $id) { version } }"
    await talk.client.mutate(
        "resolveSession",
        "session { id }",
        sessionId=talk.id,
        solvedBranchId=quota,
        summary="The quota was raised.",
        expectedVersion=(await talk.client.run(version, id=talk.id))["session"]["version"],
    )
    await until_idle(database_url, talk.people.account_id)
    async with as_owner(database_url) as db:
        for found in (
            "status = 'failed', failure = 'Away.', generated_content = NULL WHERE",
            """status = 'draft', failure = NULL, generated_content = 'The quota was raised.',
               sources = '{}' WHERE output_type = 'client_summary' AND""",
        ):
            await db.execute(
                text(f"UPDATE session_resolution_outputs SET {found} account_id = :account_id"),
                {"account_id": talk.people.account_id},
            )
    return Told(talk, question)


WRITTEN = """\
# Mail stopped arriving.

- Status: RESOLVED
- Opened: TIME by Engineer
- Assignee: Engineer
- Team: Desk
- Domain: general
- Confidence: DISCOVERY
- Exported: TIME

## Intake

FREE_TEXT:

> Mail stopped arriving.

## Resolution

Resolved TIME.

Solved by **Quota**.

> The quota was raised.

## Tree

- **Trunk** (ACTIVE, the team works here)
  - **DNS** (ACTIVE, 20%)
  - **Quota** (SOLVED): The quota was raised.

Forked from **Trunk** after message 2 by Engineer, TIME: Two causes are possible

## Conversations

### Trunk

**1. Engineer**, TIME

> Mail stopped arriving.

**2. Assistant (scripted)**, TIME

> Answer to: Mail stopped arriving.

### DNS

The MX record is wrong

Inherited: messages 1 to 2, from **Trunk**.

**3. Engineer**, TIME

> QUESTION

- File: mail.log

**4. Assistant (scripted)**, TIME

> Answer to: QUESTION

**Summary**

- Tried: telnet to port 25
- Concluded: Nothing listens.
- Artifact: mx1

**Findings**

- OBSERVED: Port 25 is closed. (messages 4, 3)

**How likely it was held to be**

- TIME: 20%, Closed. Next: Look.

### Quota

The mailbox is full

Inherited: messages 1 to 2, from **Trunk**.

**3. Engineer**, note, TIME

> [Branch Revived] New evidence from another branch: The log speaks of a quota.

**Why it came back**

- TIME, Engineer: The log speaks of a quota. Evidence from DNS

## Steps

1. FORK on Trunk

## Handoff 1

- ESCALATE, ELEVATED, CANCELLED
- By Engineer, TIME
- Ended TIME

> Back on Monday.

**Notes** (the assistant wrote what was left empty)

- Next step: Raise the quota.
- Waiting on: The client.

**The tree then**

- Trunk (ACTIVE)
- DNS (ACTIVE)
- Quota (REVIVED): The log speaks of a quota.

**Assessment by the assistant** (confidence: low)

> It is likely full.

- Likely cause: A quota
- Then: Ask for its size

**Briefing by the assistant**

> Take the log.

## Documents

### PSA_TICKET_NOTES (FAILED)

Nothing was written.

### KNOWLEDGE_BASE (FAILED)

Nothing was written.

### CLIENT_SUMMARY (DRAFT)

> The quota was raised.

Nothing that was recorded carries:

- The quota was raised.

## Files

**mail.log**

- text/plain, 8 bytes, SHA-256 HASH
- Brought by Engineer, TIME
- Log of 1 line.

## Usage

| | input | output | read from cache | written to cache |
| --- | --- | --- | --- | --- |
| Trunk | 6 | 5 | 0 | 0 |
| DNS | 19 | 4 | 0 | 0 |
| Quota | 0 | 0 | 0 | 0 |
| **Session** | 25 | 9 | 0 | 0 |
"""


async def test_markdown_tells_all_of_it(told: Told) -> None:
    written = (await fetched(told.talk.client, told.talk.id, "MARKDOWN")).decode()
    written = HASH.sub("HASH", TIME.sub("TIME", written)).replace(told.question, "QUESTION")
    assert written == WRITTEN


async def test_the_page_has_the_same_words_and_nothing_that_runs_or_loads(told: Told) -> None:
    page = Page((await fetched(told.talk.client, told.talk.id, "HTML")).decode())
    assert page.tags <= SAFE_TAGS
    assert page.links == []
    assert page.headings == [line.lstrip("# ") for line in WRITTEN.splitlines() if line[:1] == "#"]
    assert page.title == "Mail stopped arriving."
    assert page.policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "Answer to: " + told.question in page.text


async def test_json_has_the_documented_shape(told: Told) -> None:
    """As docs/exports.md lists it, field by field."""
    found = orjson.loads(await fetched(told.talk.client, told.talk.id, "JSON"))
    assert (found["format"], found["version"]) == ("flowpilot.session", 1)
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text().partition("## JSON")[2]
    listed = {
        field
        for first in re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
        for field in re.findall(r"`(.+?)`", first)
    }
    told_as_one = {"branches[].summary", "branches[].merged"}
    frozen = {"handoffs[].snapshot"}
    found_parts = {part for part in parts(found) if not any(part.startswith(f) for f in frozen)}
    assert found_parts == listed - told_as_one
    assert all(name.partition("[].")[2] in found["branches"][0] for name in told_as_one)
    (trunk, dns, quota) = found["branches"]
    assert found["session"]["id"] == told.talk.id
    assert [branch["inherited"] for branch in found["branches"]] == [0, 2, 2]
    assert dns["findings"][0]["sources"] == [dns["messages"][1]["id"], dns["messages"][0]["id"]]
    assert quota["revivals"][0]["evidence_from"] == dns["id"]
    assert found["handoffs"][0]["snapshot"]["active_branch_id"] == trunk["id"]
    assert found["left_out"] == []


async def test_the_archive_has_all_three_and_the_files(told: Told) -> None:
    packed = ZipFile(io.BytesIO(await fetched(told.talk.client, told.talk.id, "ARCHIVE")))
    assert packed.testzip() is None
    assert packed.namelist() == [
        "session.md",
        "session.html",
        "session.json",
        "attachments/001-mail.log",
    ]
    assert packed.read("attachments/001-mail.log") == b"refused\n"
    found = orjson.loads(packed.read("session.json"))
    assert [file["file"] for file in found["attachments"]] == ["attachments/001-mail.log"]
    assert b"In this archive: attachments/001-mail.log" in packed.read("session.md")


async def test_what_is_too_much_is_left_out_and_said(
    talk: Conversation, monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    await bring(talk, "small.log", b"small")
    large = await bring(talk, "large.log", b"x" * 3_000)
    gone = await bring(talk, "gone.log", b"gone")
    await talk.client.answered(await talk.ask(new_question()))
    await runtime.files.delete(talk.people.account_id, [uuid_of(Kind.UPLOAD, gone)])
    monkeypatch.setattr("services.exports.write.MOST_BYTES", 2_000)
    monkeypatch.setitem(MOST, BranchMessage, 3)
    packed = ZipFile(io.BytesIO(await fetched(talk.client, talk.id, "ARCHIVE")))
    assert packed.namelist()[3:] == [
        "attachments/001-small.log",
        "attachments/003-gone.log.missing.txt",
    ]
    found = orjson.loads(packed.read("session.json"))
    assert found["left_out"] == [
        "Only the oldest 3 messages are here.",
        "An archive holds 2,000 bytes of files; 1 did not fit.",
    ]
    assert [message["position"] for message in found["branches"][0]["messages"]] == [1, 2, 3]
    assert [file["file"] for file in found["attachments"] if file["id"] == large] == [None]
    assert b"**Not everything is here.**" in packed.read("session.md")


# ------------------------------------------------------------------ hostile content

HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)> \\<script>alert(2)</script>

# Resolution
</blockquote><iframe src="https://evil.example"></iframe>
![pixel](https://evil.example/p.png) [click](javascript:alert(1)) [c](java&#115;cript:alert(1))
[c]( javascript:alert(1)) [ref][r] <javascript:alert(1)> [ok](https://good.example/)
[data](data:text/html;base64,PHNjcmlwdD4=)

[r]: javascript:alert(1)
\t<b>tabbed</b>

```
<script>alert(3)</script>
~~~
</style><script>alert(4)</script>
"""
LABEL = "<b>x</b> | ![p](https://evil.example) `a` **b** [l](javascript:1)"


async def test_nothing_that_was_written_gets_out_of_its_place(
    talk: Conversation, database_url: str
) -> None:
    forked = await talk.client.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=talk.id,
        reason=LABEL,
        options=[{"label": f"{LABEL} {n}", "description": HOSTILE[:500]} for n in (1, 2)],
    )
    branch = forked["branches"][0]["id"]
    await talk.client.answered(await talk.ask(HOSTILE, branch))
    upload = await bring(talk, "x.txt", b"x")
    async with as_owner(database_url) as db:
        await db.execute(
            text("UPDATE file_uploads SET filename = :name WHERE id = :id"),
            {"name": "../../<img src=x>/\u202egpj.exe", "id": uuid_of(Kind.UPLOAD, upload)},
        )
    headings = [
        "Mail stopped arriving.",
        *("Intake", "Resolution", "Tree", "Conversations", "Trunk"),
        *(f"{LABEL} {n}" for n in (1, 2)),
        *("Steps", "Files", "Usage"),
    ]
    markdown = (await fetched(talk.client, talk.id, "MARKDOWN")).decode()
    laxest = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable("table")
    laxest.validateLink = lambda _: True  # type: ignore[method-assign]
    for page in (
        Page(laxest.render(markdown)),
        Page((await fetched(talk.client, talk.id, "HTML")).decode()),
    ):
        assert page.tags <= SAFE_TAGS
        assert set(page.links) == {"https://good.example/", "https://evil.example/p.png"}
        assert page.headings == headings
        for number in (1, 2, 3, 4):
            assert f"<script>alert({number})</script>" in page.text
    packed = ZipFile(io.BytesIO(await fetched(talk.client, talk.id, "ARCHIVE")))
    assert packed.namelist()[3:] == ["attachments/001-____img src_x_gpj.exe"]


@pytest.mark.parametrize(
    ("filename", "place"),
    [
        ("mail.log", "attachments/007-mail.log"),
        ("../../etc/passwd", "attachments/007-____etc_passwd"),
        ("C:\\Windows\\x.dll", "attachments/007-C_Windows_x.dll"),
        ("con", "attachments/007-con"),
        ("...", "attachments/007-_"),
        ("a\0b\r\n\u202ec.txt", "attachments/007-a_b_c.txt"),
        ("Überblick (2).pdf", "attachments/007-Überblick (2).pdf"),
        ("x" * 300 + ".tar.gz", f"attachments/007-{'x' * 98}.gz"),
        ("." + "y" * 300, f"attachments/007-{'y' * 100}"),
    ],
)
def test_a_name_is_no_path(filename: str, place: str) -> None:
    assert place_of(7, filename) == place


async def test_secrets_stay_out_wherever_they_occur(talk: Conversation) -> None:
    """Also before the place where something says that it is one, and by one name in all."""
    secret = "hV7-kq29!Zx"
    for body in (f"I tried {secret} twice", f"password: {secret}", f"And {secret} again"):
        await talk.client.answered(await talk.ask(body))
    forms = [(await fetched(talk.client, talk.id, form)).decode() for form in FORMS[:3]]
    for written in forms:
        assert secret not in written
    bodies = [message["body"] for message in orjson.loads(forms[2])["branches"][0]["messages"][2:]]
    assert bodies == [
        "I tried [PASSWORD-1] twice",
        "Answer to: I tried [PASSWORD-1] twice",
        "password: [PASSWORD-1]",
        "Answer to: password: [PASSWORD-1]",
        "And [PASSWORD-1] again",
        "Answer to: And [PASSWORD-1] again",
    ]


# ------------------------------------------------------------------ addresses


async def test_an_address_says_what_it_is_of(talk: Conversation) -> None:
    endings = {"MARKDOWN": "md", "HTML": "html", "JSON": "json", "ARCHIVE": "zip"}
    for form, ending in endings.items():
        made = await export(talk.client, talk.id, form)
        answer = await talk.client.http.get(made["url"])
        assert made["filename"] == f"session-{talk.id[-12:]}.{ending}"
        assert answer.headers["Content-Type"] == made["contentType"]
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{made["filename"]}"'
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


async def test_an_address_is_for_one_viewer_one_session_and_one_form(
    talk: Conversation, client: Client, strangers: Colleagues
) -> None:
    other = await talk.client.mutate(
        "startSession", "session { id } reply { id }", intake={"text": "Another"}
    )
    upload = await bring(talk, "a.txt", b"a")
    node = "query($id: ID!) { node(id: $id) { ... on FileUpload { url } } }"
    file = httpx.URL((await talk.client.run(node, id=upload))["node"]["url"])
    good = httpx.URL((await export(talk.client, talk.id, "JSON"))["url"])
    theirs = strangers.account_id.hex
    forged = [
        good.copy_with(path=f"/exports/{other['session']['id']}"),
        good.copy_with(path="/exports/..%2Fsecret.key"),
        good.copy_with(path=f"/exports/{upload}"),
        good.copy_set_param("format", "archive"),
        good.copy_set_param("format", "pdf"),
        good.copy_set_param("account", f"ac_{theirs}"),
        good.copy_set_param("viewer", strangers.admin.id),
        good.copy_set_param("expires", str(int(good.params["expires"]) + 1)),
        good.copy_set_param("expires", "soon"),
        good.copy_set_param("expires", "9" * 40),
        good.copy_set_param("signature", file.params["signature"]),
        good.copy_set_param("signature", "é"),
        good.copy_remove_param("signature"),
        file.copy_with(path=good.path),
    ]
    for url in forged:
        refused = await client.http.get(url)
        assert refused.status_code == 404, url
    assert (await client.http.get(good)).status_code == 200
    stranger = client.as_(strangers.admin)
    assert await stranger.run(EXPORT, id=talk.id, format="JSON") == {"session": None}
    with pytest.raises(GraphQLFailure):
        await client.run(EXPORT, id=talk.id, format="JSON")


async def test_an_address_ends_with_its_time_and_with_its_viewer(
    talk: Conversation, client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as past:
        past.setattr("services.exports.links.time", lambda: 1_000_000_000.0)
        old = await export(talk.client, talk.id, "JSON")
        assert old["expiresAt"] == "2001-09-09T01:51:40Z"
        assert (await client.http.get(old["url"])).status_code == 200
    assert (await client.http.get(old["url"])).status_code == 404
    lead = client.as_(talk.people.lead)
    fresh = (await export(lead, talk.id, "JSON"))["url"]
    async with as_owner(database_url) as db:
        await db.execute(
            text("UPDATE users SET deactivated_at = now() WHERE id = :id"),
            {"id": talk.people.lead.key},
        )
    assert (await client.http.get(fresh)).status_code == 404


async def test_exports_are_taken_from_the_viewers_minute(
    talk: Conversation, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = runtime.limits.cost_per_minute // 2 + 1
    monkeypatch.setattr("schema.transport.exports.COST", half)
    url = (await export(talk.client, talk.id, "JSON"))["url"]
    assert [(await talk.client.http.get(url)).status_code for _ in range(2)] == [200, 429]
    refused = await talk.client.http.get(url)
    assert 1 <= int(refused.headers["Retry-After"]) <= 120


async def test_the_cost_of_reading_does_not_grow_with_the_session(
    told: Told, statements: list[str]
) -> None:
    url = (await export(told.talk.client, told.talk.id, "JSON"))["url"]
    statements.clear()
    assert (await told.talk.client.http.get(url)).status_code == 200
    assert len(statements) == 19
