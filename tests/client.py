"""A GraphQL client over real HTTP and real sockets."""

import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.factories import Person


class GraphQLFailure(AssertionError):
    """A top-level error where none was expected."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors

    @property
    def code(self) -> str:
        return str(self.errors[0]["extensions"]["code"])


class Client:
    def __init__(self, host: str, token: str | None = None) -> None:
        self.host = host
        self.token = token
        self.http = httpx.AsyncClient(base_url=f"http://{host}", timeout=60)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def as_(self, person: Person) -> "Client":
        return self.with_token(person.token)

    def with_token(self, token: str) -> "Client":
        other = Client.__new__(Client)
        other.host, other.token, other.http = self.host, token, self.http
        return other

    async def post(self, document: str, variables: dict[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": document, "variables": variables or {}}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def post_file(
        self, document: str, variables: dict[str, Any], file: tuple[str, bytes], **headers: str
    ) -> httpx.Response:
        """`input.file` becomes the file: its name and content."""
        variables = {**variables, "input": {**variables["input"], "file": None}}
        headers = {"GraphQL-Require-Preflight": "1", **headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        operations = orjson.dumps({"query": document, "variables": variables}).decode()
        return await self.http.post(
            "/graphql",
            headers=headers,
            data={"operations": operations, "map": '{"0": ["variables.input.file"]}'},
            files={"0": file},
        )

    async def run(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data; raises GraphQLFailure on a top-level error."""
        file = variables.get("input", {}).get("file")
        if isinstance(file, tuple):
            answer = (await self.post_file(document, variables, file)).json()
        else:
            answer = (await self.post(document, variables)).json()
        if answer.get("errors"):
            raise GraphQLFailure(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    async def mutate(self, name: str, fields: str, /, **input: Any) -> dict[str, Any]:
        """One mutation: its union member, with `fields` of the success and all of a refusal."""
        kind = name[0].upper() + name[1:]
        if name in KEYED:
            input.setdefault("idempotencyKey", str(uuid4()))
        success = "SendBranchMessage" if name == "sendMessage" else kind
        document = f"""
            mutation($input: {kind}Input!) {{
              {name}(input: $input) {{
                __typename
                ... on {success}Success {{ {fields} }}
                ... on UserError {{ message }}
                {"" if name in NO_INPUT_RULES else INVALID}
                {"" if name in NO_OBJECTS else "... on NotFoundError { id }"}
                {REFUSED_DATA.get(name, "")}
              }}
            }}"""
        result: dict[str, Any] = (await self.run(document, input=input))[name]
        return result

    async def answered(self, message_id: str) -> None:
        """Until a reply is finished."""
        document = "subscription($id: ID!) { messageStreamed(messageId: $id) { __typename } }"
        async with self.subscribe(document, id=message_id) as pieces:
            async for _ in pieces:
                pass

    @asynccontextmanager
    async def socket(self, line: socket.socket | None = None) -> AsyncIterator["Socket"]:
        """Over a line that is already there, or one of its own."""
        async with connect(
            f"ws://{self.host}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            max_size=None,
            compression=None,
            sock=line,
        ) as connection:
            socket = Socket(connection)
            payload = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            await socket.send({"type": "connection_init", "payload": payload})
            assert (await socket.receive())["type"] == "connection_ack"
            yield socket

    @asynccontextmanager
    async def subscribe(
        self, document: str, **variables: Any
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The data of each event."""
        async with self.socket() as socket:
            yield socket.follow(document, **variables)


KEYED = {
    "createApiKey",
    "forkBranch",
    "handOffSession",
    "mergeFindings",
    "pushHandoff",
    "pushResolutionOutput",
    "regenerateMessage",
    "requestSecondOpinion",
    "sendBranchMessage",
    "sendMessage",
    "startSession",
    "uploadFile",
}

NO_INPUT_RULES = {
    "acceptRevivalProposal",
    "approveResolutionOutput",
    "archiveBranch",
    "cancelHandoff",
    "cancelMessage",
    "claimHandoff",
    "deactivateMember",
    "dismissRevivalProposal",
    "heartbeatHandoff",
    "leaveSession",
    "lookAtBranch",
    "reactivateMember",
    "regenerateResolutionOutput",
    "rejectResolutionOutput",
    "removeIntegration",
    "reopenSession",
    "retryDelivery",
    "retryHandoffPreparation",
    "retryMessage",
    "retryUpload",
    "revokeApiKey",
    "switchBranch",
    "testIntegration",
    "undoFindingMerge",
}
NO_OBJECTS = {
    "changePassword",
    "createApiKey",
    "refreshTokens",
    "saveSlaTargets",
    "signIn",
    "signOut",
}

INVALID = "... on InvalidInputError { fields { path message } }"
TRANSITION = "... on InvalidTransitionError { from to allowed }"
STALE = "... on StaleVersionError { currentVersion }"
BUDGET = "... on BudgetExceededError { budget used resetsAt }"
UNAVAILABLE = "... on ServiceUnavailableError { service retryable }"
LIMIT = "... on BranchLimitError { plan limit current requested }"
REFUSED_DATA = {
    "abandonSession": TRANSITION + STALE,
    "acceptRevivalProposal": TRANSITION,
    "approveResolutionOutput": TRANSITION + STALE,
    "archiveBranch": TRANSITION + STALE,
    "cancelHandoff": TRANSITION,
    "cancelMessage": TRANSITION,
    "chooseAlternative": TRANSITION,
    "claimHandoff": TRANSITION + "... on HandoffTakenError { handoff { id claimedBy { id } } }",
    "dismissRevivalProposal": TRANSITION,
    "editResolutionOutput": TRANSITION + STALE,
    "forkBranch": TRANSITION + LIMIT,
    "handOffSession": TRANSITION,
    "heartbeatHandoff": TRANSITION,
    "linkTicket": STALE + UNAVAILABLE,
    "markBranchStatus": TRANSITION + STALE,
    "mergeFindings": TRANSITION,
    "reassignSession": TRANSITION + STALE,
    "releaseHandoff": TRANSITION,
    "regenerateResolutionOutput": TRANSITION + STALE + BUDGET,
    "rejectResolutionOutput": TRANSITION + STALE,
    "pushHandoff": TRANSITION,
    "pushResolutionOutput": TRANSITION + STALE + UNAVAILABLE,
    "regenerateMessage": TRANSITION + BUDGET,
    "requestSecondOpinion": TRANSITION + BUDGET,
    "renameBranch": TRANSITION + STALE,
    "reopenSession": TRANSITION + STALE,
    "resolveSession": TRANSITION + STALE,
    "restoreBranch": TRANSITION + STALE + LIMIT,
    "retryDelivery": TRANSITION,
    "retryHandoffPreparation": TRANSITION + BUDGET,
    "retryMessage": TRANSITION + BUDGET,
    "retryUpload": TRANSITION,
    "reviveBranch": TRANSITION,
    "saveIntegration": STALE,
    "saveMember": STALE,
    "saveSlaTargets": STALE,
    "sendBranchMessage": TRANSITION + BUDGET,
    "sendMessage": TRANSITION + STALE + BUDGET,
    "startSession": BUDGET + UNAVAILABLE,
    "testIntegration": UNAVAILABLE,
    "undoFindingMerge": TRANSITION,
    "uploadFile": TRANSITION + UNAVAILABLE,
    "switchBranch": TRANSITION,
}


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.ids = itertools.count(1)

    async def send(self, message: object) -> None:
        await self.connection.send(orjson.dumps(message).decode())

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = orjson.loads(await self.connection.recv())
        return message

    async def follow(self, document: str, **variables: Any) -> AsyncIterator[dict[str, Any]]:
        """For a socket with one operation at a time."""
        id = str(next(self.ids))
        payload = {"query": document, "variables": variables}
        await self.send({"id": id, "type": "subscribe", "payload": payload})
        while True:
            message = await self.receive()
            assert message["id"] == id
            if message["type"] == "complete":
                return
            if message["type"] == "error":
                raise GraphQLFailure(message["payload"])
            if message["payload"].get("errors"):
                raise GraphQLFailure(message["payload"]["errors"])
            yield message["payload"]["data"]
