"""The first token of an answer, fifty streams at once: from the model's service to the subscriber.

The service is the tests' fake, in this process; FlowPilot is a process of its own, which asks it by the
real SDK, writes the answer down and tells subscribers over their sockets. The limit is a relay in another
process that passes the same stream on to readers over HTTP. Both are made to wait until all fifty are
connected; then the service says the first word to all of them in one go, and the rest once it was heard.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx

from benchmarks.report import finish, table
from tests.client import Client
from tests.fakes.model_server import KEY, Held, ModelServer, model_server
from tests.faults.installation import Process, free_port, running

STREAMS = 50
ROUNDS = 5
PASSWORD = "benchmark-password"  # noqa: S105 - of accounts that end with the run
MUST = {"p95_beside_relay": 10.0}
STREAM = """subscription($id: ID!) { messageStreamed(messageId: $id) { __typename
  ... on MessageSnapshot { text } } }"""


async def run() -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            model = await stack.enter_async_context(model_server())
            os.environ.update(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=model.url)
            server = Process(
                Path(folder),
                "server",
                "serve",
                data_dir=Path(folder) / "home",
                demo_password=PASSWORD,
                worker_concurrency=STREAMS,
                pool_size=20,
                cost_per_minute=10**9,
            )
            await stack.enter_async_context(running(server))
            relay = await stack.enter_async_context(relaying(model.url))
            client = await stack.enter_async_context(Client(server.host))
            signed_in = await client.mutate(
                "signIn",
                "tokens { accessToken }",
                email="engineer@first.example",
                password=PASSWORD,
            )
            engineer = client.with_token(signed_in["tokens"]["accessToken"])
            branches = await asyncio.gather(*(open_session(engineer) for _ in range(STREAMS)))
            rounds = []
            for _ in range(ROUNDS):
                await quiet(model)
                through = await flowpilot_round(engineer, model, branches)
                await quiet(model)
                rounds.append((p95(through), p95(await relay_round(relay, model))))
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    rows = [["relay", bare * 1000, 1.0], ["FlowPilot", ours * 1000, ours / bare]]
    table(f"First token, {STREAMS} streams at once: p95", ["", "ms", "x"], rows)
    return finish("first_token", {"p95_beside_relay": ours / bare}, MUST)


@asynccontextmanager
async def relaying(model_url: str) -> AsyncIterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.relay_server", model_url, str(port)]
    )
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as http:
            while True:
                with suppress(httpx.TransportError):
                    await http.get(address)
                    break
                await asyncio.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


async def open_session(engineer: Client) -> str:
    made = await engineer.mutate(
        "startSession",
        "session { rootBranch { id } } reply { id }",
        intake={"text": "Nothing comes out of the printer."},
    )
    await engineer.answered(made["reply"]["id"])
    branch: str = made["session"]["rootBranch"]["id"]
    return branch


async def quiet(model: ModelServer) -> None:
    """Until nothing has been asked for a second: what follows an answer is done, too."""
    async with asyncio.timeout(120):
        seen = -1
        while seen != len(model.asked):
            seen = len(model.asked)
            await asyncio.sleep(1)
    model.forget()


async def flowpilot_round(engineer: Client, model: ModelServer, branches: list[str]) -> list[float]:
    first, rest = asyncio.Event(), asyncio.Event()
    model.script(*[Held(rest, first=first)] * STREAMS)
    sent = await asyncio.gather(
        *(
            engineer.mutate("sendBranchMessage", "reply { id }", branchId=branch, body="And now?")
            for branch in branches
        )
    )
    heard: list[float] = []
    followers = [
        asyncio.create_task(first_delta(engineer, made["reply"]["id"], heard)) for made in sent
    ]
    await all_asked(model)
    first.set()
    await all_heard(heard)
    rest.set()
    await asyncio.gather(*followers)
    return since_spoken(model, heard)


async def first_delta(engineer: Client, reply: str, heard: list[float]) -> None:
    waiting = True
    async with engineer.subscribe(STREAM, id=reply) as pieces:
        async for piece in pieces:
            told = piece["messageStreamed"]
            if waiting and (told["__typename"] == "MessageDelta" or told.get("text")):
                heard.append(time.perf_counter())
                waiting = False


async def relay_round(address: str, model: ModelServer) -> list[float]:
    first, rest = asyncio.Event(), asyncio.Event()
    model.script(*[Held(rest, first=first)] * STREAMS)
    body = {
        "model": "claude-relay",
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "And now?"}]}],
    }
    async with httpx.AsyncClient(timeout=120) as http:
        heard: list[float] = []
        readers = [
            asyncio.create_task(first_text(http, address, body, heard)) for _ in range(STREAMS)
        ]
        await all_asked(model)
        first.set()
        await all_heard(heard)
        rest.set()
        await asyncio.gather(*readers)
    return since_spoken(model, heard)


async def first_text(
    http: httpx.AsyncClient, address: str, body: dict[str, object], heard: list[float]
) -> None:
    waiting = True
    headers = {"authorization": f"Bearer {KEY}"}
    async with http.stream(
        "POST", f"{address}/relay", content=json.dumps(body), headers=headers
    ) as answer:
        async for piece in answer.aiter_raw():
            if waiting and b"text_delta" in piece:
                heard.append(time.perf_counter())
                waiting = False


async def all_asked(model: ModelServer) -> None:
    async with asyncio.timeout(60):
        while len(model.asked) < STREAMS:  # noqa: ASYNC110 - the fake tells in no other way
            await asyncio.sleep(0.02)
    await asyncio.sleep(1)  # until whoever follows is connected, too


async def all_heard(heard: list[float]) -> None:
    async with asyncio.timeout(60):
        while len(heard) < STREAMS:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


def since_spoken(model: ModelServer, heard: list[float]) -> list[float]:
    """Sorted by when they were spoken and heard: which stream is whose does not matter to the p95."""
    spoken = sorted(asked.spoke_at for asked in model.asked[:STREAMS])
    return [ear - mouth for mouth, ear in zip(spoken, sorted(heard), strict=True)]


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
