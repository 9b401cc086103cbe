"""What a model was sent for an answer can be seen afterwards."""

from typing import Any

from services.ai.scripted import Fail, ScriptedProvider
from services.ids import Kind, new_id, node_id
from tests.client import Client
from tests.factories import Colleagues
from tests.tables import until_idle
from tests.talk import Conversation, new_question

PROMPT = """query($id: ID!) { messagePrompt(messageId: $id) {
  system messages { role texts imageCount } sharedCount settledCount isExact } }"""


async def prompt_of(client: Client, id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await client.run(PROMPT, id=id))["messagePrompt"]
    return found


async def test_the_prompt_of_an_answer_is_shown_as_it_was(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    dns, quota = await talk.fork()
    await talk.client.mutate(
        "markBranchStatus",
        "branch { id }",
        branchId=quota,
        status="DEAD_END",
        reason="password: hunter2-secret is on a note.",
        expectedVersion=1,
    )
    question = f"{new_question()} Is it hunter2-secret?"
    reply = await talk.ask(question, dns)
    await talk.client.answered(reply)
    await talk.client.mutate("archiveBranch", "branch { id }", branchId=quota, expectedVersion=2)

    shown = await prompt_of(talk.client, reply)

    assert shown is not None
    assert shown["isExact"] is True
    assert shown["system"][0].startswith("You are the assistant of FlowPilot.")
    assert (shown["sharedCount"], shown["settledCount"]) == (2, 3)
    *_, opening, last = shown["messages"]
    assert '<untrusted source="hypothesis">\nDNS\n' in opening["texts"][0]
    asked = question.replace("hunter2-secret", "[PASSWORD-1]")
    assert (last["role"], last["texts"][-1], last["imageCount"]) == ("USER", asked, 0)
    assert "[dead_end]: Reason: password: [PASSWORD-1] is on a note." in last["texts"][0]


async def test_it_says_where_it_is_not_what_was_sent(
    talk: Conversation, provider: ScriptedProvider, database_url: str
) -> None:
    first, second = new_question(), new_question()
    provider.script(first, Fail("No.", retryable=False))
    failed = await talk.ask(first)
    await talk.client.answered(failed)
    reply = await talk.ask(second)
    await talk.client.answered(reply)
    shown = await prompt_of(talk.client, reply)
    assert shown is not None
    assert shown["isExact"] is True

    await talk.client.mutate("retryMessage", "reply { id }", messageId=failed)
    await talk.client.answered(failed)
    await until_idle(database_url, talk.people.account_id)

    shown = await prompt_of(talk.client, reply)
    assert shown is not None
    assert shown["isExact"] is False


async def test_there_is_none_of_a_question_or_of_another_account(
    talk: Conversation, client: Client, strangers: Colleagues
) -> None:
    question, answer = await talk.messages()
    assert await prompt_of(talk.client, answer["id"]) is not None
    assert await prompt_of(talk.client, question["id"]) is None
    assert await prompt_of(talk.client, node_id(Kind.MESSAGE, new_id())) is None
    assert await prompt_of(client.as_(strangers.admin), answer["id"]) is None
