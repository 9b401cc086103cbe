"""Without a model, over the real HTTP: what many files say is kept, each of it."""

from collections.abc import Callable
from pathlib import Path

from app import create_app
from cli import migrate
from settings import Settings
from tests.client import Client
from tests.conftest import SECRET, UNTHROTTLED, served
from tests.factories import make_account
from tests.graphql.test_uploads import LOG, bring
from tests.tables import until_idle

FINDINGS = "query($id: ID!) { branch(id: $id) { findings { claim evidence { position } } } }"


async def test_of_twenty_logs_sent_with_two_messages_each_leaves_a_finding(
    make_database: Callable[[str], str], tmp_path: Path
) -> None:
    url = make_database("offline")
    migrate(url)
    app = create_app(Settings(data_dir=tmp_path, secret_key=SECRET), url, limits=UNTHROTTLED)
    async with served(app) as host, Client(host) as client:
        people = await make_account(app.state.runtime, url)
        engineer = client.as_(people.engineer)
        started = await engineer.mutate(
            "startSession", "session { rootBranch { id } } reply { id }", intake={"text": "Help."}
        )
        trunk = started["session"]["rootBranch"]["id"]
        await engineer.answered(started["reply"]["id"])
        await until_idle(url, people.account_id)
        files = [
            [(await bring(engineer, f"{half}{n}.log", LOG))["id"] for n in range(10)]
            for half in "ab"
        ]
        for ids in files:
            await engineer.mutate(
                "sendBranchMessage", "reply { id }", branchId=trunk, body="See.", uploadIds=ids
            )
        await until_idle(url, people.account_id, within=60)
        found = (await engineer.run(FINDINGS, id=trunk))["branch"]["findings"]
    told = [(one["claim"].partition(":")[0], one["evidence"][0]["position"]) for one in found]
    assert told == [
        *((f"a{n}.log", 3) for n in range(10)),
        *((f"b{n}.log", 5) for n in range(10)),
    ]
