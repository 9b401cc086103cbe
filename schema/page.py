"""Where the built GraphiQL lies, and what its page may load: only this server."""

from pathlib import Path

GRAPHIQL = Path(__file__).parent.parent / "web" / "dist" / "graphiql"
GRAPHIQL_PAGE = GRAPHIQL / "index.html"

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "object-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""The page's, and its workers', which are files of their own."""

PAGE_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
