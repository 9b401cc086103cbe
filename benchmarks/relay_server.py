"""The least that can stand between a model's service and its reader: it passes on what comes."""

import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def relay(request: Request) -> StreamingResponse:
    headers = {"authorization": request.headers["authorization"]}
    body = await request.body()

    async def pieces() -> AsyncIterator[bytes]:
        async with (
            httpx.AsyncClient(timeout=None) as http,  # noqa: S113 - held on purpose
            http.stream(
                "POST", f"{request.app.state.model}/v1/messages", content=body, headers=headers
            ) as answer,
        ):
            async for piece in answer.aiter_raw():
                yield piece

    return StreamingResponse(pieces(), media_type="text/event-stream")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/relay", relay, methods=["POST"])])
    app.state.model = sys.argv[1]
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
