"""Where the built GraphiQL lies, and what its page may load: only this server."""

from pathlib import Path

GRAPHIQL = Path(__file__).parent.parent / "web" / "dist" / "graphiql"
GRAPHIQL_PAGE = GRAPHIQL / "index.html"

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
