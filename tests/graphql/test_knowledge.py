"""What an account knows: the library, sessions that are like another, and articles with an answer."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any
from uuid import UUID

import pytest
import yaml
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from models.knowledge import KbArticle
from models.session import AiSession, SessionStatus
from services.ai.port import ForkDraft, ForkOption
from services.ai.scripted import Answer, Fail, ScriptedProvider
from services.database import transaction
from services.demo.library import ARTICLES
from services.ids import Kind, new_id, node_id, uuid_of
from services.knowledge import lookup
from services.knowledge.lookup import Related
from services.runtime import Runtime
from tests.client import Client, GraphQLFailure
from tests.factories import Colleagues
from tests.tables import as_owner, until_idle
from tests.talk import Conversation, new_question, told_with

PAPER = {
    "title": "Printer jams",
    "symptoms": ["Thick paper sticks"],
    "root_cause": "A worn roller",
    "tags": ["hardware"],
    "body": "Order a roller at the vendor, and clean the tray.",
}
MAIL = {
    "title": "Mailbox refuses messages",
    "symptoms": ["Mail stopped arriving", "Senders hear of a quota"],
    "root_cause": "The quota is used up",
    "tags": ["mail"],
    "body": "Raise the quota, and let the tray alone.",
}

LIST = """query($search: String, $first: Int! = 20, $after: String) {
  kbArticles(search: $search, first: $first, after: $after) {
    edges { cursor node { id title } } pageInfo { hasNextPage hasPreviousPage }
  }
}"""
SIMILAR = """query($id: ID!, $first: Int! = 5) { session(id: $id) {
  similarSessions(first: $first) { score session { id } solvedBy { label } }
} }"""
SUGGESTED = """query($id: ID!) { branch(id: $id) {
  messages(first: 100) { edges { node { role suggestedArticles { title } } } }
} }"""


async def write(owner_url: str, account_id: UUID, *articles: dict[str, Any]) -> list[UUID]:
    """Each is a minute younger than the one before."""
    keys = [new_id() for _ in articles]
    began = datetime.now(UTC) - timedelta(days=1)
    rows = [
        {
            "account_id": account_id,
            "id": key,
            "title": article["title"],
            "body": article.get("body", ""),
            "content": {k: v for k, v in article.items() if k not in {"title", "body"}},
            "created_at": began + timedelta(minutes=minute),
        }
        for minute, (key, article) in enumerate(zip(keys, articles, strict=True))
    ]
    async with as_owner(owner_url) as db:
        await db.execute(insert(KbArticle), rows)
    return keys


async def opened(client: Client, intake: str) -> dict[str, Any]:
    made = await client.mutate(
        "startSession",
        "session { id rootBranch { id } } reply { id }",
        intake={"text": intake},
    )
    await client.answered(made["reply"]["id"])
    session: dict[str, Any] = made["session"]
    return session


async def put(owner_url: str, session_id: str, status: SessionStatus, **values: object) -> None:
    async with as_owner(owner_url) as db:
        await db.execute(
            update(AiSession)
            .where(AiSession.id == uuid_of(Kind.SESSION, session_id))
            .values(status=status, **values)
        )


async def related(engine: AsyncEngine, account_id: UUID, body: str, most: int = 3) -> Related:
    async with transaction(engine, account_id) as db:
        return await lookup.related(db, account_id, body, most=most)


def rarity(holders: int, *, of: int) -> float:
    return log(1 + (of + 20 - holders + 0.5) / (holders + 0.5))


def titles(listed: dict[str, Any]) -> list[str]:
    return [edge["node"]["title"] for edge in listed["kbArticles"]["edges"]]


# ------------------------------------------------------------------ the library


async def test_the_library_newest_first_in_pages(
    client: Client, colleagues: Colleagues, database_url: str, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)
    await write(database_url, colleagues.account_id, {"title": "One"}, {"title": "Two"}, MAIL)
    statements.clear()
    page = await engineer.run(LIST, first=2)
    assert len(statements) == 1
    assert titles(page) == ["Mailbox refuses messages", "Two"]
    assert page["kbArticles"]["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    rest = await engineer.run(LIST, after=page["kbArticles"]["edges"][-1]["cursor"])
    assert titles(rest) == ["One"]
    assert rest["kbArticles"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}


async def test_a_search_puts_titles_before_symptoms_before_bodies(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    await write(
        database_url,
        colleagues.account_id,
        {"title": "The tunnel drops"},
        {"title": "Third", "body": "Look at the tunnel."},
        {"title": "Second", "symptoms": ["No tunnel"]},
        {"title": "Other", "body": "Nothing of that kind"},
    )
    assert titles(await engineer.run(LIST, search="TUNNELS")) == [
        "The tunnel drops",
        "Second",
        "Third",
    ]
    page = await engineer.run(LIST, search="tunnel", first=2)
    cursor = page["kbArticles"]["edges"][-1]["cursor"]
    assert titles(await engineer.run(LIST, search="tunnel", after=cursor)) == ["Third"]
    assert titles(await engineer.run(LIST, search="tunnel -look")) == ["The tunnel drops", "Second"]
    assert titles(await engineer.run(LIST, search='"drops tunnel"')) == []


async def test_a_search_finds_by_index_what_its_query_says(
    client: Client, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    """Words that must, may and must not occur, phrases, and words with signs in them."""
    engineer = client.as_(colleagues.engineer)
    articles = (
        {"title": "O'Brien moved the share"},
        {"title": "Path", "body": r"Look in \\server\share\o'brien and http://srv/a\b?c='d'"},
        {"title": "Share moved"},
        {"title": "Nothing"},
    )
    await write(database_url, colleagues.account_id, *articles)
    await write(database_url, strangers.account_id, *articles)
    for search, found in (
        ("share", {"O'Brien moved the share", "Path", "Share moved"}),
        ("share moved", {"O'Brien moved the share", "Share moved"}),
        ('"share moved"', {"Share moved"}),
        ("share -moved", {"Path"}),
        ("o'brien", {"O'Brien moved the share", "Path"}),
        (r"a\b?c='d'", {"Path"}),
        ("nothing or moved", {"O'Brien moved the share", "Share moved", "Nothing"}),
        ("nothing or -share", {"Nothing"}),
        ("-share", {"Nothing"}),
        ("the", set()),
    ):
        listed = titles(await engineer.run(LIST, search=search))
        assert (set(listed), len(listed)) == (found, len(found)), search


async def test_of_many_matches_the_newest_are_ranked(
    client: Client,
    colleagues: Colleagues,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.knowledge.library.MOST_RANKED", 2)
    await write(
        database_url,
        colleagues.account_id,
        {"title": "Tunnel"},
        {"title": "Newer", "body": "tunnel"},
        {"title": "Newest tunnel"},
    )
    listed = await client.as_(colleagues.engineer).run(LIST, search="tunnel")
    assert titles(listed) == ["Newest tunnel", "Newer"]


@pytest.mark.parametrize("search", ["'", "\\", "a & b | !c", ":*", "((", "<->", "';--", '"', "%_"])
async def test_no_sign_in_a_search_is_an_error(
    client: Client, colleagues: Colleagues, database_url: str, search: str
) -> None:
    await write(database_url, colleagues.account_id, PAPER)
    assert titles(await client.as_(colleagues.engineer).run(LIST, search=f"jams {search}")) in (
        ["Printer jams"],
        [],
    )


@pytest.mark.parametrize(
    "given",
    [{"search": "jam\0"}, {"search": "j" * 201}, {"first": 0}, {"first": 101}, {"after": "x"}],
    ids=["nul", "long", "none", "many", "cursor"],
)
async def test_what_the_library_refuses(
    client: Client, colleagues: Colleagues, given: dict[str, Any]
) -> None:
    with pytest.raises(GraphQLFailure) as caught:
        await client.as_(colleagues.engineer).run(LIST, **given)
    assert caught.value.code == "BAD_USER_INPUT"


async def test_an_article_by_its_id(
    client: Client, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    (key,) = await write(database_url, colleagues.account_id, PAPER)
    id = node_id(Kind.KB_ARTICLE, key)
    document = """query($id: ID!) { node(id: $id) { id ... on KbArticle {
      title body content { symptoms rootCause steps ruleOutFirst tags } sourceSession { id }
    } } }"""
    assert await client.as_(colleagues.engineer).run(document, id=id) == {
        "node": {
            "id": id,
            "title": "Printer jams",
            "body": "Order a roller at the vendor, and clean the tray.",
            "content": {
                "symptoms": ["Thick paper sticks"],
                "rootCause": "A worn roller",
                "steps": [],
                "ruleOutFirst": [],
                "tags": ["hardware"],
            },
            "sourceSession": None,
        }
    }
    assert await client.as_(strangers.engineer).run(document, id=id) == {"node": None}


# ------------------------------------------------------------------ what a text is about


async def test_the_rarest_words_lead_to_what_is_scored(
    colleagues: Colleagues, runtime: Runtime, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By all words, whichever led to it; what shares common words only is looked at while there is room."""
    common, rare, both = await write(
        database_url,
        colleagues.account_id,
        {"title": "Printer paper"},
        {"title": "Printer toner"},
        {"title": "Printer paper toner"},
    )
    body = "printer paper toner"
    weights = {"printer": rarity(3, of=3), "paper": rarity(2, of=3), "toner": rarity(2, of=3)}
    half = (weights["printer"] + weights["paper"]) / sum(weights.values())
    whole = await related(runtime.engine, colleagues.account_id, body)
    assert {found.id: found.score for found in whole.articles} == {
        both: pytest.approx(1),
        common: pytest.approx(half),
        rare: pytest.approx(half),
    }
    monkeypatch.setitem(lookup._GIVEN, "most_candidates", 1)  # the first of the rarest: paper
    narrow = await related(runtime.engine, colleagues.account_id, body)
    assert [found.id for found in narrow.articles] == [both, common]
    assert [found.score for found in narrow.articles] == [pytest.approx(1), pytest.approx(half)]
    monkeypatch.setitem(lookup._GIVEN, "most_holders", 1)
    capped = await related(runtime.engine, colleagues.account_id, body)
    assert len(capped.articles) == 1


async def test_a_score_tells_how_much_is_shared_and_where(
    runtime: Runtime, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    paper, _ = await write(database_url, colleagues.account_id, PAPER, MAIL)
    body = "The printer jams on thick paper; a roller squeaks, the tray is clean."
    found = await related(runtime.engine, colleagues.account_id, body)
    own, common = rarity(1, of=2), rarity(2, of=2)
    everywhere = 1.0 + 1.0 + 0.8 + 0.8 + 0.4 + 0.2  # printer jam thick paper roller clean
    shared = own * everywhere + common * 0.2  # tray
    assert [one.id for one in found.articles] == [paper]
    assert found.articles[0].score == pytest.approx(
        shared / (6 * own + common + rarity(0, of=2)), abs=1e-9
    )
    assert found.sessions == []
    nothing = await related(runtime.engine, strangers.account_id, body)
    assert nothing == Related([], [])


@pytest.mark.parametrize(
    "body",
    [
        "The coffee machine leaks on the third floor",
        "A colour printer",  # shares one word, and a rare one
        "Order two monitors for the new colleague, and clean the desk",  # shares two of the body
        "the of and to",
        "",
        "?!",
    ],
)
async def test_a_text_about_something_else_finds_nothing(
    runtime: Runtime, colleagues: Colleagues, database_url: str, body: str
) -> None:
    await write(database_url, colleagues.account_id, PAPER, MAIL)
    assert await related(runtime.engine, colleagues.account_id, body) == Related([], [])


@pytest.mark.parametrize(
    "noise",
    [
        "'", "''", '"', "\\", "\\'", "& | ! ( ) <-> :* :A", "'a':1A 'b'", "\0", "\ud800", "%s :x $1",
        "{} {0}", "; DROP TABLE kb_articles; --", "🎉" * 50, "x" * 5_000, "\u202e\u200b",
        "<a href='x'>" * 20, " " * 100_000, "https://example.com/a?b=c&d=e#f",
    ],
    ids=ascii,
)  # fmt: skip
async def test_any_text_can_be_looked_up(
    runtime: Runtime, colleagues: Colleagues, database_url: str, noise: str
) -> None:
    (paper,) = await write(database_url, colleagues.account_id, PAPER)
    body = f"printer jams thick paper sticks worn roller {noise}"
    found = await related(runtime.engine, colleagues.account_id, body)
    assert [one.id for one in found.articles] == [paper]
    await related(runtime.engine, colleagues.account_id, noise * (100_000 // len(noise)))


async def test_only_what_is_said_most_and_first_is_looked_up(
    runtime: Runtime, colleagues: Colleagues, database_url: str
) -> None:
    title = "printer jams thick paper sticks worn roller squeaks tray vendor clean order"
    (paper,) = await write(database_url, colleagues.account_id, {"title": title})
    others = " ".join(f"word{number}" for number in range(1_000))
    for body, expected in (
        (f"{title} {others}", [paper]),
        (f"{others} {title}", []),
        (f"{others} {title} {title}", [paper]),
        (f"{others * 3} {title} {title} {title} {title}", []),  # beyond 20,000 characters
    ):
        found = await related(runtime.engine, colleagues.account_id, body)
        assert [one.id for one in found.articles] == expected


QUESTIONS = {
    "I'm connected to the VPN but my network drives have a red cross": "VPN connects",
    "Customers say our mails bounce, something about an SPF check": "Mail to outside",
    "scan to mail says authentication failed, printing works": "Copier cannot scan",
    "After I enter my password I am back at pick an account": "Sign-in loops",
    "Calls stutter in the big meeting room, wifi has full bars": "Wi-Fi is slow",
    "All documents sit in the queue as spooling since the driver update": "Print jobs",
    "Last night's backup ended with not enough space": "Nightly backup",
    "Since the migration the shared mailbox info@ is gone from Outlook": "Shared mailbox",
}


async def test_the_demo_library_answers_as_people_ask(
    runtime: Runtime, colleagues: Colleagues, database_url: str
) -> None:
    told = yaml.safe_load(ARTICLES.read_text())
    keys = await write(database_url, colleagues.account_id, *told)
    names = {key: article["title"] for key, article in zip(keys, told, strict=True)}
    for question, title in QUESTIONS.items():
        found = await related(runtime.engine, colleagues.account_id, question, most=1)
        assert names[found.articles[0].id].startswith(title), question


# ------------------------------------------------------------------ similar sessions


async def test_only_resolved_sessions_of_the_account_are_similar(
    client: Client, colleagues: Colleagues, strangers: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    old = await opened(engineer, "The printer jams on thick paper")
    new = await opened(engineer, "Thick paper jams the printer again")
    foreign = await opened(client.as_(strangers.engineer), "The printer jams on thick paper")

    async def similar(to: str) -> list[dict[str, Any]]:
        found = await engineer.run(SIMILAR, id=to)
        similar_ones: list[dict[str, Any]] = found["session"]["similarSessions"]
        return similar_ones

    await put(database_url, foreign["id"], SessionStatus.RESOLVED)
    for status in SessionStatus:
        if status is not SessionStatus.RESOLVED:
            await put(database_url, old["id"], status)
            assert await similar(new["id"]) == []
    await put(database_url, old["id"], SessionStatus.RESOLVED)
    found = {"score": 1.0, "session": {"id": old["id"]}, "solvedBy": None}
    assert await similar(new["id"]) == [found]  # its summary says all of it
    assert await similar(old["id"]) == []  # itself is none
    await put(database_url, old["id"], SessionStatus.RESOLVED, problem_summary="A printer jams")
    (less,) = await similar(new["id"])
    assert less["score"] == pytest.approx(0.9)  # two words of four are in the intake alone
    await put(database_url, old["id"], SessionStatus.ACTIVE)
    assert await similar(new["id"]) == []


async def test_what_solved_a_similar_session_is_told(
    client: Client, colleagues: Colleagues, database_url: str
) -> None:
    engineer = client.as_(colleagues.engineer)
    old = await opened(engineer, "The printer jams on thick paper")
    forked = await engineer.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=old["id"],
        parentBranchId=old["rootBranch"]["id"],
        reason="Two causes",
        options=[{"label": label, "description": "A cause"} for label in ("Roller", "Tray")],
    )
    for branch, status in zip(forked["branches"], ("DEAD_END", "SOLVED"), strict=True):
        await engineer.mutate("switchBranch", "branch { id }", branchId=branch["id"])
        marked = await engineer.mutate(
            "markBranchStatus",
            "branch { id }",
            branchId=branch["id"],
            status=status,
            reason="So it was",
            expectedVersion=1,
        )
        assert marked["__typename"] == "MarkBranchStatusSuccess", marked
    await put(database_url, old["id"], SessionStatus.RESOLVED)
    new = await opened(engineer, "Thick paper jams the printer again")
    found = await engineer.run(SIMILAR, id=new["id"])
    assert found["session"]["similarSessions"] == [
        {"score": 1.0, "session": {"id": old["id"]}, "solvedBy": {"label": "Tray"}}
    ]


@pytest.mark.parametrize("first", [0, 21])
async def test_similar_sessions_are_one_to_twenty(talk: Conversation, first: int) -> None:
    with pytest.raises(GraphQLFailure) as caught:
        await talk.client.run(SIMILAR, id=talk.id, first=first)
    assert caught.value.code == "BAD_USER_INPUT"


async def test_similar_sessions_cost_the_same_for_one_session_and_for_many(
    client: Client, colleagues: Colleagues, database_url: str, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)
    document = """{ sessions(filter: {status: ACTIVE}) { edges { node {
      similarSessions { score session { id } solvedBy { label } }
    } } } }"""
    for _ in range(2):
        old = await opened(engineer, "The printer jams on thick paper")
        await put(database_url, old["id"], SessionStatus.RESOLVED)
    for sessions in (1, 5):
        while len((await engineer.run(document))["sessions"]["edges"]) < sessions:
            await opened(engineer, "Thick paper jams the printer again")
        await until_idle(database_url, colleagues.account_id)
        statements.clear()
        edges = (await engineer.run(document))["sessions"]["edges"]
        assert [len(edge["node"]["similarSessions"]) for edge in edges] == [2] * sessions
        assert len(statements) == 4  # the sequence, the list, what is similar, its sessions


# ------------------------------------------------------------------ what became of hypotheses

OUTCOMES = "similarOutcomes { likeness session { id } branch { label status statusReason } }"
OPTIONS = f"""query($id: ID!) {{ session(id: $id) {{
  forkPoints {{ options {{ label {OUTCOMES} }} }}
  rootBranch {{ messages {{ edges {{ node {{ suggestedFork {{ options {{ label {OUTCOMES} }} }} }} }} }} }}
}} }}"""


async def tried(
    client: Client, owner_url: str, intake: str, *hypotheses: tuple[str, str, str | None]
) -> str:
    """A resolved session whose hypotheses (label, description, status) ended so."""
    session = await opened(client, intake)
    forked = await client.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=session["id"],
        reason="Several causes",
        options=[{"label": label, "description": told} for label, told, _ in hypotheses],
    )
    for branch, (label, _, status) in zip(forked["branches"], hypotheses, strict=True):
        if status is not None:
            await client.mutate("switchBranch", "branch { id }", branchId=branch["id"])
            await client.mutate(
                "markBranchStatus",
                "branch { id }",
                branchId=branch["id"],
                status=status,
                reason=f"So it was: {label}",
                expectedVersion=1,
            )
    await put(owner_url, session["id"], SessionStatus.RESOLVED)
    return str(session["id"])


async def test_what_became_of_the_same_hypotheses_is_told_with_fork_and_suggestion(
    client: Client,
    colleagues: Colleagues,
    strangers: Colleagues,
    provider: ScriptedProvider,
    database_url: str,
) -> None:
    engineer = client.as_(colleagues.engineer)
    old_ones = (
        ("Roller", "The roller is worn", "DEAD_END"),
        ("Tray", "The tray is bent", "SOLVED"),
        ("Driver", "The driver is old", None),
    )
    intake = "The printer jams on thick paper"
    old = await tried(engineer, database_url, intake, *old_ones)
    await tried(client.as_(strangers.engineer), database_url, intake, *old_ones)
    await tried(engineer, database_url, "Nobody can sign in at the bank", *old_ones)
    intake = f"Thick paper jams the printer again {new_question()}"
    options = (
        ForkOption("ROLLER", "It slips"),
        ForkOption("Worn belt or roller", "Something slips"),
        ForkOption("Driver", "It is old"),
        ForkOption("Humid air", "The paper is wet"),
    )
    provider.script(intake, Answer(fork=ForkDraft("Several causes", options)))
    new = await opened(engineer, intake)
    await engineer.mutate(
        "forkBranch",
        "branches { id }",
        sessionId=new["id"],
        reason="Several causes",
        options=[{"label": one.label, "description": one.description} for one in options],
    )
    roller = {
        "session": {"id": old},
        "branch": {"label": "Roller", "status": "DEAD_END", "statusReason": "So it was: Roller"},
    }
    expected = [
        {"label": "ROLLER", "similarOutcomes": [{"likeness": 1.0, **roller}]},
        {
            "label": "Worn belt or roller",
            # worn and roller, of worn, belt, roller, someth and slip, and of roller and worn
            "similarOutcomes": [{"likeness": pytest.approx(2 * 2 / (5 + 2)), **roller}],
        },
        {"label": "Driver", "similarOutcomes": []},  # nobody found out
        {"label": "Humid air", "similarOutcomes": []},
    ]
    found = (await engineer.run(OPTIONS, id=new["id"]))["session"]
    assert found["forkPoints"] == [{"options": expected}]
    answer = found["rootBranch"]["messages"]["edges"][1]["node"]
    assert answer["suggestedFork"] == {"options": expected}


async def test_the_likest_outcomes_come_first_and_five_at_most(
    client: Client, colleagues: Colleagues, database_url: str, statements: list[str]
) -> None:
    engineer = client.as_(colleagues.engineer)
    told = [
        await tried(
            engineer,
            database_url,
            "The printer jams on thick paper",
            ("Roller" if like else "A worn roller", "It is old", "DEAD_END"),
            ("Other", "Nothing", None),
        )
        for like in (False, True, True, True, True, True)
    ]
    new = await opened(engineer, "Thick paper jams the printer again")

    async def fork(label: str) -> None:
        await engineer.mutate(
            "forkBranch",
            "branches { id }",
            sessionId=new["id"],
            reason="Several causes",
            options=[
                {"label": f"{label}{end}", "description": "It is old"} for end in ("", " other")
            ],
        )

    await fork("Roller")
    found = (await engineer.run(OPTIONS, id=new["id"]))["session"]["forkPoints"][0]["options"][0]
    assert [outcome["session"]["id"] for outcome in found["similarOutcomes"]] == sorted(told[1:])
    assert [outcome["likeness"] for outcome in found["similarOutcomes"]] == [1.0] * 5
    await until_idle(database_url, colleagues.account_id)
    statements.clear()
    await engineer.run(OPTIONS, id=new["id"])
    few = len(statements)
    for number in range(4):
        await fork(f"Roller {number}")
    await until_idle(database_url, colleagues.account_id)
    statements.clear()
    points = (await engineer.run(OPTIONS, id=new["id"]))["session"]["forkPoints"]
    assert (len(points), len(statements)) == (5, few)


# ------------------------------------------------------------------ with an answer


async def suggested(talk: Conversation) -> list[tuple[str, list[str]]]:
    found = await talk.client.run(SUGGESTED, id=talk.trunk)
    nodes = [edge["node"] for edge in found["branch"]["messages"]["edges"]]
    return [
        (node["role"], [article["title"] for article in node["suggestedArticles"]])
        for node in nodes
    ]


async def test_an_answer_comes_with_articles_about_question_and_problem(
    talk: Conversation, strangers: Colleagues, database_url: str, statements: list[str]
) -> None:
    assert await suggested(talk) == [("USER", []), ("ASSISTANT", [])]
    await write(database_url, strangers.account_id, MAIL, PAPER)
    _, mail = await write(database_url, talk.people.account_id, PAPER, MAIL)
    for question in ("What now?", "Thick paper jams the printer and sticks"):
        await talk.client.answered(await talk.ask(question))
    mails, papers = "Mailbox refuses messages", "Printer jams"
    await until_idle(database_url, talk.people.account_id)
    statements.clear()
    assert await suggested(talk) == [
        ("USER", []),
        ("ASSISTANT", []),
        ("USER", []),
        ("ASSISTANT", [mails]),
        ("USER", []),
        ("ASSISTANT", [papers, mails]),
    ]
    with_two = len(statements)
    for _ in range(5):
        await talk.client.answered(await talk.ask("What now?"))
    await until_idle(database_url, talk.people.account_id)
    statements.clear()
    assert (await suggested(talk))[6:] == [("USER", []), ("ASSISTANT", [mails])] * 5
    assert len(statements) == with_two == 3  # the branch, its messages, all their articles
    async with as_owner(database_url) as db:
        await db.execute(delete(KbArticle).where(KbArticle.id == mail))
    assert (await suggested(talk))[3:6] == [
        ("ASSISTANT", []),
        ("USER", []),
        ("ASSISTANT", [papers]),
    ]


async def test_a_retry_looks_again(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    question = f"Thick paper sticks? {new_question()}"
    provider.script(question, Fail("No", retryable=False), Answer("Well."))
    await write(database_url, talk.people.account_id, PAPER)
    reply = await talk.ask(question)
    await talk.client.answered(reply)
    assert (await suggested(talk))[-1] == ("ASSISTANT", ["Printer jams"])
    await write(database_url, talk.people.account_id, {"title": "Thick paper sticks"})
    await talk.client.mutate("retryMessage", "reply { id }", messageId=reply)
    await talk.client.answered(reply)
    assert (await suggested(talk))[-1] == ("ASSISTANT", ["Thick paper sticks", "Printer jams"])


async def test_the_assistant_is_told_of_the_best_and_of_what_solved_sessions_like_it(
    talk: Conversation, provider: ScriptedProvider, strangers: Colleagues, database_url: str
) -> None:
    for name in ("one", "two", "three", "four"):
        await write(
            database_url, talk.people.account_id, {**MAIL, "title": f"Mail stopped: {name}"}
        )
    await write(database_url, strangers.account_id, {**MAIL, "title": "Their mail stopped"})
    solved = await opened(talk.client, "Mail stopped arriving at the front desk.")
    await put(
        database_url,
        solved["id"],
        SessionStatus.RESOLVED,
        resolution_summary="The quota was raised.",
    )
    question = f"Mail stopped arriving? {new_question()}"
    await talk.client.answered(await talk.ask(question))

    request = next(r for r in provider.requests if r.question.text == question)
    assert len(request.known.articles) == 3
    assert {article.title[:13] for article in request.known.articles} == {"Mail stopped:"}
    (session,) = request.known.sessions
    assert session.how == "The quota was raised."
    sessions, library = told_with(request)[-2:]
    assert sessions.startswith("## Similar Sessions, Solved\n")
    assert "Solved by: **no branch**. The quota was raised." in sessions
    assert library.startswith("## Articles Of The Library That May Help\n")
    assert [line for line in library.split("\n") if line.startswith("### ")] == [
        f"### {article.title}" for article in request.known.articles
    ]
    assert MAIL["body"] in library
