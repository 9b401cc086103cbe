"""Where the built pages lie, and what each may load: only this server."""

from pathlib import Path

DIST = Path(__file__).parent.parent / "web" / "dist"
GRAPHIQL = DIST / "graphiql"
GRAPHIQL_PAGE = GRAPHIQL / "index.html"
CONSOLE = DIST / "console"
CONSOLE_PAGE = CONSOLE / "index.html"
CONSOLE_DOCUMENTS = CONSOLE / "documents.json"
"""What the console asks, by its hashes; the build writes it."""

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "object-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""GraphiQL's, whose editor writes styles, and its workers', which are files of their own."""

LIBRARY_STYLES = (
    "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=' "
    "'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='"
)
"""The two that React Aria writes into the page: how pressing and scrolling feel under a finger."""

CONSOLE_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {LIBRARY_STYLES}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)

PAGE_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
CONSOLE_HEADERS = {"Content-Security-Policy": CONSOLE_POLICY, "Cache-Control": "no-cache"}
