"""What every answer tells a browser, whatever it answers."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Where an answer has one of these itself, that one holds."""

A_YEAR = 31_536_000
"""Seconds for which a browser that came by TLS takes no other way."""

RAW = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
RAW_BY_TLS = (*RAW, (b"strict-transport-security", b"max-age=%d" % A_YEAR))


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                named = {name for name, _ in own}
                ours = RAW_BY_TLS if scope["scheme"] == "https" else RAW
                message["headers"] = [*own, *(pair for pair in ours if pair[0] not in named)]
            await send(message)

        await self.app(scope, receive, answer)
